//! Calendar links in the database.

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
        secrets,
    },
    db::{
        Conn,
        keyset::{any_of, keyset},
    },
    http::{List, Page, input::if_match::EntityTags},
    problem::{Error, Result},
    resources::directory::municipalities::refused::Refused,
    schema::{calendar_links, calendar_links::dsl},
};

type VisibleLinks = IntoBoxed<'static, Select<calendar_links::table, AsSelect<CalendarLink, Pg>>, Pg>;

/// Returns a query for the links that a caller sees: its own. The coordinator sees all.
fn visible(reach: &Reach) -> VisibleLinks {
    let all = CalendarLink::query().into_boxed();
    if reach.is_coordinator() {
        return all;
    }
    match &reach.identity {
        Identity::Account(id) => all.filter(dsl::account_id.eq(*id)),
        Identity::Client { id, .. } => all.filter(dsl::client_id.eq(*id)),
        Identity::Anonymous => all.filter(false.into_sql::<Bool>()),
    }
}

/// Returns one calendar link.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<CalendarLink> {
    Ok(visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// Returns a page of calendar links.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that belongs to another list.
pub(super) async fn list(
    mut conn: &Conn,
    reach: &Reach,
    list: &List<CalendarLinkFilter>,
) -> Result<Page<CalendarLink>> {
    let List { filter, page } = list;
    let query = any_of!(visible(reach), dsl::municipality_code, filter.municipality);
    let query = keyset!(query, page, ascending, dsl::id: Uuid);
    Ok(Page::from_rows(page, query.limit(page.fetch()).load(&mut conn).await?, |link: &CalendarLink| link.id))
}

/// Creates a calendar link that belongs to the caller.
///
/// # Errors
/// [`Error::Invalid`] when the municipality does not exist.
pub(super) async fn create(
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
    require_municipality(conn, &new).await?;
    let secret = secrets::generate()?;
    let owner = (dsl::account_id.eq(account), dsl::client_id.eq(client));
    let values = (dsl::id.eq(Uuid::now_v7()), dsl::secret_hash.eq(secrets::hash(&secret)), owner, new);
    let insert = diesel::insert_into(calendar_links::table).values(values).returning(CalendarLink::as_returning());
    let link = insert.get_result(&mut conn).await?;
    Ok(CreatedCalendarLink { link, url: format!("{public_url}/calendar/{secret}.ics") })
}

/// Deletes a calendar link. Its address then returns 404.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::PreconditionFailed`] when `expected` does not contain the current entity tag of the
/// link.
pub(super) async fn delete(mut conn: &Conn, reach: &Reach, id: Uuid, expected: &EntityTags) -> Result<()> {
    let current = find(conn, reach, id).await?;
    expected.require_version(&current)?;
    let row = calendar_links::table.find(id).filter(dsl::version.eq(current.version));
    match diesel::delete(row).execute(&mut conn).await? {
        0 => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}

/// Refuses a municipality that does not exist or has ended.
async fn require_municipality(conn: &Conn, new: &CalendarLinkInput) -> Result<()> {
    let refused = Refused::among(conn, new.municipality_code.as_slice()).await?;
    let violation = refused.violation(new.municipality_code.as_ref(), "calendar_links_municipality_code_exists");
    Error::unless_empty(violation.into_iter().collect())
}
