//! The log holds no secrets and no personal data, even at its most detailed level.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{basic, form, login, secret_of, spellings, text};
use crate::support::{
    Server,
    client::{Answer, Client},
    databases::fresh_database,
    fixtures,
    personal_data::Words,
    process::{Service, program_on, run},
    rows::Rows,
};
use kuntatutorit::registry::COLLECTIONS;

/// The password of the coordinator.
const PASSWORD: &str = "salasanakanaria";
const BOSS: &str = "pomokanaria@example.org";

/// A service that logs as much as it can, and the words that must not be in its log.
struct Scene {
    url: String,
    service: Service,
    canaries: Vec<String>,
}

impl Scene {
    fn start() -> Self {
        let url = fresh_database();
        run(&url, &["account", "add", "--email", BOSS, "--role", "coordinator"], &format!("{PASSWORD}\n"));
        let mut serve = program_on(&url);
        // With one thread the log is in the order of the responses.
        serve.env("LOG_LEVEL", "trace").env("WORKERS", "1");
        Self { url, service: Service::start(serve), canaries: vec![BOSS.into(), PASSWORD.into()] }
    }

    /// Adds a word that must not be in the log.
    fn keep(&mut self, canary: impl Into<String>) -> String {
        let canary = canary.into();
        self.canaries.push(canary.clone());
        canary
    }

    /// Adds a secret from a response.
    #[track_caller]
    fn keep_told(&mut self, answer: &Answer, pointer: &str) -> String {
        self.keep(text(answer, pointer))
    }

    /// Signs in with this account.
    async fn signed_in(&mut self, email: &str, password: &str) -> (Client, String) {
        let session = login(&self.service.anonymous(), email, password).await.expect(200);
        let [refresh_token, token] =
            ["/refresh_token", "/access_token"].map(|pointer| self.keep_told(&session, pointer));
        (self.service.token(&token), refresh_token)
    }

