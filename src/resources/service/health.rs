//! Health checks for container platforms and load balancers.

use actix_web::{Responder, get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    db::{Db, migrations},
    http::{KnownParameters, openapi::responses::HealthProblems, output::json::PlainJson},
    problem::{Error, Result},
    shutdown::Stopping,
};

/// The health of the service.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
pub(super) struct Health {
    /// Always `ok`: a service that is not healthy returns a problem instead.
    status: &'static str,
}

/// Check that the service is alive
///
/// Returns 200 as long as the process runs. It does not query the database.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The service is alive", body = Health), HealthProblems),
)]
#[get("/livez")]
pub(super) async fn get_livez(_: KnownParameters) -> impl Responder {
    PlainJson(Health { status: "ok" })
}

/// Check that the service is ready
///
/// The service is ready when the database answers, has exactly the migrations of this version, and the service is not
/// shutting down.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The service is ready", body = Health), HealthProblems),
)]
#[get("/readyz")]
pub(super) async fn get_readyz(
    _: KnownParameters,
    db: Data<Db>,
    stopping: Data<Stopping>,
) -> Result<PlainJson<Health>> {
    if stopping.has_begun() {
        return Err(Error::Stopping);
    }
    migrations::check(&db).await?;
    Ok(PlainJson(Health { status: "ok" }))
}
