//! The identity of the caller.

use actix_web::{get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::{reach::Identity, scopes::AnyScope},
    db::Db,
    domain::{EmailAddress, MunicipalityCode, Role, names::OWN_SOURCE, words::words},
    http::{Caller, openapi::responses::MeProblems, output::json::PlainJson},
    problem::{Error, Result},
    resources::access::{accounts, accounts::model::Account, clients, clients::model::StoredClient},
};

words! {
    /// The kind of a caller.
    pub enum CallerKind {
        /// A person.
        Account = "account",
        /// A partner system.
        Client = "client",
    }
}

/// The account or the client of an access token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "account", "id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "role": "municipality",
    "email": "digituki@example.org", "name": null, "source": "kuntatutorit", "municipality_code": "049", "tutor_id": null
}))]
pub(super) struct Me {
    /// Whether the caller is a person or a partner system.
    kind: CallerKind,
    /// The id of the account or of the client.
    id: Uuid,
    /// The role of the caller in the network.
    role: Role,
    /// The e-mail address of the account; null for a client.
    email: Option<EmailAddress>,
    /// The name of the client; null for an account.
    name: Option<String>,
    /// The `source` of everything that the caller creates.
    source: String,
    /// The code of the municipality that the caller writes for; null for the coordinator and for a client of the whole
    /// region.
    municipality_code: Option<MunicipalityCode>,
    /// The id of the tutor that the account belongs to; null for other accounts and for clients.
    tutor_id: Option<Uuid>,
}

/// Get the caller
///
/// Returns the account or the client for which the access token was issued.
#[utoipa::path(
    tag = "sign-in",
    security(("bearer" = []), ("client_credentials" = [])),
    responses((status = 200, description = "The caller", body = Me), MeProblems),
)]
#[get("/v1/me")]
pub(super) async fn get_me(caller: Caller<AnyScope>, db: Data<Db>) -> Result<PlainJson<Me>> {
    let me = match &caller.reach.identity {
        Identity::Account(id) => {
            db.read(async |conn| accounts::store::credentials(conn, *id).await).await?.account.into()
        }
        Identity::Client { id, .. } => db.read(async |conn| clients::store::find_stored(conn, *id).await).await?.into(),
        Identity::Anonymous => return Err(Error::Unauthenticated),
    };
    Ok(PlainJson(me))
}

impl From<Account> for Me {
    fn from(Account { id, fields, .. }: Account) -> Self {
        Self {
            kind: CallerKind::Account,
            id,
            role: fields.role.into(),
            email: Some(fields.email),
            name: None,
            source: OWN_SOURCE.to_owned(),
            municipality_code: fields.municipality_code,
            tutor_id: fields.tutor_id,
        }
    }
}

impl From<StoredClient> for Me {
    fn from(StoredClient { id, fields, .. }: StoredClient) -> Self {
        Self {
            kind: CallerKind::Client,
            id,
            role: Role::Partner,
            email: None,
            name: Some(fields.name),
            source: fields.source,
            municipality_code: fields.municipality_code,
            tutor_id: None,
        }
    }
}
