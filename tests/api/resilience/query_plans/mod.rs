//! Query plans: no statement touches many more rows than it answers with, however many rows there are. The test asks as every
//! kind of caller, on data in which every filter value is common in some places and rare in others.

mod data;
mod requests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kuntatutorit::{db, domain::Role};
use serde_json::Value;
use uuid::Uuid;

use self::{
    data::{MANY, filled_database},
    requests::{Answered, read_everything, sign_in_and_out, write_everything},
};
use crate::support::{Server, callers::Caller, client::Client, databases, sql};
use kuntatutorit::registry::COLLECTIONS;

/// The rows that a statement may touch or sort: those of a calendar, and the drafts among them.
const MOST: f64 = 600.0;
/// The events of a municipality in the generated data: an account of it sees the feedback of tutors on each of them.
const MOST_EVENTS: f64 = 800.0;
const EXPLAIN: &str = "do $$ begin
    execute format('alter database %I set session_preload_libraries = auto_explain', current_database());
    execute format('alter database %I set auto_explain.log_min_duration = 0', current_database());
    execute format('alter database %I set auto_explain.log_analyze = on', current_database());
    execute format('alter database %I set auto_explain.log_nested_statements = on', current_database());
    execute format('alter database %I set auto_explain.log_format = json', current_database());
  end $$";

/// Collects the nodes of a plan that touch too many rows of the tables that have grown.
fn excesses(node: &Value, grown: &BTreeSet<String>, found: &mut Vec<String>) {
    let number = |node: &Value, name: &str| node[name].as_f64().unwrap_or_default();
    let rows = |node: &Value| {
        let removed = number(node, "Rows Removed by Filter") + number(node, "Rows Removed by Index Recheck");
        (number(node, "Actual Rows") + removed) * number(node, "Actual Loops")
    };
    let (kind, table) = (node["Node Type"].as_str().unwrap_or_default(), node["Relation Name"].as_str());
    let most = if table == Some("events") { MOST_EVENTS } else { MOST };
    if table.is_some_and(|table| grown.contains(table)) && (kind == "Seq Scan" || rows(node) > most) {
        found.push(format!("{kind} of {} rows of {}", rows(node), table.unwrap_or_default()));
    }
    let children = node["Plans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sorted: f64 = children.iter().map(rows).sum();
    if kind.contains("Sort") && sorted > MOST {
        found.push(format!("{kind} of {sorted} rows"));
    }
    for child in children {
        excesses(child, grown, found);
    }
}

/// Returns the plans in PostgreSQL's log. Only this test's database logs them.
fn plans() -> Vec<Value> {
    let log = databases::log();
    let messages = log.split(" ms  plan:\n").skip(1);
    let of = |message: &str| message.lines().take_while(|line| line.starts_with('\t')).collect::<Vec<_>>().join("\n");
    messages.map(|message| serde_json::from_str(&of(message)).unwrap()).collect()
}

/// Returns two rows of each collection, the first and the last one of a page.
async fn samples(server: &Server) -> BTreeMap<&'static str, Vec<Value>> {
    let mut samples = BTreeMap::new();
    for collection in COLLECTIONS {
        let page = server.coordinator().get(&collection.path()).await.expect(200);
        let items = page.body["items"].as_array().unwrap();
        assert!(!items.is_empty(), "{} has no rows", collection.name);
        samples.insert(collection.name, vec![items[0].clone(), items[items.len() - 1].clone()]);
    }
    samples
}

/// Returns callers of every kind. Together, the callers of a role must get rows of every collection that the role may
/// read.
async fn callers(server: &Server, samples: &BTreeMap<&'static str, Vec<Value>>) -> Vec<(Role, Client)> {
    let kinds = Caller::ALL.iter().filter(|caller| **caller != Caller::Tutor);
    let mut callers: Vec<_> = kinds.map(|caller| (caller.role(), caller.client(server))).collect();
    let tutor = samples["tutors"][0]["id"].as_str().unwrap();
    // Espoo has many rows in every collection, and Pornainen few.
    callers.push((Role::Tutor, server.tutor("049", tutor)));
    callers.push((Role::Municipality, server.municipality("616")));
    // One source has given the newer half of the feedback, another one the older half.
    let of_source = |source| server.partner(source, "events:read feedback:read", None);
    callers.extend(["generated", "older"].map(|source| (Role::Partner, of_source(source))));
    // Each account owns some calendar links, and one client owns a tenth of them.
    let owner = async |column: &str| -> Uuid {
        let query = format!(
            "select {column}::text as line from calendar_links where {column} is not null \
                             order by {column} limit 1"
        );
        sql::query_lines(server, &query).await[0].parse().unwrap()
    };
    let (account, client) = (owner("account_id").await, owner("client_id").await);
    callers.push((Role::Municipality, server.account_with_id(account, Role::Municipality, Some("049"), None)));
    callers.push((Role::Tutor, server.account_with_id(account, Role::Tutor, Some("049"), tutor.parse().ok())));
    callers.push((Role::Partner, server.partner_with_id(client, "owner", "calendar-links:read", None)));
    callers
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_touches_many_more_rows_than_it_answers_with() {
    let url = filled_database().await;
    let mut conn = db::establish(&databases::parameters(&url)).await.unwrap();
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, EXPLAIN).await.unwrap();
    let server = Server::on(url, &[("PUBLIC_READ", "true")]);
    let samples = samples(&server).await;
    let (mut operations, mut filled) = (BTreeSet::new(), HashMap::<Role, BTreeSet<&str>>::new());
    for (role, client) in callers(&server, &samples).await {
        let mut answered = Answered::default();
        read_everything(&client, &samples, &mut answered).await;
        operations.extend(answered.operations);
        filled.entry(role).or_default().extend(answered.filled);
    }
    for (role, filled) in &filled {
        let readable = COLLECTIONS.iter().filter(|of| of.read.roles.contains(role)).map(|of| of.name);
        let unfilled: Vec<_> = readable.filter(|name| !filled.contains(name)).collect();
        assert!(unfilled.is_empty(), "no caller with the role {role:?} got rows of {unfilled:?}");
    }
    assert_eq!(filled.len(), 5, "{:?}", filled.keys());
    assert!(operations.len() >= 20, "{operations:?}");
    write_everything(&server).await;
    sign_in_and_out(&server).await;
    let grown = format!("select relname::text as line from pg_class where relkind = 'r' and reltuples > {MANY}");
    let grown: BTreeSet<_> = sql::query_lines(&server, &grown).await.into_iter().collect();
    assert!(grown.len() > 15, "{grown:?}");
    let plans = plans();
    assert!(plans.len() > 1000, "only {} plans", plans.len());
    let mut excessive = BTreeSet::new();
    for plan in &plans {
        let mut found = Vec::new();
        excesses(&plan["Plan"], &grown, &mut found);
        let query = plan["Query Text"].as_str().unwrap_or_default();
        let query = query.split_once(" FROM ").map_or(query, |(_, rest)| rest);
        excessive.extend(found.into_iter().map(|excess| format!("{excess}: {query}")));
    }
    let excessive: Vec<_> = excessive.into_iter().collect();
    assert!(excessive.is_empty(), "{} statements touch too many rows:\n{}", excessive.len(), excessive.join("\n"));
}
