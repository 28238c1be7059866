//! The documentation of the API: the OpenAPI document, a page to try the operations on, and the list of problem codes.

use actix_web::{
    HttpResponse, Responder, get,
    http::header::ContentType,
    web::{self, Bytes, Data, Html},
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    http::{KnownParameters, openapi::responses::OpenProblems, routes::Routes},
    problem::{CODES, Error, Result, constraints::RULES},
};

/// Registers the interactive page. It is not an operation of the API. The binary contains its assets.
pub(super) fn interactive_page(config: &mut Routes<'_, '_>) {
    let Routes::Served(config) = config else { return };
    let settings = Config::from("/openapi.json")
        .use_base_layout()
        .default_models_expand_depth(0)
        .display_operation_id(true)
        .display_request_duration(true)
        .persist_authorization(false)
        .try_it_out_enabled(true)
        .validator_url("none");
    config
        .route("/docs", web::get().to(redirect))
        .route("/docs/", web::get().to(index))
        .service(SwaggerUi::new("/docs/{_:.*}").config(settings));
}

/// The OpenAPI document as JSON. It is rendered once, when the service starts, because every caller may ask for it.
pub struct RenderedDocument(Bytes);

impl RenderedDocument {
    /// Renders the document.
    pub fn of(document: &OpenApi) -> Result<Self> {
        let text = document.to_json().map_err(|error| Error::Internal(error.into()))?;
        Ok(Self((text + "\n").into()))
    }
}

/// Replaces the index page of the Swagger UI assets, whose title is "Swagger UI".
async fn index() -> impl Responder {
    Html::new(include_str!("page.html"))
}

async fn redirect() -> impl Responder {
    web::Redirect::to("/docs/").permanent()
}

/// Get the API document
///
/// Returns this document, in OpenAPI 3.1.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "The API document", body = Object), OpenProblems),
)]
#[get("/openapi.json")]
pub(super) async fn get_openapi(_: KnownParameters, document: Data<RenderedDocument>) -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::json()).body(document.0.clone())
}

/// List the problem codes
///
/// Returns an HTML page with every `code` that a problem can have, and what to do about it.
#[utoipa::path(
    tag = "service",
    security(()),
    responses((status = 200, description = "An HTML page", body = String, content_type = "text/html"), OpenProblems),
)]
#[get("/docs/problems")]
pub(super) async fn get_problems(_: KnownParameters) -> impl Responder {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(problems_page())
}

fn problems_page() -> String {
    let general = CODES.iter().map(|(code, text)| row(code, text));
    let rules =
        RULES.iter().map(|rule| row(rule.constraint, &format!("<code>{}</code> {}", rule.pointer, rule.detail)));
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problems – Kuntatutorit</title>\
         <style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         td{{vertical-align:top;padding:.2rem 1rem .2rem 0}}tr:target{{background:#ffef9f}}</style>\
         <h1>Problems</h1><p>Every failure has a body of the type <code>application/problem+json</code> (RFC 9457). \
         Its <code>type</code> links to the row of its <code>code</code> on this page.</p><table>{}{}</table></html>",
        general.collect::<String>(),
        rules.collect::<String>(),
    )
}

fn row(code: &str, text: &str) -> String {
    format!("<tr id=\"{code}\"><td><code>{code}</code><td>{text}")
}
