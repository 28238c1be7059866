//! The calendar at a secret address, with the current rights of the link's owner.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::CalendarLinkInput;
use crate::{
    auth::{
        reach::{Identity, Reach},
        scopes::{Scope as _, can_hold},
        secrets,
    },
    db::Conn,
    domain::{MunicipalityCode, Role},
    problem::{Error, Result},
    resources::{
        access::{accounts, clients},
        meetings::{
            calendars::language::Language,
            events::scopes::{EventsRead, EventsWrite},
        },
    },
    schema::{calendar_links, calendar_links::dsl},
};

/// The calendar at a secret address.
#[derive(Debug)]
pub struct LinkedCalendar {
    /// The current reach of the link's owner.
    pub reach: Reach,
    /// The municipality whose events the calendar shows; none when it shows all events.
    pub municipality_code: Option<MunicipalityCode>,
    /// The language of the calendar.
    pub language: Language,
}

/// Returns the calendar at the address with this secret.
///
/// # Errors
/// [`Error::NotFound`] when no link has the secret, and when the owner of the link is disabled or may no longer read
/// events.
pub async fn find_by_secret(mut conn: &Conn, secret: &str) -> Result<LinkedCalendar> {
    let query = calendar_links::table.filter(dsl::secret_hash.eq(secrets::hash(secret)));
    let (account, client, link): (Option<Uuid>, Option<Uuid>, CalendarLinkInput) =
        query.select((dsl::account_id, dsl::client_id, CalendarLinkInput::as_select())).first(&mut conn).await?;
    let reach = match (account, client) {
        (Some(id), _) => reach_of_account(conn, id).await?,
        (None, Some(id)) => reach_of_client(conn, id).await?,
        (None, None) => None,
    };
    let CalendarLinkInput { municipality_code, lang, .. } = link;
    Ok(LinkedCalendar { reach: reach.ok_or(Error::NotFound)?, municipality_code, language: lang })
}

/// Returns the reach of an account for events; none when the account may not read them.
async fn reach_of_account(conn: &Conn, id: Uuid) -> Result<Option<Reach>> {
    let account = accounts::store::credentials(conn, id).await?.account.fields;
    let role = Role::from(account.role);
    let holds = |scope| !account.disabled && can_hold(role, scope);
    Ok(holds(EventsRead::NAME).then(|| Reach {
        role,
        identity: Identity::Account(id),
        municipality: account.municipality_code.clone(),
        tutor: account.tutor_id,
        contacts: false,
        writes: holds(EventsWrite::NAME),
    }))
}

/// Returns the reach of a client for events; none when the client may not read them.
async fn reach_of_client(conn: &Conn, id: Uuid) -> Result<Option<Reach>> {
    let client = clients::store::find_stored(conn, id).await?.fields;
    let holds = |scope: &str| !client.disabled && client.scopes.iter().any(|held| held == scope);
    Ok(holds(EventsRead::NAME).then(|| Reach {
        role: Role::Partner,
        identity: Identity::Client { id, source: client.source.clone() },
        municipality: client.municipality_code.clone(),
        tutor: None,
        contacts: false,
        writes: holds(EventsWrite::NAME),
    }))
}
