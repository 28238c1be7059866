//! Plans: no statement of the service touches more rows than it answers with, however many there are.

use std::collections::BTreeSet;

use kuntatutorit::{db, seed::generated::generate, server as app};
use reqwest::Method;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;

use crate::support::{Server, client::Client, databases, databases::fresh_database, fixtures, sql};

/// The rows that a statement may touch or sort: those of a calendar, and the drafts among them.
const MOST: f64 = 600.0;
/// As many events as a municipality has here: an account of it sees what tutors say of each.
const MOST_EVENTS: f64 = 800.0;
/// More than that in every table that grows; of the feedback the older half is another system's.
const GROWN: &str = "
    set statement_timeout = 0;
    set session_replication_role = replica;
    update feedback set source = 'older' where id < (select id from feedback order by id offset 10000 limit 1);
    set session_replication_role = origin;
    insert into accounts (id, email, role, municipality_code)
      select gen_random_uuid(), format('account-%s@kunta.example', i), 'municipality', '092' from generate_series(1, 3000) as i;
    insert into clients (id, name, source, scopes) select gen_random_uuid(), i, 'client-' || i, '{events:read}'
      from generate_series(1, 3000) as i;
    insert into client_secrets (id, client_id, secret_hash) select gen_random_uuid(), id, sha256(source::bytea) from clients;
    insert into calendar_links (id, account_id, name, lang, secret_hash)
      select gen_random_uuid(), id, 'Puhelin', 'fi', sha256(email::bytea) from accounts;
    insert into sessions (id, account_id) select gen_random_uuid(), id from accounts;
    insert into refresh_tokens (token_hash, session_id) select sha256(id::text::bytea), id from sessions;
    insert into invitations (account_id, secret_hash) select id, sha256(email::bytea) from accounts;
    insert into idempotency_keys (caller, key, fingerprint, path, etag, body)
      select i, i, sha256(i::text::bytea), '', '', '' from generate_series(1, 3000) as i;
    insert into sign_in_failures (subject, address) select sha256(i::text::bytea), '' from generate_series(1, 3000) as i;
    analyze";
const EXPLAIN: &str = "do $$ begin
    execute format('alter database %I set session_preload_libraries = auto_explain', current_database());
    execute format('alter database %I set auto_explain.log_min_duration = 0', current_database());
    execute format('alter database %I set auto_explain.log_analyze = on', current_database());
    execute format('alter database %I set auto_explain.log_nested_statements = on', current_database());
    execute format('alter database %I set auto_explain.log_format = json', current_database());
  end $$";

/// Values for each parameter that has no words of its own, a rare one first. A new parameter needs some here.
fn samples(name: &str, event: &Value) -> Option<Vec<String>> {
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let texts: &[&str] = match name {
        "tutor" => return Some(vec![id(&event["tutors"][0])]),
        "event" => return Some(vec![id(&event["id"])]),
        "municipality" | "audience" => &["616", "049"],
        "theme" => &["training", "email"],
        "language" => &["se", "fi"],
        "starts_after" | "starts_before" => &["2026-11-24T08:00:00Z"],
        "source" => &["generated"],
        "external_id" => &["event-777"],
        "q" => &["harvinainen3"],
        "region" => &["01"],
        "population_min" | "population_max" => &["10000"],
        "email" => &["account-7@kunta.example"],
        "disabled" => &["false", "true"],
        "include" => &["tutors,themes,host"],
        _ => return None,
    };
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// The words that a schema lists, wherever it does.
fn words(schema: &Value, document: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("enum", Value::Array(words)) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                ("$ref", Value::String(path)) => words(document.pointer(&path[1..]).unwrap(), document),
                _ => words(value, document),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| words(item, document)).collect(),
        _ => Vec::new(),
    }
}

