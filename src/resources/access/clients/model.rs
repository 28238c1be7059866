//! The shapes of a client.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use uuid::Uuid;

use crate::{
    auth::scopes,
    domain::{MunicipalityCode, Role, SourceName, ThemeSlug, names::OWN_SOURCE, rules},
    http::{Body, Filter, MergePatch, Resource, examples},
    schema::{client_secrets, clients},
};

/// The fields of a client that callers write.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = clients, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "name": "Espoon tapahtumakalenteri", "source": "espoo-calendar", "scopes": ["events:read", "events:write"],
    "municipality_code": "049", "disabled": false
}))]
pub struct ClientInput {
    /// The name of the partner system.
    #[garde(length(chars, max = 200), custom(rules::not_blank))]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// The `source` of everything that the client creates: lower-case letters, digits and single hyphens. It never changes.
    #[garde(custom(partner_source))]
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    pub source: String,
    /// The scopes that the client can request, each once.
    #[garde(length(min = 1, max = 50), custom(rules::distinct), inner(custom(partner_scope)))]
    #[schema(value_type = BTreeSet<PartnerScope>, min_items = 1, max_items = 50)]
    pub scopes: Vec<String>,
    /// The code of the municipality that the client writes for; null for the whole region.
    #[garde(dive)]
    pub municipality_code: Option<MunicipalityCode>,
    /// Whether the client is disabled. The service then refuses its secrets and its access tokens.
    #[serde(default)]
    #[garde(skip)]
    pub disabled: bool,
}

/// Checks the form of a source, and that it is not the source of the service itself.
fn partner_source(text: &str, _: &()) -> garde::Result {
    if text.len() <= 50 && text != OWN_SOURCE && ThemeSlug::from(text).validate().is_ok() {
        return Ok(());
    }
    Err(garde::Error::new(
        "clients_source_format|must be lower-case letters, digits and single hyphens, at most 50 characters, and not \
         kuntatutorit",
    ))
}

/// The name of a scope that a partner system can hold.
#[derive(Debug)]
pub struct PartnerScope;

impl PartialSchema for PartnerScope {
    fn schema() -> RefOr<Schema> {
        let text = "The name of a scope that a partner system can hold.";
        let names = ObjectBuilder::new().schema_type(Type::String).description(Some(text));
        names.enum_values(Some(scopes::of_role(Role::Partner))).into()
    }
}

impl ToSchema for PartnerScope {}

fn partner_scope(name: &str, _: &()) -> garde::Result {
    if scopes::can_hold(Role::Partner, name) {
        return Ok(());
    }
    let known = scopes::of_role(Role::Partner).collect::<Vec<_>>().join(", ");
    Err(garde::Error::new(format!("unknown_scope|must be a scope that a partner system can hold: {known}")))
}

/// A merge patch of a client.
pub type ClientPatch = MergePatch<ClientInput>;

impl Body for ClientInput {
    const SET_BY_SERVICE: &'static [&'static str] =
        &["id", "secrets", "client_secret", "version", "created_at", "updated_at"];
}

/// A client as stored.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = clients)]
pub struct StoredClient {
    /// The OAuth `client_id`.
    pub id: Uuid,
    #[diesel(embed)]
    pub fields: ClientInput,
    /// The last time that the rights of the client changed. The service refuses access tokens that were issued before.
    pub access_changed_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The id and the creation time of a secret, without the secret itself.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = client_secrets)]
pub struct SecretInfo {
    /// The id of the secret, with which you can delete it.
    pub id: Uuid,
    /// When the secret was created.
    pub created_at: DateTime<Utc>,
}

/// A client: a partner system.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PartnerClient, example = json!(examples::stored::<ClientInput>(&serde_json::json!({
    "id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e",
    "secrets": [{"id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3f", "created_at": "2026-11-24T08:00:00Z"}]
}))))]
pub struct Client {
    /// The OAuth `client_id`: a UUID of version 7.
    pub id: Uuid,
    #[serde(flatten)]
    pub fields: ClientInput,
    /// The ids of the secrets of the client, the oldest first.
    #[schema(max_items = 2)]
    pub secrets: Vec<SecretInfo>,
    /// The version. Every write of the client or of its secrets changes it.
    #[schema(example = 42)]
    pub version: i64,
    /// When the client was created.
    pub created_at: DateTime<Utc>,
    /// When the client was last written.
    pub updated_at: DateTime<Utc>,
}

impl StoredClient {
    /// Returns the client with these secrets.
    pub(super) fn with_secrets(self, secrets: Vec<SecretInfo>) -> Client {
        let Self { id, fields, version, created_at, updated_at, .. } = self;
        Client { id, fields, secrets, version, created_at, updated_at }
    }
}

impl Resource for Client {
    const COLLECTION: &'static str = "/v1/clients";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }
}

/// A new client with its first secret.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!(examples::example_with::<Client>(&serde_json::json!({
    "client_secret": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ"
}))))]
pub struct CreatedClient {
    #[serde(flatten)]
    pub client: Client,
    /// The first secret of the client. Only this response has it.
    #[schema(example = "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ")]
    pub client_secret: String,
}

impl Resource for CreatedClient {
    const COLLECTION: &'static str = Client::COLLECTION;

    fn key(&self) -> String {
        self.client.key()
    }

    fn version(&self) -> i64 {
        self.client.version
    }
}

/// A new secret of a client.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3f", "created_at": "2026-11-24T08:00:00Z",
    "client_secret": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ"
}))]
pub struct NewSecret {
    #[serde(flatten)]
    pub info: SecretInfo,
    /// The secret. Only this response has it.
    #[schema(example = "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ")]
    pub client_secret: String,
}

/// The filters of a list of clients. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ClientFilter {
    /// The source of what the client creates.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub source: Vec<SourceName>,
    /// The code of the municipality that the client writes for.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// Whether the client is disabled.
    #[garde(skip)]
    pub disabled: Option<bool>,
}

impl Filter for ClientFilter {}
