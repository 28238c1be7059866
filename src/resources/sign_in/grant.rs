//! What an access token says of an account or a client.

use crate::{
    auth::{reach::Role, scopes, tokens::Grant},
    config::Config,
    resources::{accounts::model::Account, clients::model::Client},
};

/// What a token says of this account: its role's scopes.
pub fn of_account(account: &Account, config: &Config) -> Grant {
    Grant {
        sub: account.id.to_string(),
        client_id: config.public_url.clone(),
        scope: scopes::of_role(account.role).collect::<Vec<_>>().join(" "),
        role: account.role.as_str().to_owned(),
        municipality: account.municipality_code.clone(),
        tutor: account.tutor_id,
        source: None,
    }
}

/// What a token says of this client, with these of its scopes.
pub fn of_client(client: &Client, scope: String) -> Grant {
    Grant {
        sub: client.id.to_string(),
        client_id: client.id.to_string(),
        scope,
        role: Role::Partner.as_str().to_owned(),
        municipality: client.municipality_code.clone(),
        tutor: None,
        source: Some(client.source.clone()),
    }
}