/// The queries of an operation: each filter with each order.
fn queries(operation: &Operation, event: &Value, document: &Value) -> Vec<String> {
    let parameters = serde_json::to_value(&operation.parameters).unwrap();
    let parameters: Vec<_> = parameters.as_array().into_iter().flatten().filter(|p| p["in"] == "query").collect();
    let values = |parameter: &Value| {
        let name = parameter["name"].as_str().unwrap();
        let own = samples(name, event).unwrap_or_else(|| words(&parameter["schema"], document));
        assert!(!own.is_empty(), "no samples for the parameter {name}");
        own.into_iter().map(|value| format!("{name}={value}")).collect::<Vec<_>>()
    };
    let chosen = |names: &[&str], among: bool| {
        let those = parameters.iter().filter(|p| names.contains(&p["name"].as_str().unwrap()) == among);
        std::iter::once(String::new()).chain(those.flat_map(|p| values(p))).collect::<Vec<_>>()
    };
    let filters = chosen(&["limit", "cursor", "sort", "wait", "from"], false);
    let orders = chosen(&["sort"], true);
    filters.iter().flat_map(|filter| orders.iter().map(move |order| format!("{filter}&{order}"))).collect()
}

/// Asks for everything that the document offers to read; gives the operations that answered.
async fn read_everything(client: &Client, event: &Value) -> BTreeSet<String> {
    let mut answered = BTreeSet::new();
    let (api, document) = (app::document(), serde_json::to_value(app::document()).unwrap());
    for (path, item) in &api.paths.paths {
        let Some(operation) = item.get.as_ref().filter(|_| path.starts_with("/v1")) else { continue };
        let collection = path.split("/{").next().unwrap();
        let listed = client.get(&format!("{collection}?limit=1")).await;
        let first = &listed.body["items"][0];
        let key = ["id", "code", "slug"].iter().find_map(|key| first[key].as_str()).unwrap_or_default();
        let path = path.replace("{id}", key).replace("{code}", key).replace("{slug}", key);
        for query in queries(operation, event, &document) {
            let answer = client.get(&format!("{path}?{query}")).await;
            assert!(matches!(answer.status, 200 | 403 | 404), "{path}?{query}: {}", answer.text);
            // Now the answer may be kept, and validated by another statement.
            client.get(&format!("{path}?{query}")).await;
            let id = operation.operation_id.clone().unwrap();
            if let Some(next) = answer.body["next"].as_str().filter(|_| id != "list_changes") {
                client.get(&format!("{path}?{query}&cursor={next}")).await.expect(200);
            }
            if answer.status == 200 {
                answered.insert(id);
            }
        }
    }
    answered
}

/// Makes, changes and deletes one of each, and signs in.
async fn write_everything(server: &Server, event: &Value) {
    let coordinator = server.coordinator();
    let event_id = server.create_event("049").await;
    let tutor = json!({"name": "Kuntatutor", "municipality_code": "049"});
    let feedback = json!({
        "event_id": event_id, "direction": "participant_to_tutor", "municipality_code": "049", "rating": 4,
        "respondent": "1", "themes_wanted": ["training"], "comment": "Hyvä.", "publish_consent": true
    });
    let theme = json!({"slug": "uusi", "kind": "theme", "name": {"fi": "Uusi"}});
    let account = json!({"email": "uusi@kunta.example", "role": "municipality", "municipality_code": "049"});
    let client = json!({"name": "Kalenteri", "source": "uusi", "scopes": ["feedback:write", "feedback:read"]});
    let partner = server.partner("uusi", "feedback:write feedback:read", None);
    for (caller, collection, new, deletes) in [
        (&coordinator, "/v1/events", &fixtures::event_body("049", "draft"), true),
        (&coordinator, "/v1/tutors", &tutor, true),
        (&partner, "/v1/feedback", &feedback, true),
        (&coordinator, "/v1/themes", &theme, true),
        (&coordinator, "/v1/accounts", &account, false),
        (&coordinator, "/v1/clients", &client, false),
    ] {
        let made = caller.with("idempotency-key", collection).post(collection, new).await.expect(201).body;
        let key = ["id", "code", "slug"].iter().find_map(|key| made[key].as_str()).unwrap();
        let path = format!("{collection}/{key}");
        caller.if_match("*").patch(&path, &json!({})).await.expect(200);
        caller.if_match("*").put(&path, &made).await.expect(200);
        if deletes {
            caller.if_match("*").delete(&path).await.expect(204);
        }
    }
    coordinator.if_match("*").patch("/v1/municipalities/049", &json!({"support_since": 2000})).await.expect(200);
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    coordinator.if_match("*").patch(&path, &json!({"capacity": 7})).await.expect(200);
    let espoo = server.sign_in_new_account("kirjautuja@kunta.example", json!({})).await;
    let link = espoo.post("/v1/calendar-links", &json!({"name": "Puhelin"})).await.expect(201);
    let address = link.body["url"].as_str().unwrap();
    server.anonymous().get(&address[address.find("/calendar/").unwrap()..]).await.expect(200);
    espoo.get("/v1/me").await.expect(200);
    let login = json!({"email": "kirjautuja@kunta.example", "password": fixtures::PASSWORD});
    let signed_in = server.anonymous().post("/v1/auth/login", &login).await.expect(200);
    let refresh = json!({"refresh_token": signed_in.body["refresh_token"]});
    let refreshed = server.anonymous().post("/v1/auth/refresh", &refresh).await.expect(200);
    let refresh = json!({"refresh_token": refreshed.body["refresh_token"]});
    server.anonymous().send(Method::POST, "/v1/auth/logout", Some(refresh.to_string())).await.expect(204);
}

