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
    /// What a person is to the network.
    pub enum AccountRole {
        /// Runs the programme.
        Coordinator = "coordinator",
        /// Acts for a municipality.
        Municipality = "municipality",
        /// Is a tutor.
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

/// The fields of an account that are written.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = accounts, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "email": "digituki@kunta.example", "role": "municipality", "municipality_code": "049", "tutor_id": null,
    "disabled": false
}))]
pub struct AccountInput {
    /// What the person signs in with; personal data, kept in lower case.
    #[serde(deserialize_with = "lower_case")]
    #[garde(dive)]
    pub email: EmailAddress,
    /// What the person is to the network.
    #[garde(custom(bound(self.municipality_code.is_some(), self.tutor_id.is_some())))]
    pub role: AccountRole,
    /// The code of the municipality that the account acts for; a coordinator has none.
    #[garde(dive)]
    pub municipality_code: Option<MunicipalityCode>,
    /// The id of the tutor that the person is, of that municipality; only a tutor has one. The account moves with the
    /// tutor to another municipality.
    #[garde(skip)]
    pub tutor_id: Option<Uuid>,
    /// Whether the account is refused everywhere; its sessions and its invitation end.
    #[serde(default)]
    #[garde(skip)]
    pub disabled: bool,
}

/// An e-mail address is the same in any case.
fn lower_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EmailAddress, D::Error> {
    String::deserialize(deserializer).map(|email| normal(&email).into())
}

/// An e-mail address as it is stored.
pub(super) fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

fn bound(municipality: bool, tutor: bool) -> impl FnOnce(&AccountRole, &()) -> garde::Result {
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
            "accounts_role_binding|a coordinator has no municipality and no tutor, a municipality account has a \
             municipality, a tutor account both",
        ))
    }
}

/// What may change of it.
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
    /// A UUID of version 7: made later, it sorts later.
    pub id: Uuid,
    /// What is written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: AccountInput,
    /// Whether a password has been set; until then, only an invitation opens it.
    #[diesel(select_expression = accounts::password_hash.is_not_null())]
    #[diesel(select_expression_type = IsNotNull<accounts::password_hash>)]
    pub has_password: bool,
    /// Another one after every write.
    #[schema(example = 42)]
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
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

/// An account with what signing in looks at.
#[derive(HasQuery)]
#[diesel(table_name = accounts)]
pub struct Credentials {
    /// Whose they are.
    #[diesel(embed)]
    pub account: Account,
    /// argon2id, in PHC form; none until a password is set.
    pub password_hash: Option<String>,
    /// Access tokens issued before this are refused.
    pub access_changed_at: Option<DateTime<Utc>>,
    /// When this was read, by PostgreSQL's clock.
    #[diesel(select_expression = clock_timestamp())]
    pub read_at: DateTime<Utc>,
}

/// A one-time secret to set a password with.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "secret": "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ", "expires_at": "2026-12-01T08:00:00Z"
}))]
pub struct Invitation {
    /// Hand it over in person; it is told this once.
    pub secret: String,
    /// Until when it can be used, once.
    pub expires_at: DateTime<Utc>,
}

/// A new account with its invitation.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!(examples::example_with::<Account>(&serde_json::json!({
    "has_password": false, "invitation": examples::example_of::<Invitation>()
}))))]
pub struct InvitedAccount {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// What its password is set with; told this once.
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

/// Which accounts; by id, the oldest first.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AccountFilter {
    /// What they are to the network; repeat it for any of several.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub role: Vec<AccountRole>,
    /// The code of the municipality that they act for; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// Their e-mail address, in any case; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub email: Vec<EmailAddress>,
    /// Whether they are disabled.
    #[garde(skip)]
    pub disabled: Option<bool>,
}

impl Filter for AccountFilter {}
