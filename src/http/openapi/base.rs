//! The document (OpenAPI 3.1): what stands above the operations, which come from the handlers.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document, ServerBuilder,
        extensions::ExtensionsBuilder,
        security::{ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme},
    },
};

use super::responses::shared_problems;
use crate::{
    domain::{EmailAddress, ExternalId, SourceName},
    problem::body::Problem,
    registry::SCOPES,
};

/// The part of the document that is not an operation.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kuntatutorit",
        description = include_str!("openapi.md"),
        license(name = "MIT", identifier = "MIT"),
        contact(name = "Kuntatutorit", url = "https://www.uudenmaanliitto.fi"),
    ),
    // The forms that only parameters have: these bring no schemas along.
    components(schemas(Problem, EmailAddress, ExternalId, SourceName)),
    modifiers(&Security, &Here, &Shared),
    tags(
        (name = "municipalities", description = "The municipalities that the network is to reach."),
        (name = "themes", description = "What digital support is about, and the forms it is given in."),
        (name = "tutors", description = "Digital supporters of a municipality who tutor others."),
        (name = "events", description = "Where tutors present and share what worked."),
        (name = "feedback", description = "What participants and tutors say of an event, in both directions."),
        (name = "summaries", description = "What is published of the feedback on an event or on a tutor's events."),
        (name = "calendars", description = "Events for calendar programs (RFC 5545), and secret links to them."),
        (name = "accounts", description = "People who sign in; the coordinator's."),
        (name = "clients", description = "Partner systems that sign in; the coordinator's."),
        (name = "changes", description = "The ledger of what happened, for copies that keep in step."),
        (name = "sign-in", description = "Access tokens for people and for partner systems."),
        (name = "service", description = "The service itself."),
    ),
)]
pub struct Base;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let scopes: Scopes = SCOPES.iter().map(|scope| (scope.name, scope.description)).collect();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format("JWT")
                    .description(Some(
                        "The access token of `POST /v1/auth/login` or `POST /v1/auth/token` (RFC9068, RFC8725).",
                    ))
                    .build(),
            ),
        );
        components.add_security_scheme(
            "client_credentials",
            SecurityScheme::OAuth2(OAuth2::with_description(
                [Flow::ClientCredentials(ClientCredentials::new("/v1/auth/token", scopes))],
                "For partner systems: the OAuth 2 client credentials grant (RFC 6749, section 4.4). Its tokens keep to \
                 RFC8725.",
            )),
        );
    }
}

struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut Document) {
        document.components.get_or_insert_default().responses.extend(shared_problems());
    }
}

struct Here;

impl Modify for Here {
    fn modify(&self, document: &mut Document) {
        // Linters ask of each server whom it is for, and there is only this one.
        let open = ExtensionsBuilder::new().add("x-internal", false).build();
        let description = "Where this document is served: production, a test environment, or local";
        document.servers =
            Some(vec![ServerBuilder::new().url("/").description(Some(description)).extensions(Some(open)).build()]);
    }
}
