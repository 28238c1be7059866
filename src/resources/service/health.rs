//! Whether the service lives, and whether it can serve.

use actix_web::{Responder, get, web, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    db::{Db, migrations},
    http::{KnownParameters, openapi::responses::OpenProblems},
    problem::{Error, Result},
    shutdown::Stopping,
};

/// How the service is.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
pub(super) struct Health {
    /// Always `ok`: whatever else is a failure.
    status: &'static str,
}

/// Does it live?
///
/// Asks nothing but the process itself.
#[utoipa::path(tag = "service", security(()), responses((status = 200, description = "It lives", body = Health), OpenProblems))]
#[get("/livez")]
pub(super) async fn get_livez(_: KnownParameters) -> impl Responder {
    web::Json(Health { status: "ok" })
}

/// Can it serve?
///
/// The database answers and has exactly this version's migrations, and nobody has told the service to stop.
#[utoipa::path(tag = "service", security(()), responses((status = 200, description = "It can serve", body = Health), OpenProblems))]
#[get("/readyz")]
pub(super) async fn get_readyz(
    _: KnownParameters,
    db: Data<Db>,
    stopping: Data<Stopping>,
) -> Result<web::Json<Health>> {
    if stopping.has_begun() {
        return Err(Error::Stopping);
    }
    migrations::check(&db).await?;
    Ok(web::Json(Health { status: "ok" }))
}
