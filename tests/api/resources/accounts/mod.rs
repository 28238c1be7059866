//! Accounts: the coordinator invites, changes and disables people.

mod coordinators;
mod invitations;
mod operations;
mod passwords;

use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
};

/// The body of a new account of Espoo.
fn espoo_account() -> Value {
    json!({
        "email": "digituki@espoo.example", "role": "municipality", "municipality_code": "049", "tutor_id": null,
        "disabled": false
    })
}

/// Invites a person, and returns the path of the account and the invitation.
async fn invite(server: &Server, new: &Value) -> (String, String) {
    let invited = server.coordinator().post("/v1/accounts", new).await.expect(201);
    let path = format!("/v1/accounts/{}", invited.body["id"].as_str().unwrap());
    (path, invited.body["invitation"]["secret"].as_str().unwrap().to_owned())
}

async fn accept(client: &Client, invitation: &str, password: &str) -> Answer {
    client.post("/v1/auth/password", &json!({"invitation": invitation, "new_password": password})).await
}

async fn login(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/v1/auth/login", &json!({"email": email, "password": password})).await
}

/// Changes these fields with the current version.
async fn change(server: &Server, path: &str, fields: &Value) -> Answer {
    let coordinator = server.coordinator();
    coordinator.if_match(&coordinator.get(path).await.expect(200).etag()).patch(path, fields).await
}
