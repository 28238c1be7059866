//! The lists of all collections: every filter leaves the rows that have its value and no others, and every order has each row
//! once, however long the pages are. Computed from the document and the registry.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::{Answer, Client},
    document::{Operation, Parameter, has_type, operations},
    rows::{ID, Rows},
    schema::text_fits,
};
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// Parameters that are no filters by the value of one field. The tests of their resource cover them.
const NOT_BY_VALUE: &[&str] = &[
    "audience",
    "cursor",
    "ended",
    "ends_after",
    "ends_before",
    "include",
    "limit",
    "population_max",
    "population_min",
    "q",
    "region",
    "sort",
    "starts_after",
    "starts_before",
    "venue",
];

/// Returns the operation that lists a collection.
fn list_of(collection: &Collection) -> Operation {
    let all = operations().into_iter();
    let mut list = all.filter(|operation| operation.method == Method::GET && operation.path == collection.path());
    list.next().unwrap_or_else(|| panic!("the document has no list of {}", collection.name))
}

/// A server with rows of two municipalities in every collection.
async fn server_with_rows() -> Server {
    let server = Server::start();
    for code in ["049", "092"] {
        Rows::of(&server, code).await;
    }
    server
}

/// Returns the keys of the rows in the order of the list.
fn keys(collection: &Collection, rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row[collection.key].as_str().unwrap().to_owned()).collect()
}

/// Returns the field that a filter is about: `status` of `status`, `event_id` of `event`, `themes` of `theme`, and of
/// `municipality` the first column with codes in the registry.
fn field_of(collection: &Collection, filter: &str, rows: &[Value]) -> String {
    let mut fields: Vec<_> = ["", "_id", "_code", "s"].iter().map(|end| format!("{filter}{end}")).collect();
    if filter == "municipality" {
        fields.extend(collection.municipality_codes.first().map(|column| (*column).to_owned()));
    }
    let exists = |field: &String| rows.iter().any(|row| row.get(field).is_some());
    fields.into_iter().find(exists).unwrap_or_else(|| {
        panic!(
            "no field of {} has the name of the filter {filter}: add the filter to NOT_BY_VALUE in \
             tests/api/contract/lists.rs, and test it with its resource",
            collection.name
        )
    })
}

/// Returns the values of a field of this row: of an array, its items.
fn values_of(row: &Value, field: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match &row[field] {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().map(text).collect(),
        value => vec![text(value)],
    }
}

/// Returns the values to filter by: some that rows have, and one that no row has. Of an enum, all.
fn values_for(parameter: &Parameter, field: &str, rows: &[Value]) -> BTreeSet<String> {
    let schema = if has_type(&parameter.schema, "array") { &parameter.schema["items"] } else { &parameter.schema };
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if has_type(schema, "boolean") {
        return ["false", "true"].map(str::to_owned).into();
    }
    let owned: BTreeSet<_> = rows.iter().flat_map(|row| values_of(row, field)).collect();
    let of_no_row = ["998", "98", "zz", "nobody", ID];
    let of_no_row = if schema["format"] == "email" { &["nobody@kunta.example"][..] } else { &of_no_row };
    let of_no_row = of_no_row.iter().find(|text| text_fits(schema, text.as_bytes()) && !owned.contains(**text));
    let of_no_row = of_no_row.unwrap_or_else(|| panic!("tests/api/contract/lists.rs has no value for {schema}"));
    owned.iter().take(5).cloned().chain([(*of_no_row).to_owned()]).collect()
}

#[tokio::test]
async fn every_filter_leaves_the_rows_with_its_value() {
    let server = server_with_rows().await;
    let coordinator = server.coordinator();
    for collection in COLLECTIONS {
        let all = coordinator.all(&format!("{}?limit=100", collection.path())).await;
        let parameters = list_of(collection).parameters;
        let filters = parameters.iter().filter(|parameter| parameter.place == "query");
        for filter in filters.filter(|filter| !NOT_BY_VALUE.contains(&&*filter.name)) {
            let field = field_of(collection, &filter.name, &all);
            for value in values_for(filter, &field, &all) {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs([("limit", "100"), (&filter.name, &value)])
                    .finish();
                let path = format!("{}?{query}", collection.path());
                let found: BTreeSet<_> = keys(collection, &coordinator.all(&path).await).into_iter().collect();
                let expected = all.iter().filter(|row| values_of(row, &field).contains(&value)).cloned();
                let expected = keys(collection, &expected.collect::<Vec<_>>()).into_iter().collect();
                assert_eq!(found, expected, "{path} must list the rows whose {field} is or has {value}");
            }
        }
    }
}

