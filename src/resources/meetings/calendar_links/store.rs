//! The calendar links in the database: everybody's own; the coordinator sees and revokes all.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{CalendarLink, CalendarLinkFilter, CalendarLinkInput, CreatedCalendarLink};
use crate::{
    auth::{
        reach::{Identity, Reach},
        scopes,
        scopes::Scope as _,
        secrets,
    },
    db::{
        Conn,
        keyset::{any_of, keyset},
    },
    domain::MunicipalityCode,
    domain::Role,
    http::{List, Page, input::if_match::EntityTags},
    problem::{Error, Result, Violation},
    resources::{
        access::{accounts, clients},
        directory::municipalities,
        meetings::{
            calendars::model::Language,
            events::scopes::{EventsRead, EventsWrite},
        },
    },
    schema::{calendar_links, calendar_links::dsl},
};

type Visible = IntoBoxed<'static, Select<calendar_links::table, AsSelect<CalendarLink, Pg>>, Pg>;

/// The only door to the table for callers.
fn visible(reach: &Reach) -> Visible {
    let query = CalendarLink::query().into_boxed();
    match &reach.identity {
        _ if reach.is_coordinator() => query,
        Identity::Account(id) => query.filter(dsl::account_id.eq(*id)),
        Identity::Client { id, .. } => query.filter(dsl::client_id.eq(*id)),
        Identity::Anonymous => query.filter(false.into_sql::<Bool>()),
    }
}

/// One calendar link.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<CalendarLink> {
    Ok(visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// A page of calendar links.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that is not of this list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<CalendarLinkFilter>) -> Result<Page<CalendarLink>> {
    let List { filter, page } = list;
    let query = any_of!(visible(reach), dsl::municipality_code, filter.municipality);
    let query = keyset!(query, page, ascending, dsl::id: Uuid);
    Ok(Page::from_rows(page, query.limit(page.fetch()).load(&mut conn).await?, |link: &CalendarLink| link.id))
}

/// Makes a calendar link of the caller's, whose address is told this once.
///
/// # Errors
/// [`Error::Invalid`] when the municipality does not exist.
pub async fn create(
    mut conn: &Conn,
    reach: &Reach,
    public_url: &str,
    new: CalendarLinkInput,
) -> Result<CreatedCalendarLink> {
    let (account, client) = match &reach.identity {
        Identity::Account(id) => (Some(*id), None),
        Identity::Client { id, .. } => (None, Some(*id)),
        Identity::Anonymous => return Err(Error::Unauthenticated),
    };
    let missing = municipalities::store::missing(conn, new.municipality_code.as_slice()).await?;
    let broken = missing.iter().filter_map(|_| Violation::of_rule("calendar_links_municipality_code_exists"));
    Error::unless_empty(broken.collect())?;
    let secret = secrets::generate()?;
    let owner = (dsl::account_id.eq(account), dsl::client_id.eq(client));
    let made = (dsl::id.eq(Uuid::now_v7()), dsl::secret_hash.eq(secrets::hash(&secret)), owner, new);
    let insert = diesel::insert_into(calendar_links::table).values(made).returning(CalendarLink::as_returning());
    let link = insert.get_result(&mut conn).await?;
    Ok(CreatedCalendarLink { link, url: format!("{public_url}/calendar/{secret}.ics") })
}

/// Deletes a calendar link: its address opens nothing from now on.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::PreconditionFailed`].
pub async fn delete(mut conn: &Conn, reach: &Reach, id: Uuid, expected: &EntityTags) -> Result<()> {
    let current = find(conn, reach, id).await?;
    expected.require(&current)?;
    let row = calendar_links::table.find(id).filter(dsl::version.eq(current.version));
    match diesel::delete(row).execute(&mut conn).await? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}

/// What a secret address opens.
#[derive(Debug)]
pub struct OpenLink {
    /// How far its owner reaches now.
    pub reach: Reach,
    /// Whose events it shows.
    pub municipality_code: Option<MunicipalityCode>,
    /// The language that is preferred.
    pub language: Language,
}

/// The link with this secret, if its owner is let in and may read events.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn open(mut conn: &Conn, secret: &str) -> Result<OpenLink> {
    let query = calendar_links::table.filter(dsl::secret_hash.eq(secrets::hash(secret)));
    let (account, client, fields): (Option<Uuid>, Option<Uuid>, CalendarLinkInput) =
        query.select((dsl::account_id, dsl::client_id, CalendarLinkInput::as_select())).first(&mut conn).await?;
    let reach = match (account, client) {
        (Some(id), _) => of_account(conn, id).await?,
        (_, Some(id)) => of_client(conn, id).await?,
        (None, None) => None,
    };
    let CalendarLinkInput { municipality_code, lang: language, .. } = fields;
    Ok(OpenLink { reach: reach.ok_or(Error::NotFound)?, municipality_code, language })
}

async fn of_account(conn: &Conn, id: Uuid) -> Result<Option<Reach>> {
    let fields = accounts::store::credentials(conn, id).await?.account.fields;
    let role = Role::from(fields.role);
    let may = |scope| !fields.disabled && scopes::can_hold(role, scope);
    Ok(may(EventsRead::NAME).then(|| Reach {
        role,
        identity: Identity::Account(id),
        municipality: fields.municipality_code.clone(),
        tutor: fields.tutor_id,
        contacts: false,
        writes: may(EventsWrite::NAME),
    }))
}

async fn of_client(conn: &Conn, id: Uuid) -> Result<Option<Reach>> {
    let fields = clients::store::find_stored(conn, id).await?.fields;
    let may = |scope: &str| !fields.disabled && fields.scopes.iter().any(|held| held == scope);
    Ok(may(EventsRead::NAME).then(|| Reach {
        role: Role::Partner,
        identity: Identity::Client { id, source: fields.source.clone() },
        municipality: fields.municipality_code.clone(),
        tutor: None,
        contacts: false,
        writes: may(EventsWrite::NAME),
    }))
}
