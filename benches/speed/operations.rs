//! The operations that are measured: their requests to the service and to the floor.

use std::fmt::Write as _;

use kuntatutorit::{
    auth::{
        scopes,
        tokens::{access_tokens::Tokens, claims::Grant},
    },
    domain::Role,
};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::load::{Request, quoted, script};

/// The most different rows that a script requests.
const DIFFERENT: i64 = 1000;
/// The municipality that reads, and that hosts the events that are written.
const HOST: &str = "049";

/// The server that gets the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Service,
    Floor,
}

/// An operation that is measured.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// True when the floor has the operation too.
    pub(crate) has_floor: bool,
    /// Returns the script of wrk.
    pub(crate) script: fn(&Inputs, Side) -> String,
}

/// The inputs of the scripts.
pub(crate) struct Inputs {
    pub(crate) tokens: Tokens,
    pub(crate) events: Vec<String>,
    pub(crate) tutors: Vec<String>,
    pub(crate) recent: Vec<String>,
    pub(crate) summarized: Vec<String>,
    pub(crate) codes: Vec<String>,
    pub(crate) thousandth: Vec<Thousandth>,
    pub(crate) moments: Vec<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) hosted: Vec<(String, String, String)>,
    pub(crate) thousands: u32,
    pub(crate) credentials: (String, String),
    pub(crate) account: (String, String),
    /// A different number for each script, so that no key is repeated.
    pub(crate) run: u64,
}

/// The beginning of the 1,000th page of a kind of event, for the service (`cursor`) and for the floor (`after`,
/// `last`).
pub(crate) struct Thousandth {
    pub(crate) kind: &'static str,
    pub(crate) cursor: String,
    pub(crate) after: String,
    pub(crate) last: String,
}

impl Inputs {
    pub(crate) fn reader(&self) -> String {
        self.token(Role::Municipality, Some(HOST), None)
    }

    pub(crate) fn coordinator(&self) -> String {
        self.token(Role::Coordinator, None, None)
    }

    /// A partner system for the whole region.
    pub(crate) fn partner(&self) -> String {
        self.token(Role::Partner, None, Some("bench"))
    }

    fn token(&self, role: Role, municipality: Option<&str>, source: Option<&str>) -> String {
        let scope = match role {
            Role::Partner => "events:read events:write feedback:read feedback:write".to_owned(),
            _ => scopes::of_role(role).collect::<Vec<_>>().join(" "),
        };
        let grant = Grant {
            sub: Uuid::now_v7().to_string(),
            client_id: "bench".into(),
            scope,
            role: role.as_str().into(),
            municipality: municipality.map(Into::into),
            tutor: None,
            source: source.map(Into::into),
        };
        self.tokens.issue(&grant, chrono::Utc::now()).unwrap()
    }

    fn gets(&self, paths: impl Iterator<Item = String>) -> String {
        let token = self.reader();
        script(self.run, &paths.map(|path| Request::get(path, &token)).collect::<Vec<_>>())
    }

    /// Reads the current ETags of the events, and begins a new run.
    pub(crate) async fn refresh(&mut self, client: &Client) {
        self.run += 1;
        let sql = "select id::text, version::text from events where host_municipality_code = $1 and status <> 'draft' \
                   order by id limit $2";
        let rows = client.query(sql, &[&HOST, &DIFFERENT]).await.unwrap();
        self.tags = rows.iter().map(|row| (row.get(0), format!("\"{}-full\"", row.get::<_, String>(1)))).collect();
    }
}

