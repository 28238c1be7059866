//! The attacks. Each goes on until it is stopped, and counts what it has sent.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet, time::sleep};

use crate::support::{client::Client, process::Service};

/// The pause between two pieces of a slow request.
const DRIBBLE: Duration = Duration::from_millis(50);

/// Attacks that run.
pub(super) struct Attacks {
    tasks: JoinSet<()>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    ends: AtomicBool,
    sent: Mutex<BTreeMap<&'static str, usize>>,
}

impl State {
    fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::Relaxed)
    }

    fn count(&self, what: &'static str) {
        *self.sent.lock().unwrap().entry(what).or_default() += 1;
    }
}

/// The kinds of attacks.
#[derive(Clone, Copy)]
enum Attack {
    WrongLogins,
    RandomRefreshTokens,
    AboveTheRateLimit,
    SlowHeads,
    SlowBodies,
    NeverReading,
    HugeQueries,
    LongPolls,
    HeavySearches,
    JsonBombs,
}

const ALL: [Attack; 10] = [
    Attack::WrongLogins,
    Attack::RandomRefreshTokens,
    Attack::AboveTheRateLimit,
    Attack::SlowHeads,
    Attack::SlowBodies,
    Attack::NeverReading,
    Attack::HugeQueries,
    Attack::LongPolls,
    Attack::HeavySearches,
    Attack::JsonBombs,
];

/// An attacker: an address, and a token of an account.
#[derive(Clone)]
struct Attacker {
    address: String,
    stranger: Client,
    member: Client,
}

impl Attacks {
    /// Starts each attack from this many connections. Each has an address and an account of its own.
    pub(super) fn start(service: &Service, connections: usize, token: impl Fn() -> String) -> Self {
        let (mut tasks, state) = (JoinSet::new(), Arc::<State>::default());
        for (n, attack) in (0..connections).flat_map(|_| ALL).enumerate() {
            let from = format!("203.0.{}.{}", 100 + n / 250, n % 250 + 1);
            let attacker = Attacker {
                address: service.address().to_owned(),
                stranger: service.anonymous().with("x-forwarded-for", &from),
                member: service.token(&token()).with("x-forwarded-for", &from),
            };
            let state = Arc::clone(&state);
            tasks.spawn(async move {
                for round in 0.. {
                    if !state.goes_on() {
                        break;
                    }
                    attacker.attack(attack, round, &state).await;
                }
            });
        }
        Self { tasks, state }
    }

    /// Ends the attacks. Returns how many requests each kind has sent.
    pub(super) fn stop(mut self) -> BTreeMap<&'static str, usize> {
        self.state.ends.store(true, Ordering::Relaxed);
        self.tasks.abort_all();
        std::mem::take(&mut *self.state.sent.lock().unwrap())
    }
}

impl Attacker {
    async fn attack(&self, attack: Attack, round: usize, state: &State) {
        match attack {
            Attack::WrongLogins => {
                let guess = json!({"email": format!("honest{}@kunta.example", round % 4), "password": "guess"});
                self.send(&self.stranger, "/v1/auth/login", guess.to_string(), state, "wrong logins").await;
            }
            Attack::RandomRefreshTokens => {
                let guess = json!({"refresh_token": format!("{round:043}")}).to_string();
                self.send(&self.stranger, "/v1/auth/refresh", guess, state, "random refresh tokens").await;
            }
            Attack::AboveTheRateLimit => self.get("/v1/events?limit=1", state, "above the rate limit").await,
            Attack::HugeQueries => {
                let query: Vec<_> = (0..390).map(|n| format!("starts_after=aaaaaaaaaaaaaaaaaaaaaaaa{n}")).collect();
                self.get(&format!("/v1/events?{}", query.join("&")), state, "huge queries").await;
            }
            Attack::LongPolls => self.get("/v1/changes?from=now&wait=30", state, "long polls").await,
            Attack::HeavySearches => {
                let query = "tapahtuma+event+tutor+digi+tuki+kurssi+".repeat(4);
                self.get(&format!("/v1/events?limit=100&q={query}"), state, "heavy searches").await;
            }
            Attack::JsonBombs => {
                let bombs = [
                    "[".repeat(100_000),
                    format!("{{{}}}", (0..20_000).map(|n| format!("\"f{n}\":1")).collect::<Vec<_>>().join(",")),
                    json!({"tutors": vec!["x"; 20_000]}).to_string(),
                ];
                self.send(&self.member, "/v1/events", bombs[round % 3].clone(), state, "JSON bombs").await;
            }
            Attack::SlowHeads => {
                self.dribble("GET /v1/events HTTP/1.1\r\nhost: x\r\nx-slow: ", state, "slow heads").await;
            }
            Attack::SlowBodies => {
                let token = self.member.token.as_ref().unwrap();
                let head = format!(
                    "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
                     content-type: application/json\r\ncontent-length: 200000\r\n\r\n"
                );
                self.dribble(&head, state, "slow bodies").await;
            }
            Attack::NeverReading => self.never_read(state).await,
        }
    }

    async fn send(&self, client: &Client, path: &str, body: String, state: &State, what: &'static str) {
        state.count(what);
        // The service may cut an attacker.
        let _ = client.attempt(Method::POST, path, Some(body.into_bytes())).await;
    }

    async fn get(&self, path: &str, state: &State, what: &'static str) {
        state.count(what);
        let _ = self.member.attempt(Method::GET, path, None).await;
    }

    /// Sends a request, and then one byte after the other.
    async fn dribble(&self, begin: &str, state: &State, what: &'static str) {
        let Ok(mut stream) = TcpStream::connect(&self.address).await else { return sleep(DRIBBLE).await };
        state.count(what);
        if stream.write_all(begin.as_bytes()).await.is_err() {
            return;
        }
        while state.goes_on() && stream.write_all(b"x").await.is_ok() {
            sleep(DRIBBLE).await;
        }
    }

    /// Requests long answers and reads none.
    async fn never_read(&self, state: &State) {
        let Ok(mut stream) = TcpStream::connect(&self.address).await else { return sleep(DRIBBLE).await };
        let token = self.member.token.as_ref().unwrap();
        let request = format!("GET /v1/events?limit=100 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
        let document = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(8);
        for part in [document, request.repeat(8)] {
            state.count("never reading");
            if stream.write_all(part.as_bytes()).await.is_err() {
                return;
            }
        }
        while state.goes_on() && stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    }
}
