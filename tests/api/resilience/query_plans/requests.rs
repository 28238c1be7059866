//! The requests whose statements are examined: every read of the document with every filter, and writes of every collection.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::Client,
    document::{Operation, Parameter, has_type, operations},
    fixtures,
    rows::{self, Rows},
};
use kuntatutorit::registry::{self, COLLECTIONS};

/// Parameters that choose a part of the list or its order, and are no filters.
const NO_FILTERS: &[&str] = &["limit", "cursor", "sort", "wait", "from"];

/// Returns values for the parameters whose values no schema and no row tells, a rare one and a common one.
fn samples(name: &str) -> &'static [&'static str] {
    match name {
        "municipality" | "audience" | "venue" | "successor" => &["616", "049"],
        "region" => &["19", "01"],
        "theme" | "themes_wanted" | "parent" => &["training", "email"],
        "language" => &["se", "fi"],
        "starts_after" | "starts_before" | "ends_after" | "ends_before" => &["2026-11-24T08:00:00Z"],
        "external_id" => &["event-777"],
        // A search ranks all of its matches, so a search for a common word touches many rows.
        "q" => &["harvinainen3"],
        _ => &[],
    }
}

/// Returns values for a filter: the samples, the values of an enum, a row's own value, or the bounds of a number.
fn values(parameter: &Parameter, rows: &[&Value]) -> Vec<String> {
    let name = &*parameter.name;
    let schema = if has_type(&parameter.schema, "array") { &parameter.schema["items"] } else { &parameter.schema };
    if !samples(name).is_empty() {
        return samples(name).iter().map(|value| (*value).to_owned()).collect();
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str);
        return if name == "include" {
            vec![words.collect::<Vec<_>>().join(",")]
        } else {
            words.map(str::to_owned).collect()
        };
    }
    if has_type(schema, "boolean") {
        return vec!["false".to_owned(), "true".to_owned()];
    }
    // The field of the filter's name, or the key of the row that it names: `event_id`, `region_code` or the first of `tutors`.
    let value_of = |row: &&&Value| {
        let named = [name.to_owned(), format!("{name}_id"), format!("{name}_code")].map(|field| row[field].clone());
        let field = named.into_iter().chain([row[format!("{name}s")][0].clone()]).find(|field| !field.is_null())?;
        field.as_str().map(str::to_owned).or(field.as_i64().map(|number| number.to_string()))
    };
    // A tenth of the rows come from the source `older`.
    let other = (name == "source").then(|| "older".to_owned());
    let own: BTreeSet<_> = rows.iter().filter_map(|row| value_of(&row)).chain(other).collect();
    if !own.is_empty() {
        return own.into_iter().collect();
    }
    if schema["format"] == "uuid" {
        return vec![rows::ID.to_owned()];
    }
    let bound = ["minimum", "maximum"].iter().find_map(|bound| schema[*bound].as_i64());
    bound.map(|bound| bound.to_string()).into_iter().collect()
}

/// Returns the queries of a list: every filter in every order, every hidden state in every order, and both together in the
/// default order.
fn queries(operation: &Operation, rows: &[&Value]) -> Vec<String> {
    let parameters = operation.parameters.iter().filter(|parameter| parameter.place == "query");
    let (filters, others): (Vec<_>, Vec<_>) = parameters.partition(|parameter| !NO_FILTERS.contains(&&*parameter.name));
    let pairs = |parameter: &Parameter, values: Vec<String>| -> Vec<String> {
        values.into_iter().map(|value| format!("{}={value}", parameter.name)).collect()
    };
    let mut filtered = vec![String::new()];
    for filter in filters {
        let values = values(filter, rows);
        assert!(
            !values.is_empty(),
            "{}: no values for the parameter {}. Add some to samples() in \
             tests/api/resilience/query_plans/requests.rs",
            operation.id,
            filter.name
        );
        filtered.extend(pairs(filter, values));
    }
    let sort = others.iter().find(|parameter| parameter.name == "sort");
    let orders = sort.and_then(|sort| sort.schema["enum"].as_array()).into_iter().flatten().filter_map(Value::as_str);
    let orders: Vec<_> = std::iter::once(String::new()).chain(orders.map(|order| format!("sort={order}"))).collect();
    let ordered = filtered.iter().flat_map(|filter| orders.iter().map(move |order| format!("{filter}&{order}")));
    let mut queries: Vec<_> = ordered.collect();
    // `status` has its values among the filters, so each order with a hidden state is there already.
    for state in hidden_states(operation) {
        let others = filtered.iter().filter(|filter| !filter.is_empty() && !filter.starts_with("status="));
        queries.extend(others.map(|filter| format!("{filter}&status={state}")));
    }
    queries
}