/// Returns the first column of the rows, as text.
pub(crate) async fn texts(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Returns keys that are spread over the whole table.
pub(crate) async fn spread(client: &Client, table: &str, condition: &str) -> Vec<String> {
    let sql = format!("select id::text from {table} where {condition} order by md5(id::text) limit {DIFFERENT}");
    texts(client, &sql).await
}

/// Returns times at which events start, in random order.
pub(crate) async fn moments(client: &Client) -> Vec<String> {
    let sql = "select to_char(starts_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from events where kind = 'webinar' group by starts_at \
               order by md5(starts_at::text) limit 10000";
    texts(client, sql).await
}

/// Returns events of the host with their ETags and the bodies that replace them: what was read is sent back.
pub(crate) async fn bodies(http: &reqwest::Client, url: &str, token: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    while found.len() < usize::try_from(DIFFERENT).unwrap() {
        let page = format!("{url}/v1/events?municipality={HOST}&limit=100{cursor}");
        let page: Value = http.get(page).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        for event in page["items"].as_array().unwrap().iter().filter(|event| event["status"] != "draft") {
            let mut body = event.clone();
            body["capacity"] = json!("@CAPACITY@");
            let id = event["id"].as_str().unwrap().to_owned();
            let tag = format!("\"{}-full\"", event["version"]);
            found.push((id, tag, body.to_string().replace("\"@CAPACITY@\"", "@CAPACITY@")));
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    found
}

pub(crate) const ALL: &[Operation] = &[
    Operation { name: "one event", has_floor: true, script: |inputs, _| events(inputs) },
    Operation {
        name: "one tutor",
        has_floor: true,
        script: |inputs, _| inputs.gets(inputs.tutors.iter().map(|id| format!("/v1/tutors/{id}"))),
    },
    Operation {
        name: "a page of 20 events, filtered and sorted",
        has_floor: true,
        script: |inputs, _| {
            let paths = inputs.codes.iter().flat_map(|code| {
                ["starts_at", "-starts_at"].map(|sort| format!("/v1/events?municipality={code}&sort={sort}"))
            });
            inputs.gets(paths)
        },
    },
    Operation { name: "a page that is not cached", has_floor: true, script: uncached_pages },
    Operation { name: "the 1,000th page", has_floor: true, script: thousandth_page },
    Operation {
        name: "full-text search, a rare word",
        has_floor: true,
        script: |inputs, _| {
            inputs.gets((0..inputs.thousands).map(|number| format!("/v1/events?q=harvinainen{number}")))
        },
    },
    Operation {
        name: "304 by If-None-Match",
        has_floor: true,
        script: |inputs, _| {
            let token = inputs.reader();
            let requests = inputs
                .tags
                .iter()
                .map(|(id, tag)| Request::get(format!("/v1/events/{id}"), &token).with("If-None-Match", tag));
            script(inputs.run, &requests.collect::<Vec<_>>())
        },
    },
    Operation { name: "create feedback", has_floor: true, script: |inputs, _| feedback(inputs, false) },
    Operation {
        name: "create feedback with Idempotency-Key",
        has_floor: true,
        script: |inputs, _| feedback(inputs, true),
    },
    Operation { name: "replace an event with If-Match", has_floor: true, script: |inputs, _| replace(inputs) },
    Operation {
        name: "a feedback summary",
        has_floor: false,
        script: |inputs, _| inputs.gets(inputs.summarized.iter().map(|id| format!("/v1/events/{id}/feedback-summary"))),
    },
    Operation {
        name: "events.ics",
        has_floor: false,
        script: |inputs, _| inputs.gets(std::iter::once("/v1/events.ics".to_owned())),
    },
    Operation { name: "login", has_floor: false, script: |inputs, _| login(inputs) },
    Operation { name: "client credentials", has_floor: false, script: |inputs, _| client_credentials(inputs) },
];

pub(crate) fn events(inputs: &Inputs) -> String {
    inputs.gets(inputs.events.iter().map(|id| format!("/v1/events/{id}")))
}

pub(crate) fn login(inputs: &Inputs) -> String {
    let (email, password) = &inputs.account;
    let body = json!({"email": email, "password": password}).to_string();
    let request = Request { headers: Vec::new(), ..Request::post("/v1/auth/login", "", body) };
    script(inputs.run, &[request.with("Content-Type", "application/json")])
}

fn client_credentials(inputs: &Inputs) -> String {
    let (id, secret) = &inputs.credentials;
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let request = Request { headers: Vec::new(), ..Request::post("/v1/auth/token", "", body) };
    script(inputs.run, &[request.with("Content-Type", "application/x-www-form-urlencoded")])
}

/// Requests more pages than the cache of the service holds, so that each is read and rendered.
fn uncached_pages(inputs: &Inputs, side: Side) -> String {
    inputs.gets(inputs.moments.iter().map(|moment| match side {
        Side::Service => format!("/v1/events?kind=webinar&starts_after={moment}"),
        Side::Floor => format!("/v1/events?kind=webinar&after={moment}&last={}", Uuid::nil()),
    }))
}

fn thousandth_page(inputs: &Inputs, side: Side) -> String {
    inputs.gets(inputs.thousandth.iter().map(|Thousandth { kind, cursor, after, last }| match side {
        Side::Service => format!("/v1/events?kind={kind}&sort=starts_at&cursor={cursor}"),
        Side::Floor => format!("/v1/events?kind={kind}&after={after}&last={last}"),
    }))
}

fn feedback(inputs: &Inputs, with_key: bool) -> String {
    let token = inputs.partner();
    let requests = inputs.recent.iter().enumerate().map(|(index, event)| {
        let body = json!({
            "event_id": event, "direction": "participant_to_tutor", "respondent": "@N@", "rating": 1 + index % 5,
            "municipality_code": inputs.codes[index % inputs.codes.len()], "useful": true, "language": "fi",
            "comment": "Saimme mallin, jolla aloitamme oman digituen."
        });
        let request = Request::post("/v1/feedback", &token, body.to_string());
        if with_key { request.with("Idempotency-Key", "@N@") } else { request }
    });
    script(inputs.run, &requests.collect::<Vec<_>>())
}

/// Writes each event on one connection at a time, with the ETag that the write before returned.
fn replace(inputs: &Inputs) -> String {
    let token = inputs.partner();
    let mut lua = String::from("local bodies, ready = {}, {}\n");
    for (id, _, body) in &inputs.hosted {
        let Some((_, tag)) = inputs.tags.iter().find(|(known, _)| known == id) else { continue };
        let (body, tag) = (quoted(body), quoted(tag));
        let _ = writeln!(lua, "bodies[{id:?}] = {body}\ntable.insert(ready, {{{id:?}, {tag}}})");
    }
    let _ = writeln!(lua, "local authorization = 'Bearer {token}'");
    lua.push_str(
        "local n = 0
request = function()
  n = n + 1
  local event = table.remove(ready, 1)
  local body = bodies[event[1]]:gsub('@CAPACITY@', 1 + n % 1000)
  return wrk.format('PUT', '/v1/events/' .. event[1], {['Authorization'] = authorization, ['If-Match'] = event[2],
    ['Content-Type'] = 'application/json'}, body)
end
response = function(status, headers, body)
  local id = body:match('\"id\":\"([^\"]*)\"')
  if status == 200 then table.insert(ready, {id, headers['etag'] or headers['ETag']}) end
end
",
    );
    lua
}
