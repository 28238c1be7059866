//! Honest callers: each does what front ends and partner systems do, and knows the right answer to each request.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use super::Latencies;
use crate::support::{
    Server,
    client::{Answer, Client},
    fixtures::{self, PASSWORD, insert_account},
    process::Service,
};

/// The municipalities of the honest callers.
const CODES: [&str; 4] = ["049", "091", "092", "186"];
/// The time between two requests of a caller.
const PAUSE: Duration = Duration::from_millis(10);

/// An honest caller.
pub(super) struct Honest {
    code: &'static str,
    email: String,
    client: Client,
    anonymous: Client,
    event: String,
}

impl Honest {
    /// Returns callers that have signed in from their addresses.
    pub(super) async fn all(server: &Server, service: &Service) -> Vec<Self> {
        let mut callers = Vec::new();
        for (n, code) in CODES.into_iter().enumerate() {
            let email = format!("honest{n}@kunta.example");
            insert_account(server, &email, json!({"municipality_code": code})).await;
            let anonymous = service.anonymous().with("x-forwarded-for", &format!("198.51.{n}.9"));
            let login =
                anonymous.post("/v1/auth/login", &json!({"email": email, "password": PASSWORD})).await.expect(200);
            let token = login.body["access_token"].as_str().unwrap();
            let client = service.token(token).with("x-forwarded-for", &format!("198.51.{n}.9"));
            let event = server.create_event(code).await;
            callers.push(Self { code, email, client, anonymous, event });
        }
        callers
    }

    /// Sends a request and checks its answer.
    async fn request(&self, round: usize) {
        let Self { code, email, client, anonymous, event } = self;
        match round % 9 {
            0 => {
                let own = client.get(&format!("/v1/municipalities/{code}")).await.expect(200);
                assert_eq!(own.body["code"], *code);
            }
            1 => {
                let page = client.get("/v1/events?limit=20&sort=-starts_at").await.expect(200);
                assert!(page.column("id").len() >= CODES.len());
            }
            2 => {
                let change = json!({"support_since": 2000 + round % 20});
                let path = format!("/v1/municipalities/{code}");
                let changed = client.if_match("*").patch(&path, &change).await.expect(200);
                assert_eq!(changed.body["support_since"], change["support_since"]);
            }
            3 => {
                let found = client.get(&format!("/v1/events/{event}")).await.expect(200);
                assert_eq!(found.body["id"], **event);
            }
            4 => {
                let calendar = client.get(&format!("/v1/municipalities/{code}/events.ics")).await.expect(200);
                assert!(calendar.text.contains(event.as_str()));
            }
            5 => {
                let created = client.post("/v1/events", &fixtures::event_body(code, "draft")).await.expect(201);
                assert_eq!(created.body["host_municipality_code"], *code);
            }
            6 => drop(client.get("/v1/changes?resource=events&from=now").await.expect(200)),
            7 => {
                let found = client.get("/v1/events?q=Tapahtuma&limit=5").await.expect(200);
                assert!(found.column("id").len() >= CODES.len());
            }
            _ => self.refused(email, anonymous).await,
        }
    }

    /// Sends a request that must be refused, also during an attack.
    async fn refused(&self, email: &str, anonymous: &Client) {
        drop(anonymous.get("/v1/events").await.expect_problem(401, "unauthenticated"));
        let answer: Answer = self.client.post("/v1/accounts", &json!({"email": email})).await;
        answer.expect_problem(403, "missing_scope");
    }

    /// Signs in once more.
    pub(super) async fn sign_in(&self) {
        let login = json!({"email": self.email, "password": PASSWORD});
        self.anonymous.post("/v1/auth/login", &login).await.expect(200);
    }
}

/// Lets each caller send this many requests. Each answer must be right.
pub(super) async fn measure(callers: &[Honest], rounds: usize) -> Latencies {
    let durations = join_all(callers.iter().map(async |caller| {
        let mut durations = Vec::new();
        for round in 0..rounds {
            let began = Instant::now();
            caller.request(round).await;
            durations.push(began.elapsed());
            sleep(PAUSE).await;
        }
        durations
    }));
    Latencies::of(durations.await.into_iter().flatten().collect())
}