/// Asserts that this order has each of `all` once, with pages of two rows as with pages of a hundred. Returns the keys.
async fn keys_in_order(client: &Client, collection: &Collection, order: &str, all: &BTreeSet<String>) -> Vec<String> {
    let path = format!("{}?{order}", collection.path());
    let rows = client.all(&format!("{path}limit=100")).await;
    let found = keys(collection, &rows);
    assert_eq!(found.len(), all.len(), "{path} repeats or lacks a row");
    assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), *all, "{path}");
    assert_eq!(keys(collection, &client.all(&format!("{path}limit=2")).await), found, "{path} in pages of two");
    let field = order.trim_start_matches("sort=").trim_end_matches('&');
    let values: Vec<_> = rows.iter().filter_map(|row| row.get(field)).filter(|value| !value.is_object()).collect();
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(|text| text.trim_end_matches('Z').to_owned());
    let is_sorted = values.is_sorted_by(|a, b| (number(a), text(a)) <= (number(b), text(b)));
    assert!(is_sorted, "{path} is not in the order of {field}: {}", json!(values));
    found
}

#[tokio::test]
async fn every_order_has_each_row_once() {
    let server = server_with_rows().await;
    let coordinator = server.coordinator();
    for collection in COLLECTIONS {
        let all = coordinator.all(&format!("{}?limit=100", collection.path())).await;
        let all: BTreeSet<_> = keys(collection, &all).into_iter().collect();
        assert!(all.len() > 1, "{} has too few rows", collection.name);
        keys_in_order(&coordinator, collection, "", &all).await;
        let parameters = list_of(collection).parameters;
        let sort = parameters.iter().find(|parameter| parameter.name == "sort");
        let orders = sort.and_then(|sort| sort.schema["enum"].as_array()).into_iter().flatten();
        for order in orders.filter_map(Value::as_str).filter(|order| !order.starts_with('-')) {
            let forward = keys_in_order(&coordinator, collection, &format!("sort={order}&"), &all).await;
            let mut back = keys_in_order(&coordinator, collection, &format!("sort=-{order}&"), &all).await;
            back.reverse();
            assert_eq!(forward, back, "sort=-{order} of {} must reverse sort={order}", collection.name);
        }
    }
}

/// Returns the address in `Link: <…>; rel="next"` (RFC 8288).
fn next_link(page: &Answer) -> Option<&str> {
    let link = page.headers.get("link")?.to_str().unwrap();
    Some(link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap())
}

#[tokio::test]
async fn every_page_links_to_the_next_one() {
    let server = server_with_rows().await;
    let coordinator = server.coordinator();
    for collection in COLLECTIONS {
        let list = coordinator.get(&format!("{}?limit=100", collection.path())).await.expect(200);
        assert_eq!(next_link(&list), None, "{}", collection.name);
        let expected = keys(collection, list.body["items"].as_array().unwrap());
        let (mut found, mut path) = (Vec::new(), format!("{}?limit=1", collection.path()));
        loop {
            let page = coordinator.get(&path).await.expect(200);
            found.extend(keys(collection, page.body["items"].as_array().unwrap()));
            // A cached page has the link, too.
            assert_eq!(next_link(&coordinator.get(&path).await), next_link(&page));
            assert_eq!(next_link(&page).is_some(), page.body["next"].is_string());
            let Some(next) = next_link(&page) else { break };
            path = next.strip_prefix(&server.url).unwrap().to_owned();
        }
        assert_eq!(found, expected, "{}", collection.name);
    }
    let filtered = coordinator.get("/v1/municipalities?cursor=&sort=-name&region=01&limit=2").await;
    assert_eq!(filtered.status, 422);
    let filtered = coordinator.get("/v1/municipalities?sort=-name&q=a%20%22%3E&limit=2").await.expect(200);
    assert!(next_link(&filtered).is_none_or(|link| link.contains("q=a%20%22%3E")), "{:?}", filtered.headers);
}

#[tokio::test]
async fn the_ledger_links_to_the_next_changes_until_all_are_read() {
    let server = server_with_rows().await;
    let coordinator = server.coordinator();
    let all = coordinator.get("/v1/changes?limit=1000").await.expect(200);
    let (mut count, mut path) = (0, "/v1/changes?limit=7".to_owned());
    loop {
        let page = coordinator.get(&path).await.expect(200);
        count += page.body["items"].as_array().unwrap().len();
        let Some(next) = next_link(&page) else { break };
        path = next.strip_prefix(&server.url).unwrap().to_owned();
    }
    assert!(count >= all.body["items"].as_array().unwrap().len() && count > 20, "{count}");
    let now = coordinator.get("/v1/changes?from=now").await.expect(200);
    assert_eq!(next_link(&now), None);
}
