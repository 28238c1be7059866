//! The OpenAPI document equals the code, `src/schema.rs` equals the database, and every constraint of the database has
//! a problem of its own.

use std::{collections::BTreeSet, fs, path::Path};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{
    db::migrations,
    http::openapi::operations,
    problem::{CODES, constraints::RULES},
    registry::COLLECTIONS,
    server,
};
use serde_json::Value;

use crate::support::{
    Server,
    databases::{empty_database, fresh_database, parameters, run},
    rows::creation,
    sql::{Constraint, constraints, query_lines_at},
};

#[test]
fn the_committed_document_equals_the_one_that_the_code_makes() {
    let committed = include_str!("../../../openapi/openapi.json");
    let current = server::document().to_pretty_json().unwrap() + "\n";
    assert!(
        committed == current,
        "openapi/openapi.json differs from the code: run `make openapi` and look at the diff"
    );
}

#[test]
fn every_operation_has_an_id_texts_one_tag_and_its_security() {
    let document = server::document();
    let mut ids = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations::operations(item) {
            let at = format!("{method} {path}");
            let id = operation.operation_id.as_deref().unwrap_or_else(|| panic!("{at} has no operationId"));
            assert!(ids.insert(id.to_owned()), "the operationId {id} is used twice");
            assert!(operation.summary.as_ref().is_some_and(|text| !text.is_empty()), "{at} has no summary");
            assert!(operation.description.as_ref().is_some_and(|text| !text.is_empty()), "{at} has no description");
            assert_eq!(operation.tags.as_ref().map(Vec::len), Some(1), "{at} must have exactly one tag");
            assert!(operation.security.is_some(), "{at} has no `security`");
            for parameter in operation.parameters.iter().flatten() {
                let parameter = serde_json::to_value(parameter).unwrap();
                let told = parameter["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(told, "{at}: {} has no description", parameter["name"]);
            }
        }
    }
}

#[test]
fn every_reference_in_the_document_resolves() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    assert!(
                        document.pointer(reference.trim_start_matches('#')).is_some(),
                        "the document does not define {reference}"
                    );
                }
                fields.values().for_each(|field| walk(field, document));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, document)),
            _ => {}
        }
    }
    let document = serde_json::to_value(server::document()).unwrap();
    walk(&document, &document);
}

#[test]
fn the_document_lists_enum_values_as_they_are_sent() {
    let document = serde_json::to_value(server::document()).unwrap();
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
async fn schema_rs_equals_the_database() {
    let query = "select format('%s.%s %s%s', table_name, column_name, udt_name, case is_nullable when 'YES' then '?' else '' end) as line \
                 from information_schema.columns where table_schema = 'public' \
                 and table_name not in ('__diesel_schema_migrations')";
    let actual: BTreeSet<String> = query_lines_at(&fresh_database(), query).await.into_iter().collect();
    assert_eq!(declared(include_str!("../../../src/schema.rs")), actual, "src/schema.rs differs from the migrations");
}

/// Returns the columns of `schema.rs`, written like the rows of the query above.
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
    let written = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).unwrap().count();
    run(async {
        assert_eq!(migrations::run(&parameters(&url)).await.unwrap().len(), written);
        assert!(migrations::run(&parameters(&url)).await.unwrap().is_empty(), "the second run had something to do");
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
        let refused = migrations::run(&parameters(&url)).await.unwrap_err().to_string();
        assert!(refused.contains("pg_dump --data-only --disable-triggers"), "{refused}");
        assert!(refused.contains("docs/operations.md"), "{refused}");
    });
}

#[test]
fn the_service_refuses_a_database_of_a_newer_version() {
    let url = empty_database();
    run(async {
        migrations::run(&parameters(&url)).await.unwrap();
        let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
        let newer = "insert into __diesel_schema_migrations (version) values ('29990101000001')";
        diesel::sql_query(newer).execute(&mut conn).await.unwrap();
        let refused = migrations::run(&parameters(&url)).await.unwrap_err().to_string();
        assert!(refused.contains("29990101000001") && refused.contains("newer"), "{refused}");
    });
}

