//! The contract: the committed document is the code's, the schema is the database's, each rule of the database
//! can be told to a caller.

use std::collections::BTreeSet;

use diesel::{QueryableByName, sql_types::Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{app, db::migrations, openapi, problem::CODES, rules::RULES};
use serde_json::Value;

use crate::support::{
    Server,
    cluster::{empty_database, fresh_database, run},
};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

async fn lines(url: &str, query: &str) -> Vec<String> {
    let mut conn = AsyncPgConnection::establish(url).await.unwrap();
    let rows: Vec<Line> = diesel::sql_query(query).load(&mut conn).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

#[test]
fn the_committed_document_is_the_codes() {
    let committed = include_str!("../../openapi/openapi.json");
    let current = app::document().to_pretty_json().unwrap() + "\n";
    assert!(
        committed == current,
        "openapi/openapi.json differs from the code: run `make openapi` and look at the diff"
    );
}

#[test]
fn every_operation_is_described() {
    let document = app::document();
    let mut ids = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in openapi::operations(item) {
            let at = format!("{method} {path}");
            let id = operation.operation_id.as_deref().unwrap_or_else(|| panic!("{at} has no operationId"));
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
            assert!(operation.summary.as_ref().is_some_and(|text| !text.is_empty()), "{at} has no summary");
            assert!(operation.description.as_ref().is_some_and(|text| !text.is_empty()), "{at} has no description");
            assert_eq!(operation.tags.as_ref().map(Vec::len), Some(1), "{at} has not one tag");
            assert!(operation.security.is_some(), "{at} does not say its security");
            for parameter in operation.parameters.iter().flatten() {
                let parameter = serde_json::to_value(parameter).unwrap();
                let told = parameter["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(told, "{at}: {} has no description", parameter["name"]);
            }
        }
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
                }
                fields.values().for_each(|field| walk(field, document));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, document)),
            _ => {}
        }
    }
    let document = serde_json::to_value(app::document()).unwrap();
    walk(&document, &document);
}

#[test]
fn words_are_documented_as_they_are_sent() {
    let document = serde_json::to_value(app::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    assert_eq!(
        schemas["EventKind"]["enum"],
        serde_json::json!(["presentation", "webinar", "workshop", "sparring", "peer_visit"])
    );
    assert_eq!(schemas["LanguageStatus"]["enum"], serde_json::json!(["fi", "fi-sv", "sv-fi", "sv"]));
    let shouts = |value: &Value| value.as_str().is_some_and(|word| word.starts_with(|c: char| c.is_uppercase()));
    for (name, schema) in schemas.as_object().unwrap() {
        assert!(!schema["enum"].as_array().is_some_and(|words| words.iter().any(shouts)), "{name}: {}", schema["enum"]);
    }
}

#[tokio::test]
async fn the_schema_is_the_databases() {
    let query = "select format('%s.%s %s%s', table_name, column_name, udt_name, case is_nullable when 'YES' then '?' else '' end) as line \
                 from information_schema.columns where table_schema = 'public' \
                 and table_name not in ('__diesel_schema_migrations')";
    let actual: BTreeSet<String> = lines(&fresh_database(), query).await.into_iter().collect();
    assert_eq!(declared(include_str!("../../src/schema.rs")), actual, "src/schema.rs differs from the migrations");
}

/// The columns of `schema.rs`, as the query above writes them.
fn declared(schema: &str) -> BTreeSet<String> {
    let mut table = "";
    let mut columns = BTreeSet::new();
    for line in schema.lines().map(str::trim).filter(|line| !line.starts_with("diesel::joinable!")) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name;
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            let (kind, optional) = match kind.strip_prefix("Nullable<") {
                Some(kind) => (kind.trim_end_matches('>'), "?"),
                None => (kind, ""),
            };
            let array = kind.strip_prefix("Array<").map(|kind| kind.trim_end_matches('>'));
            let kind = format!("{}{}", if array.is_some() { "_" } else { "" }, array.unwrap_or(kind).to_lowercase());
            columns.insert(format!("{table}.{name} {kind}{optional}"));
        }
    }
    columns
}

#[test]
fn migrations_run_once() {
    let url = empty_database();
    run(async {
        assert_eq!(migrations::run(&url).await.unwrap().len(), 11);
        assert!(migrations::run(&url).await.unwrap().is_empty(), "the second run had something to do");
    });
}

#[test]
fn a_database_of_version_0_1_is_refused_with_the_way_to_carry_its_data_over() {
    let url = empty_database();
    run(async {
        let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
        let version_0_1 = "create table __diesel_schema_migrations (version varchar(50) primary key, \
                           run_on timestamp not null default current_timestamp); \
                           insert into __diesel_schema_migrations (version) values ('00000000000000'), ('20261124000001')";
        diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, version_0_1).await.unwrap();
        let refused = migrations::run(&url).await.unwrap_err().to_string();
        assert!(refused.contains("pg_dump --data-only --disable-triggers"), "{refused}");
        assert!(refused.contains("docs/operations.md"), "{refused}");
    });
}

