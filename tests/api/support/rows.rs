//! A row of one municipality in every collection, and the way to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Server;

/// What no row has.
pub(crate) const ID: &str = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e";

/// A row in every collection, with what its writer sees of it.
pub(crate) struct Rows(BTreeMap<&'static str, (String, Value)>);

impl Rows {
    /// New rows of this municipality.
    pub(crate) async fn of(server: &Server, code: &str) -> Self {
        let coordinator = server.coordinator();
        let tutor = server.create_tutor(code).await;
        let event = server.create_event(code).await;
        let feedback = server.create_feedback(&event, code).await;
        let account =
            server.sign_in_new_account(&format!("k{code}@kunta.example"), json!({"municipality_code": code})).await;
        let made = |answer: super::client::Answer| answer.expect(201).body["id"].as_str().unwrap().to_owned();
        let link = json!({"name": "Puhelin", "municipality_code": code});
        let link = made(account.post("/v1/calendar-links", &link).await);
        let account =
            json!({"email": format!("d{code}@kunta.example"), "role": "municipality", "municipality_code": code});
        let account = made(coordinator.post("/v1/accounts", &account).await);
        let client = json!({
            "name": "Kalenteri", "source": format!("calendar-{code}"), "scopes": ["events:read"], "municipality_code": code
        });
        let client = made(coordinator.post("/v1/clients", &client).await);
        let mut rows = BTreeMap::new();
        for (collection, key) in [
            ("/v1/municipalities", code.to_owned()),
            ("/v1/themes", "training".to_owned()),
            ("/v1/tutors", tutor),
            ("/v1/events", event),
            ("/v1/feedback", feedback),
            ("/v1/calendar-links", link),
            ("/v1/accounts", account),
            ("/v1/clients", client),
        ] {
            let body = coordinator.get(&format!("{collection}/{key}")).await.expect(200).body;
            rows.insert(collection, (key, body));
        }
        Self(rows)
    }

    /// The collection, the key and the body of the row that an operation at this path is about.
    pub(crate) fn row<'a>(&'a self, path: &'a str) -> (&'a str, &'a str, &'a Value) {
        let collection = path.split("/{").next().unwrap();
        let (key, body) = self.0.get(collection).unwrap_or_else(|| panic!("no row for {path}"));
        (collection, key, body)
    }

    /// The path of an operation on the row that it is about.
    pub(crate) fn path(&self, path: &str) -> String {
        if !path.contains('{') {
            return path.to_owned();
        }
        if path.contains("{secret}") {
            return path.replace("{secret}", "Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ");
        }
        let (_, key, body) = self.row(path);
        let path = path.replace("{code}", key).replace("{slug}", key).replace("{id}", key);
        let path = path.replace("{secret_id}", body["secrets"][0]["id"].as_str().unwrap_or_default());
        assert!(!path.contains('{'), "no way to {path}");
        path
    }
}
