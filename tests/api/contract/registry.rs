//! The registry of collections is complete: it knows every table, every path, every column with personal data and every
//! column that holds a municipality's code.

use std::collections::{BTreeMap, BTreeSet};

use kuntatutorit::{resources::directory::municipalities::merger::columns::COLUMNS, seed::generated::generate};
use serde_json::json;

use crate::support::{
    Server,
    databases::{fresh_database, parameters},
    document::{Operation, operations},
    rows::Rows,
    sql::{query_lines, query_lines_at},
};
use kuntatutorit::registry::{COLLECTIONS, Collection, SERVICE_TABLES, of_path};

/// Paths that belong to no collection, each with the reason.
const SERVICE_PATHS: &[(&str, &str)] = &[
    ("/.well-known/", "the keys and the metadata of the token endpoint"),
    ("/calendar/", "calendars at secret addresses, for programs that send no token"),
    ("/docs/", "the documentation"),
    ("/", "the addresses of the service"),
    ("/livez", "a health check"),
    ("/openapi.json", "the document itself"),
    ("/readyz", "a health check"),
    ("/v1/about", "the data sources and their licences"),
    ("/v1/auth/", "signing in"),
    ("/v1/changes", "the ledger of changes to all collections"),
    ("/v1/me", "the caller's own account"),
];

/// Parts of column names that suggest personal data.
const PERSONAL_NAMES: &[&str] = &[
    "name",
    "email",
    "phone",
    "contact",
    "comment",
    "respondent",
    "external",
    "address",
    "message",
    "person",
    "birth",
    "note",
    "sender",
    "recipient",
    "author",
    "actor",
];
/// Words in comments on columns that suggest personal data.
const PERSONAL_COMMENTS: &[&str] = &["personal data", "e-mail", "phone", "network address"];

/// The columns that the registry lists for a table.
struct Known {
    personal: &'static [&'static str],
    public: &'static [&'static str],
    municipality_codes: &'static [&'static str],
}

/// Returns the tables of the registry by name.
fn known_tables() -> BTreeMap<String, Known> {
    let collections = COLLECTIONS.iter().map(|of| {
        (of.table(), Known { personal: of.personal, public: of.public, municipality_codes: of.municipality_codes })
    });
    let tables = SERVICE_TABLES.iter().map(|of| {
        let known = Known { personal: of.personal, public: of.public, municipality_codes: of.municipality_codes };
        (of.name.to_owned(), known)
    });
    collections.chain(tables).collect()
}

/// Returns `table.column`, separated by a space from what this expression says about it, for every stored column.
async fn columns(database_url: &str, expression: &str) -> Vec<(String, String, String)> {
    let query = format!(
        "select format('%s %s %s', c.relname, a.attname, {expression}) as line from pg_attribute a \
         join pg_class c on c.oid = a.attrelid where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') \
         and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by c.relname, a.attnum"
    );
    let lines = query_lines_at(database_url, &query).await;
    let parts = lines.iter().map(|line| {
        let mut parts = line.splitn(3, ' ').map(str::to_owned);
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    });
    parts.collect()
}

#[tokio::test]
async fn the_registry_knows_every_table() {
    let query = "select relname::text as line from pg_class \
                 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')";
    let tables: BTreeSet<String> = query_lines_at(&fresh_database(), query).await.into_iter().collect();
    let known: BTreeSet<String> = known_tables().into_keys().collect();
    let unknown: Vec<_> = tables.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "src/registry.rs knows nothing of these tables: {unknown:?}. Add a collection, or an entry of SERVICE_TABLES with \
         the reason"
    );
    let gone: Vec<_> = known.difference(&tables).collect();
    assert!(gone.is_empty(), "src/registry.rs lists tables that do not exist: {gone:?}");
    assert!(SERVICE_TABLES.iter().all(|table| !table.reason.is_empty()));
}

#[tokio::test]
async fn the_registry_lists_only_columns_that_exist() {
    let all: BTreeSet<_> =
        columns(&fresh_database(), "''").await.into_iter().map(|(table, name, _)| (table, name)).collect();
    for (table, known) in known_tables() {
        for column in [known.personal, known.public, known.municipality_codes].concat() {
            assert!(
                all.contains(&(table.clone(), column.to_owned())),
                "src/registry.rs lists {table}.{column}, which does not exist"
            );
        }
    }
}

#[test]
fn the_registry_knows_every_path() {
    let unknown: BTreeSet<_> = operations()
        .into_iter()
        .filter(|operation| of_path(&operation.path).is_none())
        .filter(|operation| !SERVICE_PATHS.iter().any(|(start, _)| operation.path.starts_with(start)))
        .map(|operation| operation.path)
        .collect();
    assert!(
        unknown.is_empty(),
        "src/registry.rs knows nothing of these paths: {unknown:?}. Add a collection, or an entry of SERVICE_PATHS in \
         tests/api/contract/registry.rs with the reason"
    );
}

/// Asserts that the document has this operation with this scope.
fn assert_operation(all: &[Operation], method: &str, path: &str, scope: &str) {
    let operation = all.iter().find(|operation| operation.method == method && operation.path == path);
    let operation =
        operation.unwrap_or_else(|| panic!("the registry has {path}, but the document has no {method} {path}"));
    assert_eq!(operation.scopes, [scope], "{method} {path} must need the scope of the registry");
}

