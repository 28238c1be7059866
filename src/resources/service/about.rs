//! The name and version of the service, and the sources of its data.

use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::scopes::Anyone,
    http::{Caller, openapi::responses::MeProblems, output::json::PlainJson},
};

/// The service.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"name": "Kuntatutorit", "version": "0.2.0", "sources": SOURCES}))]
pub(super) struct About {
    /// The name of the service.
    #[schema(example = "Kuntatutorit")]
    name: &'static str,
    /// The version of the service.
    #[schema(example = "0.2.0")]
    version: &'static str,
    /// The sources of the reference data.
    sources: &'static [Source],
}

/// A source of reference data.
#[derive(Serialize, ToSchema)]
pub(super) struct Source {
    /// The publisher.
    #[schema(example = "Statistics Finland")]
    name: &'static str,
    /// The data that comes from this source.
    #[schema(example = "municipal classifications 2020, population 2019–2022")]
    what: &'static str,
    /// The licence of the data; null when the publisher states none.
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
        what: "names of the forms and themes of digital support",
        license: None,
    },
    Source { name: "Uudenmaan liitto", what: "the programme's published events", license: None },
];

/// Describe the service
///
/// Returns the name and version of the service, and the sources of its data with their licences.
#[utoipa::path(
    tag = "service",
    security(("bearer" = []), ("client_credentials" = [])),
    responses((status = 200, description = "The service", body = About), MeProblems),
)]
#[get("/v1/about")]
pub(super) async fn get_about(_: Caller<Anyone>) -> PlainJson<About> {
    PlainJson(About { name: "Kuntatutorit", version: env!("CARGO_PKG_VERSION"), sources: SOURCES })
}
