//! What this service is, and where its data comes from.

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::scopes::Anyone,
    http::{Caller, openapi::responses::MeProblems},
};

/// What this service is.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"name": "Kuntatutorit", "version": "0.1.0", "sources": SOURCES}))]
pub(super) struct About {
    /// Its name.
    #[schema(example = "Kuntatutorit")]
    name: &'static str,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Where the reference data comes from.
    sources: &'static [Source],
}

/// Where some of the data comes from.
#[derive(Serialize, ToSchema)]
pub(super) struct Source {
    /// Who publishes it.
    #[schema(example = "Statistics Finland")]
    name: &'static str,
    /// What comes from there.
    #[schema(example = "municipal classifications 2020, population 2019–2022")]
    what: &'static str,
    /// Under which licence; null when none is stated.
    #[schema(example = "CC BY 4.0")]
    license: Option<&'static str>,
}

const SOURCES: &[Source] = &[
    Source {
        name: "Statistics Finland",
        what: "municipal classifications 2020, population 2019–2022",
        license: Some("CC BY 4.0"),
    },
    Source {
        name: "National Land Survey of Finland",
        what: "the municipalities' centres 2021",
        license: Some("CC BY 4.0"),
    },
    Source {
        name: "Digital and Population Data Services Agency",
        what: "names of forms and themes of digital support",
        license: None,
    },
    Source { name: "Uudenmaan liitto", what: "the programme's published events", license: None },
];

/// What is this?
///
/// The service's name and version, and the sources of its data with their licences.
#[utoipa::path(
    tag = "service",
    security(("bearer" = []), ("client_credentials" = [])),
    responses((status = 200, description = "The service", body = About), MeProblems),
)]
#[get("/v1/about")]
pub(super) async fn get_about(_: Caller<Anyone>) -> web::Json<About> {
    web::Json(About { name: "Kuntatutorit", version: env!("CARGO_PKG_VERSION"), sources: SOURCES })
}