#[test]
fn every_collection_of_the_registry_can_be_listed_created_and_read() {
    let all = operations();
    for Collection { key, read, write, .. } in COLLECTIONS {
        let path = format!("/v1/{}", read.name.trim_end_matches(":read"));
        assert_operation(&all, "GET", &path, read.name);
        assert_operation(&all, "POST", &path, write.name);
        assert_operation(&all, "GET", &format!("{path}/{{{key}}}"), read.name);
    }
}

#[tokio::test]
async fn the_registry_lists_every_column_with_personal_data() {
    let known = known_tables();
    let mut unlisted = Vec::new();
    for (table, column, comment) in columns(&fresh_database(), "coalesce(col_description(c.oid, a.attnum), '')").await {
        let by_name = column.split('_').any(|part| PERSONAL_NAMES.contains(&part.trim_end_matches('s')));
        let comment = comment.to_lowercase();
        let by_comment = PERSONAL_COMMENTS.iter().any(|word| comment.contains(word));
        let listed = known.get(&table).is_some_and(|known| [known.personal, known.public].concat().contains(&&*column));
        if (by_name || by_comment) && !listed {
            unlisted.push(format!("{table}.{column}"));
        }
    }
    assert!(
        unlisted.is_empty(),
        "the names or comments of these columns suggest personal data: {}. List each in src/registry.rs, as personal or as \
         public",
        unlisted.join(", ")
    );
}

/// Returns an expression that says whether a column holds codes of municipalities: by a foreign key, by its name, or by
/// its values.
fn holds_codes(table: &str, column: &str, kind: &str) -> Option<String> {
    let of_municipality = "in (select code from municipalities)";
    let value = format!("\"{column}\"");
    let values = match kind {
        "text" => format!("count({value}) > 0 and coalesce(bool_and({value} {of_municipality}), false)"),
        "text[]" => format!(
            "coalesce(bool_and((select bool_and(code {of_municipality}) from unnest({value}) as code)) \
             filter (where {value} <> '{{}}'), false)"
        ),
        "jsonb" => format!("coalesce(bool_or(jsonb_path_exists({value}, 'strict $.**.municipality_code')), false)"),
        _ => return None,
    };
    Some(format!("select ({values})::text as line from \"{table}\""))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_lists_every_column_with_municipality_codes() {
    let server = Server::start();
    generate(&parameters(&server.database_url), 1, |_| {}).await.unwrap();
    Rows::of(&server, "049").await;
    let venue = json!({"municipality_code": "049", "address": "Kirjastokatu 1"}).to_string();
    server
        .execute(&format!(
            "update events set venue = '{venue}', modality = 'onsite' where host_municipality_code = '049'"
        ))
        .await;
    let references = "(select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' \
                       and k.confrelid = 'municipalities'::regclass and a.attnum = any (k.conkey)) \
                      || ' ' || format_type(a.atttypid, a.atttypmod)";
    let (known, mut unlisted) = (known_tables(), Vec::new());
    for (table, column, told) in columns(&server.database_url, references).await {
        let (references, kind) = told.split_once(' ').unwrap();
        let listed = known.get(&table).is_some_and(|known| known.municipality_codes.contains(&&*column));
        let mut holds = references != "0" || column.ends_with("municipality_code");
        if let Some(query) = holds_codes(&table, &column, kind).filter(|_| !holds) {
            holds = query_lines(&server, &query).await == ["true"];
        }
        if holds && !listed {
            unlisted.push(format!("{table}.{column}"));
        }
        assert!(
            holds || !listed,
            "src/registry.rs lists {table}.{column}, but the column holds no code of a municipality"
        );
    }
    assert!(
        unlisted.is_empty(),
        "these columns hold codes of municipalities: {}. List each in src/registry.rs",
        unlisted.join(", ")
    );
}

#[test]
fn a_merger_knows_every_column_with_municipality_codes() {
    let listed: BTreeSet<_> = COLUMNS.iter().map(|of| (of.table.to_owned(), of.column)).collect();
    let tables = known_tables();
    let codes =
        tables.iter().flat_map(|(table, known)| known.municipality_codes.iter().map(|column| (table.clone(), *column)));
    let known: BTreeSet<_> = codes.collect();
    assert_eq!(
        listed, known,
        "src/resources/directory/municipalities/merger/columns.rs must say what a merger does with each column"
    );
    assert_eq!(COLUMNS.len(), listed.len());
}

#[tokio::test]
async fn the_ledger_records_the_collections_of_the_registry() {
    let server = Server::start();
    Rows::of(&server, "049").await;
    server.execute("truncate changes").await;
    for collection in COLLECTIONS {
        server.execute(&format!("update {} set updated_at = now()", collection.table())).await;
    }
    let recorded = query_lines(&server, "select distinct resource as line from changes order by 1").await;
    let mut expected: Vec<_> = COLLECTIONS.iter().filter(|of| of.in_ledger).map(|of| of.name).collect();
    expected.sort_unstable();
    assert_eq!(recorded, expected);
}
