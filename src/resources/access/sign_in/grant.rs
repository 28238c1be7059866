//! The content of access tokens.

use crate::{
    auth::{scopes, tokens::claims::Grant},
    config::Config,
    domain::Role,
    resources::access::{
        accounts::model::{Account, AccountInput},
        clients::model::StoredClient,
    },
};

/// Returns the content of a token for this account, with all scopes of its role.
pub fn grant_of_account(account: &Account, config: &Config) -> Grant {
    let AccountInput { role, municipality_code, tutor_id, .. } = &account.fields;
    Grant {
        sub: account.id.to_string(),
        client_id: config.public_url.clone(),
        scope: scopes::of_role((*role).into()).collect::<Vec<_>>().join(" "),
        role: role.as_str().to_owned(),
        municipality: municipality_code.clone(),
        tutor: *tutor_id,
        source: None,
    }
}

/// Returns the content of a token for this client, with these scopes.
pub(super) fn grant_of_client(client: &StoredClient, scope: String) -> Grant {
    Grant {
        sub: client.id.to_string(),
        client_id: client.id.to_string(),
        scope,
        role: Role::Partner.as_str().to_owned(),
        municipality: client.fields.municipality_code.clone(),
        tutor: None,
        source: Some(client.fields.source.clone()),
    }
}