/// What a plan's nodes do with the tables that have grown, as far as it is too much.
fn excesses(node: &Value, grown: &BTreeSet<String>, told: &mut Vec<String>) {
    let number = |node: &Value, name: &str| node[name].as_f64().unwrap_or_default();
    let rows = |node: &Value| {
        let removed = number(node, "Rows Removed by Filter") + number(node, "Rows Removed by Index Recheck");
        (number(node, "Actual Rows") + removed) * number(node, "Actual Loops")
    };
    let (kind, table) = (node["Node Type"].as_str().unwrap_or_default(), node["Relation Name"].as_str());
    let most = if table == Some("events") { MOST_EVENTS } else { MOST };
    if table.is_some_and(|table| grown.contains(table)) && (kind == "Seq Scan" || rows(node) > most) {
        told.push(format!("{kind} of {} rows of {}", rows(node), table.unwrap_or_default()));
    }
    let children = node["Plans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sorted: f64 = children.iter().map(rows).sum();
    if kind.contains("Sort") && sorted > MOST {
        told.push(format!("{kind} of {sorted} rows"));
    }
    for child in children {
        excesses(child, grown, told);
    }
}

/// The plans in PostgreSQL's log: only one database is asked for them.
fn plans() -> Vec<Value> {
    let log = databases::log();
    let messages = log.split(" ms  plan:\n").skip(1);
    let of = |message: &str| message.lines().take_while(|line| line.starts_with('\t')).collect::<Vec<_>>().join("\n");
    messages.map(|message| serde_json::from_str(&of(message)).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_touches_more_than_it_answers_with() {
    let url = fresh_database();
    generate(&url, 20, |_| {}).await.unwrap();
    let mut conn = db::establish(url.clone()).await.unwrap();
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, GROWN).await.unwrap();
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, EXPLAIN).await.unwrap();
    let server = Server::on(url, &[]);
    let event = server.coordinator().get("/v1/events?source=generated&limit=1&starts_after=2026-01-01T00:00:00Z").await;
    let event = &event.expect(200).body["items"][0];
    let tutor = event["tutors"][0].as_str().unwrap();
    let mut answered = BTreeSet::new();
    let [newer, older] = ["generated", "older"].map(|source| server.partner(source, "events:read feedback:read", None));
    for client in [server.coordinator(), server.municipality("049"), server.tutor("049", tutor), newer, older] {
        answered.extend(read_everything(&client, event).await);
    }
    assert!(answered.len() >= 20, "{answered:?}");
    write_everything(&server, event).await;
    let grown = "select relname as line from pg_class where relkind = 'r' and reltuples > 2000";
    let grown: BTreeSet<_> = sql::query_lines(&server, grown).await.into_iter().collect();
    assert!(grown.len() > 15, "{grown:?}");
    let plans = plans();
    assert!(plans.len() > 1000, "only {} plans", plans.len());
    let mut told = BTreeSet::new();
    for plan in &plans {
        let mut excess = Vec::new();
        excesses(&plan["Plan"], &grown, &mut excess);
        let query = plan["Query Text"].as_str().unwrap_or_default();
        let query = query.split_once(" FROM ").map_or(query, |(_, rest)| rest);
        told.extend(excess.into_iter().map(|excess| format!("{excess}: {query}")));
    }
    assert!(told.is_empty(), "{} statements:\n{}", told.len(), told.into_iter().collect::<Vec<_>>().join("\n"));
}
