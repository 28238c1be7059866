//! The root of the service: a page for people, JSON for programs.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, ContentType},
    web::Data,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    config::Config,
    http::{
        KnownParameters,
        input::accept::{JSON, preference},
        openapi::responses::OpenProblems,
        output::json::{RESOURCE_SIZE, json},
    },
};

const HTML: &str = "text/html";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The addresses of the service.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(Root::at("https://kuntatutorit.example")))]
struct Root {
    /// The name of the service.
    name: &'static str,
    /// The version of the service.
    version: &'static str,
    /// The base address of the operations.
    #[schema(format = "uri")]
    api: String,
    /// The address of the interactive documentation.
    #[schema(format = "uri")]
    documentation: String,
    /// The address of the API document.
    #[schema(format = "uri")]
    openapi: String,
    /// The address that tells whether the service is ready.
    #[schema(format = "uri")]
    health: String,
}

impl Root {
    fn at(base: &str) -> Self {
        let address = |path| format!("{base}{path}");
        Self {
            name: "Kuntatutorit",
            version: VERSION,
            api: address("/v1"),
            documentation: address("/docs/"),
            openapi: address("/openapi.json"),
            health: address("/readyz"),
        }
    }
}

/// Get the addresses of the service
///
/// Returns the addresses of the documentation, of the API and of the health check: as a page for a browser, as JSON for
/// programs.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The addresses of the service",
        content((Root = "application/json"), (String = "text/html"))), OpenProblems),
)]
#[get("/")]
pub(super) async fn get_root(_: KnownParameters, request: HttpRequest, config: Data<Config>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::VARY, "Accept"));
    if preference(&request, HTML) > preference(&request, JSON) {
        return response
            .content_type(ContentType::html())
            .body(include_str!("root.html").replace("{version}", VERSION));
    }
    json(&mut response, &Root::at(&config.public_url), RESOURCE_SIZE)
}
