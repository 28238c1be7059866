//! The parts of the OpenAPI 3.1 document that are not operations: the introduction, the tags, the security schemes, the
//! server and the shared responses.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document, ServerBuilder,
        extensions::ExtensionsBuilder,
        security::{ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme},
        tag::{Tag, TagBuilder},
    },
};

use super::responses::shared_problems;
use crate::{
    auth::scopes::can_hold,
    domain::{EmailAddress, ExternalId, Role, SourceName},
    problem::body::Problem,
    registry::{COLLECTIONS, SCOPES},
};

/// The tags of the operations that belong to no collection, with their descriptions. The collections are in the registry.
const OTHER_TAGS: &[(&str, &str)] = &[
    ("summaries", "Published summaries of the feedback on an event or on the events of a tutor."),
    ("calendars", "Events for calendar programs (RFC 5545)."),
    ("changes", "The ledger of all changes, for systems that keep a copy."),
    ("sign-in", "Access tokens for people and for partner systems."),
    ("service", "The service itself."),
];

/// The document without the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kuntatutorit",
        description = include_str!("openapi.md"),
        license(name = "MIT", identifier = "MIT"),
        contact(name = "Kuntatutorit", url = "https://www.uudenmaanliitto.fi"),
    ),
    // Only parameters use these string schemas, and parameters do not add schemas to the document.
    components(schemas(Problem, EmailAddress, ExternalId, SourceName)),
    modifiers(&Tags, &Security, &ThisServer, &SharedResponses),
)]
pub struct Base;

struct Tags;

impl Modify for Tags {
    fn modify(&self, document: &mut Document) {
        let collections = COLLECTIONS.iter().map(|collection| (collection.name, collection.about));
        document.tags = Some(collections.chain(OTHER_TAGS.iter().copied()).map(tag).collect());
    }
}

fn tag((name, description): (&str, &str)) -> Tag {
    TagBuilder::new().name(name).description(Some(description)).build()
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "The access token from `POST /v1/auth/login` or `POST /v1/auth/token` (RFC9068, RFC8725).",
            ))
            .build();
        let held = SCOPES.iter().filter(|scope| can_hold(Role::Partner, scope.name));
        let scopes: Scopes = held.map(|scope| (scope.name, scope.description)).collect();
        let client_credentials = OAuth2::with_description(
            [Flow::ClientCredentials(ClientCredentials::new("/v1/auth/token", scopes))],
            "For partner systems: the OAuth 2 client credentials grant (RFC 6749, section 4.4). Its tokens follow RFC8725.",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("client_credentials", SecurityScheme::OAuth2(client_credentials));
    }
}

struct SharedResponses;

impl Modify for SharedResponses {
    fn modify(&self, document: &mut Document) {
        document.components.get_or_insert_default().responses.extend(shared_problems());
    }
}

struct ThisServer;

impl Modify for ThisServer {
    fn modify(&self, document: &mut Document) {
        // Linters require every server to say whether it is internal.
        let is_public = ExtensionsBuilder::new().add("x-internal", false).build();
        let description = "The server that returned this document: production, a test environment or a local server";
        let server = ServerBuilder::new().url("/").description(Some(description)).extensions(Some(is_public)).build();
        document.servers = Some(vec![server]);
    }
}