    /// Returns the log up to a request that is sent now.
    async fn log(&self) -> String {
        let (began, last) = (Instant::now(), "the-last-request");
        self.service.anonymous().with("x-request-id", last).get("/livez").await.expect(200);
        loop {
            let log = self.service.log();
            if log.contains(last) {
                return log;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "the log lacks the last request: {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn assert_silent(&self, routes: &[&str]) {
        let log = self.log().await;
        for route in routes {
            assert!(log.contains(&format!("\"route\":\"{route}\"")), "the log has no request for {route}");
        }
        for canary in &self.canaries {
            for spelling in spellings(canary) {
                let line = log.lines().find(|line| line.contains(&spelling));
                assert_eq!(line, None, "the log contains {canary} as {spelling}");
            }
        }
    }
}

/// Sends invitations, right and wrong passwords, and session tokens.
#[tokio::test]
async fn the_log_holds_no_secrets_of_accounts() {
    let mut scene = Scene::start();
    let anonymous = scene.service.anonymous();
    let (coordinator, _) = scene.signed_in(BOSS, PASSWORD).await;
    let email = scene.keep("kutsuttukanaria@espoo.example");
    let new = json!({"email": email, "role": "municipality", "municipality_code": "049"});
    let invited = coordinator.post("/v1/accounts", &new).await.expect(201);
    let first = scene.keep_told(&invited, "/invitation/secret");
    coordinator.post("/v1/accounts", &new).await.expect(409);
    coordinator.get(&format!("/v1/accounts?email={email}")).await.expect(200);
    let again = format!("/v1/accounts/{}/invitation", text(&invited, "/id"));
    let second = coordinator.post(&again, &Value::Null).await.expect(201);
    let second = scene.keep_told(&second, "/secret");
    let password = scene.keep("uusikanariasalasana");
    for (invitation, status) in [(first, 401), (second.clone(), 204), (second, 401)] {
        let accept = json!({"invitation": invitation, "new_password": password});
        anonymous.post("/v1/auth/password", &accept).await.expect(status);
    }

    let wrong = scene.keep("vaarakanariasalasana");
    login(&anonymous, &email, &wrong).await.expect(401);
    login(&anonymous, &scene.keep("tuntematonkanaria@espoo.example"), &wrong).await.expect(401);
    let (member, refresh_token) = scene.signed_in(&email, &password).await;
    let newer = scene.keep("kolmaskanariasalasana");
    for (old, status) in [(&wrong, 401), (&password, 204)] {
        let change = json!({"old_password": old, "new_password": newer});
        member.post("/v1/auth/password", &change).await.expect(status);
    }
    let short = scene.keep("lyhytkana");
    member.post("/v1/auth/password", &json!({"old_password": newer, "new_password": short})).await.expect(422);
    anonymous.post("/v1/auth/refresh", &json!({"refresh_token": refresh_token})).await.expect(401);

    let (_, refresh_token) = scene.signed_in(&email, &newer).await;
    let used = json!({"refresh_token": refresh_token});
    let next = anonymous.post("/v1/auth/refresh", &used).await.expect(200);
    scene.keep_told(&next, "/access_token");
    scene.keep_told(&next, "/refresh_token");
    anonymous.post("/v1/auth/refresh", &used).await.expect(401);
    anonymous.post("/v1/auth/logout", &used).await.expect(204);
    anonymous
        .with("authorization", &format!("Bearer {}", scene.keep("kanaria.ei.token")))
        .get("/v1/me")
        .await
        .expect(401);
    scene.assert_silent(&["/v1/auth/login", "/v1/auth/password", "/v1/auth/refresh", "/v1/auth/logout"]).await;
}

/// Sends client secrets in forms and by HTTP Basic, right and wrong, and addresses of calendars.
#[tokio::test]
async fn the_log_holds_no_secrets_of_clients_and_calendar_links() {
    let mut scene = Scene::start();
    let anonymous = scene.service.anonymous();
    let (coordinator, _) = scene.signed_in(BOSS, PASSWORD).await;
    let client = json!({"name": "Kalenteri", "source": "espoo", "scopes": ["events:read", "calendar-links:write"]});
    let client = coordinator.post("/v1/clients", &client).await.expect(201);
    let (id, first) = (text(&client, "/id"), scene.keep_told(&client, "/client_secret"));
    let second = coordinator.post(&format!("/v1/clients/{id}/secrets"), &Value::Null).await.expect(201);
    let second = scene.keep_told(&second, "/client_secret");
    let wrong = scene.keep("vaarakanariasalaisuus");
    for (secret, status) in [(&first, 200), (&second, 200), (&wrong, 401)] {
        let by_form = form(&anonymous, &format!("&client_id={id}&client_secret={secret}")).await;
        let by_basic = scene.keep(basic(&id, secret));
        let by_basic = form(&anonymous.with("authorization", &format!("Basic {by_basic}")), "").await;
        for answer in [by_form, by_basic] {
            assert_eq!(answer.status, status, "{}", answer.text);
            if status == 200 {
                scene.keep_told(&answer, "/access_token");
            }
        }
    }
    form(&anonymous, &format!("&client_id={id}&client_secret={first}&client_secret={second}")).await;

    let link =
        coordinator.post("/v1/calendar-links", &json!({"name": scene.keep("Kanarian puhelin")})).await.expect(201);
    let secret = scene.keep(secret_of(&link));
    anonymous.get(&format!("/calendar/{secret}.ics")).await.expect(200);
    anonymous.get(&format!("/calendar/{}.ics", scene.keep("kanarianosoite"))).await.expect(404);
    anonymous.get(&format!("/calendar/{secret}")).await.expect(404);
    scene.assert_silent(&["/v1/auth/token", "/v1/clients/{id}/secrets", "/calendar/{secret}.ics"]).await;
}

/// A partner system and the coordinator write, change and search for personal data, and some requests are refused.
#[tokio::test]
async fn the_log_holds_no_personal_data_of_resources() {
    let mut scene = Scene::start();
    let (coordinator, _) = scene.signed_in(BOSS, PASSWORD).await;
    let scopes = "tutors:read tutors:write contacts:read events:read events:write feedback:read feedback:write";
    let client = json!({
        "name": "Kalenteri", "source": "espoo", "scopes": scopes.split(' ').collect::<Vec<_>>(), "municipality_code": "049"
    });
    let client = coordinator.post("/v1/clients", &client).await.expect(201);
    let (id, secret) = (text(&client, "/id"), scene.keep_told(&client, "/client_secret"));
    let granted = form(&scene.service.anonymous(), &format!("&client_id={id}&client_secret={secret}")).await;
    let token = scene.keep_told(&granted, "/access_token");
    let partner = scene.service.token(&token);
    // Every personal value below contains one of these words.
    for word in ["anaria", "7654321"] {
        scene.keep(word);
    }
    for writer in [&partner, &coordinator] {
        write_tutors(writer).await;
    }
    write_events(&partner, &coordinator).await;
    partner.get("/v1/tutors?q=kanariahaku").await.expect(200);
    partner.get("/v1/tutors?kanariakysely=1").await.expect(400);
    partner.get("/v1/tutors/kanaria").await.expect(404);
    partner.get("/v1/kanaria/kanaria").await.expect(404);
    scene.assert_silent(&["/v1/tutors", "/v1/tutors/{id}", "/v1/events", "/v1/feedback", "/v1/feedback/{id}"]).await;
}

/// Every collection: the coordinator writes a word into each text of its personal data, and into requests that are refused.
#[tokio::test]
async fn the_log_holds_no_personal_data_of_any_collection() {
    let mut scene = Scene::start();
    let (coordinator, _) = scene.signed_in(BOSS, PASSWORD).await;
    let rows = Rows::of(&Server::on(scene.url.clone(), &[]), "049").await;
    let mut words = Words::default();
    for collection in COLLECTIONS.iter().filter(|collection| !collection.personal.is_empty()) {
        let path = collection.path();
        let (fields, planted) = words.plant(collection, collection.personal);
        let (change, changed) = words.plant(collection, collection.personal);
        scene.canaries.extend(planted.into_iter().chain(changed).map(|word| word.text));
        let mut body = rows.body(collection, "049", "logged", &fields);
        let created = coordinator.with("idempotency-key", collection.name).post(&path, &body).await;
        assert!([201, 422].contains(&created.status), "{}", created.text);
        let key = created.body[collection.key].as_str().unwrap_or(rows.of_collection(collection.name).0);
        let row = format!("{path}/{key}");
        for etag in ["*", "\"0-full\""] {
            coordinator.if_match(etag).patch(&row, &change).await;
        }
        for (name, value) in fields.as_object().unwrap() {
            body[name] = json!({"nonsense": value});
            coordinator.get(&format!("{path}?{name}={value}")).await;
        }
        coordinator.post(&path, &body).await.expect(422);
        coordinator.if_match("*").delete(&row).await;
        scene.assert_silent(&[&*path]).await;
    }
}

async fn write_tutors(writer: &Client) {
    let mut tutor = json!({
        "name": "Kanarian Tutor", "municipality_code": "049", "perspective": {"fi": "Kanarialta katsoen."},
        "contact": {"email": "kanaria@kunta.example", "phone": "+358407654321"}
    });
    let made = writer.with("idempotency-key", "tutor").post("/v1/tutors", &tutor).await.expect(201);
    let path = format!("/v1/tutors/{}", text(&made, "/id"));
    let changed = writer.if_match(&made.etag()).patch(&path, &json!({"name": "Kanarian Toinen"})).await.expect(200);
    writer.if_match(&made.etag()).patch(&path, &json!({"name": "Kanarian Kolmas"})).await.expect(412);
    tutor["contact"]["email"] = json!("kanaria");
    writer.if_match(&changed.etag()).put(&path, &tutor).await.expect(422);
    writer.post("/v1/tutors", &json!({"name": "Kanarian Neljäs", "municipality_code": "x"})).await.expect(422);
    writer.post("/v1/tutors", &json!({"kanaria": "kanaria"})).await.expect(422);
    writer.send(Method::POST, "/v1/tutors", Some("{\"name\": \"Kanaria".into())).await.expect(400);
    writer.if_match("*").delete(&path).await.expect(204);
}

async fn write_events(partner: &Client, coordinator: &Client) {
    let mut event = fixtures::event_body("049", "draft");
    (event["external_id"], event["online_url"]) = (json!("kanaria-1"), json!("https://kanaria.example/"));
    event["venue"] = json!({"name": {"fi": "Kanarian talo"}, "address": "Kanariankatu 1"});
    let event = partner.post("/v1/events", &event).await.expect(201);
    let path = format!("/v1/events/{}", text(&event, "/id"));
    coordinator.if_match("*").patch(&path, &json!({"status": "published"})).await.expect(200);
    partner.get("/v1/events?source=espoo&external_id=kanaria-1").await.expect(200);
    let feedback = json!({
        "event_id": event.body["id"], "direction": "participant_to_tutor", "municipality_code": "049",
        "respondent": "kanaria-2", "external_id": "kanaria-3", "comment": "Kanarian kommentti"
    });
    let given = partner.post("/v1/feedback", &feedback).await.expect(201);
    partner.post("/v1/feedback", &feedback).await.expect(409);
    let path = format!("/v1/feedback/{}", text(&given, "/id"));
    partner.if_match(&given.etag()).patch(&path, &json!({"comment": "Kanarian toinen"})).await.expect(200);
    partner.if_match("*").patch(&path, &json!({"respondent": "kanaria-4"})).await.expect(422);
    partner.get("/v1/feedback?source=espoo&external_id=kanaria-3").await.expect(200);
}