#[tokio::test]
async fn the_clock_of_the_database_can_be_set() {
    let query = "select format('%s, %s', clock_now() - now(), pg_typeof(clock_now())) as line \
                 from set_config('kuntatutorit.clock_offset', '61 days', false)";
    let url = fresh_database();
    assert_eq!(query_lines_at(&url, query).await, ["61 days, timestamp with time zone"]);
    assert_eq!(query_lines_at(&url, "select (clock_now() - now())::text as line").await, ["00:00:00"]);
}

/// Returns whether a request can break this constraint. The service and triggers alone write ids, hashes, and tables
/// without a collection, and these only refer to values that a caller sends.
fn a_request_can_break(constraint: &Constraint) -> bool {
    let Some(collection) = COLLECTIONS.iter().find(|collection| collection.table() == constraint.table) else {
        return constraint.kind == "f" && !constraint.cascades;
    };
    if constraint.kind == "p" || constraint.columns.iter().any(|column| column == "id") {
        return collection.key != "id";
    }
    let fields = &creation(collection.name).schema["properties"];
    constraint.columns.iter().any(|column| fields.get(column).is_some())
}

#[tokio::test]
async fn every_constraint_of_the_database_has_a_problem_of_its_own() {
    let url = fresh_database();
    let constraints = constraints(&url).await;
    let explained: BTreeSet<_> = RULES.iter().map(|rule| rule.constraint).collect();
    let breakable = constraints.iter().filter(|constraint| a_request_can_break(constraint)).map(|of| &*of.name);
    let missing: Vec<_> = breakable.filter(|name| !explained.contains(name)).collect();
    assert!(missing.is_empty(), "src/problem/constraints.rs lacks these constraints: {missing:?}");
    let functions =
        "select coalesce(string_agg(prosrc, ' '), '') as line from pg_proc where pronamespace = 'public'::regnamespace";
    // Triggers raise errors under names that are no constraint.
    let functions = query_lines_at(&url, functions).await.concat();
    let exists = |name: &str| constraints.iter().any(|of| of.name == name) || functions.contains(&format!("'{name}'"));
    let gone: Vec<_> = explained.iter().filter(|name| !exists(name)).collect();
    assert!(gone.is_empty(), "the database lacks these constraints of src/problem/constraints.rs: {gone:?}");
}

#[tokio::test]
async fn every_table_and_column_has_a_comment() {
    let query = "select format('%s.%s', c.relname, a.attname) as line from pg_attribute a \
                 join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace \
                 where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped \
                 and c.relname <> '__diesel_schema_migrations' \
                 and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)";
    assert_eq!(query_lines_at(&fresh_database(), query).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_service_explains_every_problem_code() {
    let page = Server::start().anonymous().get("/docs/problems").await.expect(200);
    for code in CODES.iter().map(|(code, _)| *code).chain(RULES.iter().map(|rule| rule.constraint)) {
        assert!(page.text.contains(&format!("id=\"{code}\"")), "{code}");
    }
}

#[test]
fn every_tag_has_operations_and_every_collection_has_its_tag() {
    let document = server::document();
    let operations = || {
        document.paths.paths.iter().flat_map(|(path, item)| {
            operations::operations(item).map(move |(_, operation)| (path, operation.tags.clone().unwrap()))
        })
    };
    let used: BTreeSet<_> = operations().flat_map(|(_, tags)| tags).collect();
    let described: Vec<_> = document.tags.iter().flatten().map(|tag| tag.name.clone()).collect();
    assert_eq!(used, described.iter().cloned().collect(), "the tags in use differ from the tags in the document");
    for collection in COLLECTIONS {
        let paths = [collection.path(), format!("{}/{{{}}}", collection.path(), collection.key)];
        for (path, tags) in operations().filter(|(path, _)| paths.contains(path)) {
            assert_eq!(tags, [collection.name], "{path}");
        }
    }
}