#[test]
fn a_database_that_is_newer_is_refused() {
    let url = empty_database();
    run(async {
        migrations::run(&url).await.unwrap();
        let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
        let newer = "insert into __diesel_schema_migrations (version) values ('29990101000001')";
        diesel::sql_query(newer).execute(&mut conn).await.unwrap();
        let refused = migrations::run(&url).await.unwrap_err().to_string();
        assert!(refused.contains("29990101000001") && refused.contains("newer"), "{refused}");
    });
}

#[tokio::test]
async fn the_clock_of_the_database_can_be_set() {
    let query = "select format('%s, %s', clock_now() - now(), pg_typeof(clock_now())) as line \
                 from set_config('kuntatutorit.clock_offset', '61 days', false)";
    let url = fresh_database();
    assert_eq!(lines(&url, query).await, ["61 days, timestamp with time zone"]);
    assert_eq!(lines(&url, "select (clock_now() - now())::text as line").await, ["00:00:00"]);
}

#[tokio::test]
async fn every_rule_of_the_database_is_told() {
    // Primary keys of ids and of links cannot be broken by a caller, nor can what the service alone writes,
    // nor what triggers keep: the roll-ups of feedback.
    let query = "select conname as line from pg_constraint c join pg_namespace n on n.oid = c.connamespace \
                 where n.nspname = 'public' and contype in ('c', 'u', 'f', 'p')";
    let ours = |name: &String| {
        let internal = [
            "changes_",
            "client_secrets_",
            "idempotency_keys_",
            "feedback_comments_",
            "feedback_summaries_",
            "feedback_tallies_",
            "feedback_tally_states_",
            "invitations_",
            "refresh_tokens_",
            "search_synonym_",
            "sessions_",
            "sign_in_failures_",
            "__diesel",
        ];
        let automatic = [
            "_pkey",
            "_hash_length",
            "_secret_unique",
            "_one_owner",
            "_id_municipality_unique",
            "_event_id_fkey",
            "_tutor_id_fkey",
            "_feedback_id_fkey",
            "_client_id_fkey",
        ];
        let keyed = ["municipalities_pkey", "themes_pkey"].contains(&name.as_str());
        keyed
            || (!internal.iter().any(|start| name.starts_with(start))
                && !automatic.iter().any(|end| name.ends_with(end)))
    };
    let stored: BTreeSet<String> = lines(&fresh_database(), query).await.into_iter().filter(ours).collect();
    let told: BTreeSet<String> = RULES.iter().map(|rule| rule.constraint.to_owned()).collect();
    let missing: Vec<_> = stored.difference(&told).collect();
    assert!(missing.is_empty(), "not in src/rules.rs: {missing:?}");
    // What triggers raise has a name too, but no constraint.
    let raised = [
        "client_secrets_at_most_two",
        "events_completed_after_end",
        "events_status_transition",
        "feedback_event_has_started",
        "feedback_within_60_days",
        "last_coordinator",
        "themes_parent_acyclic",
    ];
    let gone: Vec<_> = told.difference(&stored).filter(|name| !raised.contains(&name.as_str())).collect();
    assert!(gone.is_empty(), "in src/rules.rs, but not in the database: {gone:?}");
}

#[tokio::test]
async fn every_table_and_column_has_a_comment() {
    let query = "select format('%s.%s', c.relname, a.attname) as line from pg_attribute a \
                 join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace \
                 where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped \
                 and c.relname <> '__diesel_schema_migrations' \
                 and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)";
    assert_eq!(lines(&fresh_database(), query).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_code_is_explained() {
    let page = Server::start().anonymous().get("/docs/problems").await.expect(200);
    for code in CODES.iter().map(|(code, _)| *code).chain(RULES.iter().map(|rule| rule.constraint)) {
        assert!(page.text.contains(&format!("id=\"{code}\"")), "{code}");
    }
}

/// Where a response or a schema really stands.
fn followed<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

#[test]
fn every_answer_has_an_example() {
    let document = serde_json::to_value(app::document()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    for (path, operation) in paths.flat_map(|(path, item)| item.as_object().unwrap().values().map(move |o| (path, o))) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let media = followed(response, &document)["content"].as_object().into_iter().flatten();
            for (media_type, content) in media.filter(|(media_type, _)| media_type.ends_with("json")) {
                let at = format!("{} of {path}: {status} {media_type}", operation["operationId"]);
                let schema = followed(&content["schema"], &document);
                let example = if content["example"].is_null() { &schema["example"] } else { &content["example"] };
                assert!(example.is_object() || path == "/openapi.json", "{at} has no example");
            }
        }
    }
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let status = &response["content"]["application/problem+json"]["example"]["status"];
        assert!(status.is_u64(), "{name} has no example of its own");
    }
}
