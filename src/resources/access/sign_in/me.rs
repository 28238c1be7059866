//! Who one is.

use actix_web::{get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::{reach::Identity, scopes::AnyScope},
    db::Db,
    domain::{EmailAddress, MunicipalityCode, Role, words::words},
    http::{Caller, openapi::responses::MeProblems},
    problem::{Error, Result},
    resources::access::{accounts, accounts::model::Account, clients, clients::model::StoredClient},
};

words! {
    /// What kind of caller one is.
    pub enum CallerKind {
        /// A person.
        Account = "account",
        /// A partner system.
        Client = "client",
    }
}

/// Who the token speaks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "account", "id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "role": "municipality",
    "email": "digituki@example.org", "name": null, "source": "kuntatutorit", "municipality_code": "049", "tutor_id": null
}))]
pub(super) struct Me {
    /// A person or a partner system.
    kind: CallerKind,
    /// The account's or the client's id.
    id: Uuid,
    /// What it is to the network.
    role: Role,
    /// The account's e-mail address.
    email: Option<EmailAddress>,
    /// The client's name.
    name: Option<String>,
    /// The `source` of all that it makes.
    source: String,
    /// The municipality that it writes for; null for the whole region.
    municipality_code: Option<MunicipalityCode>,
    /// The tutor that it is.
    tutor_id: Option<Uuid>,
}

/// Who am I?
///
/// The account or the client that the token speaks for.
#[utoipa::path(
    tag = "sign-in",
    security(("bearer" = []), ("client_credentials" = [])),
    responses((status = 200, description = "The caller", body = Me), MeProblems),
)]
#[get("/v1/me")]
pub(super) async fn get_me(caller: Caller<AnyScope>, db: Data<Db>) -> Result<actix_web::web::Json<Me>> {
    let source = caller.reach.identity.source().to_owned();
    let me = match &caller.reach.identity {
        Identity::Account(id) => {
            let Account { id, fields, .. } =
                db.read(async |conn| accounts::store::credentials(conn, *id).await).await?.account;
            Me {
                kind: CallerKind::Account,
                id,
                role: fields.role.into(),
                email: Some(fields.email),
                name: None,
                source,
                municipality_code: fields.municipality_code,
                tutor_id: fields.tutor_id,
            }
        }
        Identity::Client { id, .. } => {
            let StoredClient { id, fields, .. } = db.read(async |conn| clients::store::stored(conn, *id).await).await?;
            Me {
                kind: CallerKind::Client,
                id,
                role: Role::Partner,
                email: None,
                name: Some(fields.name),
                source,
                municipality_code: fields.municipality_code,
                tutor_id: None,
            }
        }
        Identity::Anonymous => return Err(Error::Unauthenticated),
    };
    Ok(actix_web::web::Json(me))
}