/// Returns the states by which a list can be filtered, and in which only some callers see a row.
fn hidden_states(operation: &Operation) -> &'static [&'static str] {
    let has_filter = operation.parameters.iter().any(|parameter| parameter.name == "status");
    let collection = registry::of_path(&operation.path).filter(|_| has_filter);
    collection.map_or(&[], |collection| collection.hidden_states)
}

/// The operations and collections that answered.
#[derive(Default)]
pub(super) struct Answered {
    /// The operations that answered 200.
    pub(super) operations: BTreeSet<String>,
    /// The collections whose list had rows.
    pub(super) filled: BTreeSet<&'static str>,
}

/// Sends every reading operation with every query. `samples` are rows of each collection, as the coordinator sees them.
pub(super) async fn read_everything(
    client: &Client,
    samples: &BTreeMap<&'static str, Vec<Value>>,
    answered: &mut Answered,
) {
    for operation in
        operations().iter().filter(|operation| operation.method == Method::GET && operation.path.starts_with("/v1"))
    {
        let collection = registry::of_path(&operation.path);
        let rows: Vec<_> = collection.and_then(|of| samples.get(of.name)).into_iter().flatten().collect();
        let mut path = operation.path.clone();
        if let Some(of) = collection.filter(|_| path.contains('{')) {
            // A row that the caller sees, if there is one.
            let listed = client.get(&format!("{}?limit=1", of.path())).await;
            let key = listed.body["items"][0][of.key].as_str().or(rows[0][of.key].as_str()).unwrap();
            path = path.replace(&format!("{{{}}}", of.key), key);
        }
        for query in queries(operation, &rows) {
            let answer = client.get(&format!("{path}?{query}")).await;
            assert!(matches!(answer.status, 200 | 401 | 403 | 404), "{path}?{query}: {}", answer.text);
            if answer.status == 401 || answer.status == 403 {
                break;
            }
            // Another statement checks whether an answer in the cache is still good. It does not depend on the order.
            if !query.contains("sort=") {
                client.get(&format!("{path}?{query}")).await;
            }
            if let Some(next) = answer.body["next"].as_str().filter(|_| operation.id != "list_changes") {
                client.get(&format!("{path}?{query}&cursor={next}")).await.expect(200);
            }
            if answer.status == 200 {
                answered.operations.insert(operation.id.clone());
            }
            let has_rows = answer.body["items"].as_array().is_some_and(|items| !items.is_empty());
            answered.filled.extend(collection.filter(|_| has_rows).map(|of| of.name));
        }
    }
}

/// Creates, changes and deletes a row of each collection, with an `Idempotency-Key`.
pub(super) async fn write_everything(server: &Server) {
    let rows = Rows::of(server, "049").await;
    for collection in COLLECTIONS {
        let creator = rows::creator(server, collection.name, "049", "plans").await.if_match("*");
        let key = if collection.key == "code" {
            "049".to_owned()
        } else {
            rows.create(&creator.with("idempotency-key", collection.name), collection, "049", "plans", &json!({})).await
        };
        let path = format!("{}/{key}", collection.path());
        let writes: Vec<_> = operations()
            .into_iter()
            .filter(|operation| {
                operation.path == format!("{}/{{{}}}", collection.path(), collection.key)
                    && operation.method != Method::GET
            })
            .collect();
        // Deleting comes last.
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            let exists = writes.iter().any(|operation| operation.method == method);
            if !exists || method == Method::DELETE && collection.key == "code" {
                continue;
            }
            let body = match method {
                Method::PATCH => Some(rows::change(collection.name, 3)),
                Method::PUT => Some(creator.get(&path).await.expect(200).body),
                _ => None,
            };
            let answer = creator.send(method.clone(), &path, body.map(|body| body.to_string())).await;
            assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        }
    }
}

/// Signs in, reads a calendar at its secret address, refreshes the session and signs out.
pub(super) async fn sign_in_and_out(server: &Server) {
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
    server.anonymous().post("/v1/auth/logout", &refresh).await.expect(204);
}
