//! The shapes of an account.

use chrono::{DateTime, Utc};
use diesel::{dsl::IsNotNull, prelude::*};
use garde::Validate;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    db::sql_functions::clock_timestamp,
    domain::{EmailAddress, MunicipalityCode, Role, words::column_words},
    http::{Body, Filter, MergePatch, Resource, examples},
    schema::accounts,
};

column_words! {
    /// The role of a person in the network.
    pub enum AccountRole {
        /// The person runs the programme.
        Coordinator = "coordinator",
        /// The person acts for a municipality.
        Municipality = "municipality",
        /// The person is a tutor.
        Tutor = "tutor",
    }
}

impl From<AccountRole> for Role {
    fn from(role: AccountRole) -> Self {
        match role {
            AccountRole::Coordinator => Self::Coordinator,
            AccountRole::Municipality => Self::Municipality,
            AccountRole::Tutor => Self::Tutor,
        }
    }
}

/// The fields of an account that callers write.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = accounts, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "email": "digituki@kunta.example", "role": "municipality", "municipality_code": "049", "tutor_id": null,
    "disabled": false
}))]
pub struct AccountInput {
    /// The e-mail address that the person signs in with. The service stores it in lower case.
    #[serde(deserialize_with = "lower_case")]
    #[garde(dive)]
    pub email: EmailAddress,
    /// The role of the person in the network.
    #[garde(custom(role_binding(self.municipality_code.is_some(), self.tutor_id.is_some())))]
    pub role: AccountRole,
    /// The code of the municipality that the account acts for. A coordinator has none.
    #[garde(dive)]
    pub municipality_code: Option<MunicipalityCode>,
    /// The id of the tutor that the account belongs to, a tutor of that municipality. Other roles have none. When the tutor
    /// moves to another municipality, the account follows.
    #[garde(skip)]
    pub tutor_id: Option<Uuid>,
    /// Whether the account is disabled. Disabling it ends its sessions and its invitation, and the service refuses its
    /// access tokens.
    #[serde(default)]
    #[garde(skip)]
    pub disabled: bool,
}

/// Reads an e-mail address in any case.
fn lower_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EmailAddress, D::Error> {
    String::deserialize(deserializer).map(|email| normalize_email(&email).into())
}

/// Returns an e-mail address as the service stores it.
pub fn normalize_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Checks that the account has a municipality and a tutor if its role needs them, and only then.
fn role_binding(municipality: bool, tutor: bool) -> impl FnOnce(&AccountRole, &()) -> garde::Result {
    move |role, ()| {
        let expected = match role {
            AccountRole::Coordinator => (false, false),
            AccountRole::Municipality => (true, false),
            AccountRole::Tutor => (true, true),
        };
        if (municipality, tutor) == expected {
            return Ok(());
        }
        Err(garde::Error::new(
            "accounts_role_binding|must match municipality_code and tutor_id: a coordinator has neither, a municipality \
             has a municipality_code, a tutor has both",
        ))
    }
}

/// A merge patch of an account.
pub type AccountPatch = MergePatch<AccountInput>;

impl Body for AccountInput {
    const SET_BY_SERVICE: &'static [&'static str] =
        &["id", "has_password", "invitation", "version", "created_at", "updated_at"];
}

/// An account.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = accounts)]
#[schema(example = json!(examples::stored::<AccountInput>(&serde_json::json!({
    "id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "has_password": true
}))))]
pub struct Account {
    /// A UUID of version 7.
    pub id: Uuid,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: AccountInput,
    /// Whether the account has a password. Without one, the person needs an invitation to set it.
    #[diesel(select_expression = accounts::password_hash.is_not_null())]
    #[diesel(select_expression_type = IsNotNull<accounts::password_hash>)]
    pub has_password: bool,
    /// The version. Every write changes it.
    #[schema(example = 42)]
    pub version: i64,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
    /// When the account was last written.
    pub updated_at: DateTime<Utc>,
}

impl Resource for Account {
    const COLLECTION: &'static str = "/v1/accounts";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }
}

/// An account with the data that signing in needs.
#[derive(HasQuery)]
#[diesel(table_name = accounts)]
pub struct Credentials {
    #[diesel(embed)]
    pub account: Account,
    /// The argon2id hash of the password in PHC form; none until a password is set.
    pub password_hash: Option<String>,
    /// The last time that the rights of the account changed. The service refuses access tokens that were issued before.
    pub access_changed_at: Option<DateTime<Utc>>,
    /// When the row was read, by PostgreSQL's clock.
    #[diesel(select_expression = clock_timestamp())]
    pub read_at: DateTime<Utc>,
}

/// An invitation to set a password.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "secret": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ", "expires_at": "2026-12-01T08:00:00Z"
}))]
pub struct Invitation {
    /// The one-time secret to hand over. Only this response has it.
    pub secret: String,
    /// When the invitation expires.
    pub expires_at: DateTime<Utc>,
}

/// A new account with its invitation.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!(examples::example_with::<Account>(&serde_json::json!({
    "has_password": false, "invitation": examples::example_of::<Invitation>()
}))))]
pub struct InvitedAccount {
    #[serde(flatten)]
    pub account: Account,
    /// The invitation with which the person sets a password.
    pub invitation: Invitation,
}

impl Resource for InvitedAccount {
    const COLLECTION: &'static str = Account::COLLECTION;

    fn key(&self) -> String {
        self.account.key()
    }

    fn version(&self) -> i64 {
        self.account.version
    }
}

/// The filters of a list of accounts. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AccountFilter {
    /// The role.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub role: Vec<AccountRole>,
    /// The code of the municipality that the account acts for.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// The id of the tutor whose account it is.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub tutor: Vec<Uuid>,
    /// The e-mail address, in any case.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub email: Vec<EmailAddress>,
    /// Whether the account is disabled.
    #[garde(skip)]
    pub disabled: Option<bool>,
}

impl Filter for AccountFilter {}
