//! More than 2,000 rows in every table that grows.

use std::collections::BTreeMap;

use diesel_async::SimpleAsyncConnection as _;
use kuntatutorit::{db, seed::generated::generate};

use crate::support::{
    Server,
    databases::{fresh_database, parameters},
    rows::Rows,
    sql::query_lines_at,
};
use kuntatutorit::registry::{COLLECTIONS, Collection};

/// Tables with fewer rows are not checked.
pub(super) const MANY: usize = 2000;
/// How many copies of a row a collection gets that the generated data does not fill.
const COPIES: usize = 10_000;
/// Collections that stay small, each with the reason.
const SMALL: &[(&str, &str)] = &[
    ("municipalities", "Finland has about 300 municipalities"),
    ("themes", "the coordinator keeps a list of some dozens"),
];
/// Rows in the tables without a collection. The older half of the feedback is another system's. The rare municipality
/// is in another region, one event in a hundred lasts a month, and one account has given feedback.
const SERVICE_TABLES: &str = "
    update municipalities set region_code = '19' where code = '616';
    update events set ends_at = starts_at + interval '30 days' where hashtext(id::text) % 100 = 0;
    update calendar_links set account_id = null, client_id = (select id from clients limit 1) where id::text < '2';
    update feedback set source = 'older' where id < (select id from feedback order by id offset 10000 limit 1);
    update feedback set source = 'kuntatutorit', respondent = (select account_id::text from calendar_links order by account_id limit 1)
      where id in (select distinct on (event_id) id from feedback order by event_id, id limit 50);
    insert into client_secrets (id, client_id, secret_hash) select gen_random_uuid(), id, sha256(id::text::bytea) from clients;
    insert into sessions (id, account_id) select gen_random_uuid(), id from accounts;
    insert into refresh_tokens (token_hash, session_id) select sha256(id::text::bytea), id from sessions on conflict do nothing;
    insert into invitations (account_id, secret_hash) select id, sha256(email::bytea) from accounts on conflict do nothing;
    insert into idempotency_keys (caller, key, fingerprint, path, etag, body)
      select i, i, sha256(i::text::bytea), '', '', '' from generate_series(1, 3000) as i;
    insert into sign_in_failures (subject, address) select sha256(i::text::bytea), '' from generate_series(1, 3000) as i;";

/// Returns a database with the generated data, and at least [`COPIES`] rows in every other collection that grows.
pub(super) async fn filled_database() -> String {
    let url = fresh_database();
    generate(&parameters(&url), 20, |_| {}).await.unwrap();
    let server = Server::on(url.clone(), &[]);
    Rows::of(&server, "092").await;
    let mut statements = vec!["set statement_timeout = 0; set session_replication_role = replica".to_owned()];
    let mut collections = Vec::new();
    for collection in COLLECTIONS.iter().filter(|of| !SMALL.iter().any(|(name, _)| *name == of.name)) {
        collections.push((foreign_keys(&url, collection).await, collection));
    }
    // Tables without foreign keys come first, so that the others can refer to their copies.
    collections.sort_by_key(|(foreign_keys, _)| foreign_keys.len());
    for (foreign_keys, collection) in collections {
        if count(&url, collection).await < MANY {
            statements.push(copies(&url, collection, &foreign_keys).await);
        }
    }
    statements.extend([SERVICE_TABLES.to_owned(), "set session_replication_role = origin; analyze".to_owned()]);
    let mut conn = db::establish(&parameters(&url)).await.unwrap();
    conn.batch_execute(&statements.join(";")).await.unwrap();
    for collection in COLLECTIONS.iter().filter(|of| !SMALL.iter().any(|(name, _)| *name == of.name)) {
        let rows = count(&url, collection).await;
        assert!(rows > MANY, "{} has only {rows} rows, so its plans prove nothing", collection.name);
    }
    url
}

async fn count(url: &str, collection: &Collection) -> usize {
    let query = format!("select count(*)::text as line from {}", collection.table());
    query_lines_at(url, &query).await[0].parse().unwrap()
}

/// Returns the columns of a collection that refer to the `id` of another table, with that table.
async fn foreign_keys(url: &str, collection: &Collection) -> BTreeMap<String, String> {
    let query = format!(
        "select a.attname || ' ' || k.confrelid::regclass as line from pg_constraint k \
         join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1] \
         join pg_attribute r on r.attrelid = k.confrelid and r.attnum = k.confkey[1] and r.attname = 'id' \
         where k.contype = 'f' and k.conrelid = '{}'::regclass",
        collection.table()
    );
    let lines = query_lines_at(url, &query).await;
    lines
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(column, to)| (column.to_owned(), to.to_owned()))
        .collect()
}

/// Returns a statement that copies the newest row of a collection. Every hundredth copy belongs to Pornainen, the others to
/// Espoo. A tenth is in each hidden state, and a tenth comes from another source. The last value in a unique index gets a
/// number, and foreign keys refer to the rows of their table in turn.
async fn copies(url: &str, collection: &Collection, foreign_keys: &BTreeMap<String, String>) -> String {
    let table = collection.table();
    let query = format!(
        "select format('%s %s %s', a.attname, format_type(a.atttypid, null), exists (select from pg_index \
         where indrelid = a.attrelid and indisunique and a.attnum = indkey[indnkeyatts - 1])) as line \
         from pg_attribute a where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''"
    );
    let mut values = BTreeMap::new();
    for line in query_lines_at(url, &query).await {
        let (column, rest) = line.split_once(' ').unwrap();
        let (kind, unique) = rest.rsplit_once(' ').unwrap();
        let is_code = collection.municipality_codes.contains(&column);
        let value = match (kind, unique) {
            _ if foreign_keys.contains_key(column) => {
                let to = &foreign_keys[column];
                format!("case when {column} is not null then (select ids[1 + i % cardinality(ids)] from {to}_ids) end")
            }
            ("text", _) if is_code => "case when i % 100 = 0 then '616' else '049' end".to_owned(),
            ("uuid", _) if column == collection.key => "gen_random_uuid()".to_owned(),
            ("text", "t") => format!("i || coalesce({column}, '')"),
            ("text", _) if column == "source" => "case when i % 10 = 0 then 'older' else source end".to_owned(),
            ("text", _) if column == "status" => status(collection),
            ("bytea", "t") => "sha256(i::text::bytea)".to_owned(),
            _ => column.to_owned(),
        };
        values.insert(column.to_owned(), value);
    }
    let columns = values.keys().cloned().collect::<Vec<_>>().join(", ");
    let values = values.into_values().collect::<Vec<_>>().join(", ");
    let ids = foreign_keys.values().map(|to| format!("{to}_ids as (select array_agg(id) as ids from {to})"));
    let ids: std::collections::BTreeSet<_> = ids.collect();
    let with =
        if ids.is_empty() { String::new() } else { format!("with {}", ids.into_iter().collect::<Vec<_>>().join(", ")) };
    format!(
        "{with} insert into {table} ({columns}) select {values} from \
         (select * from {table} order by created_at desc limit 1) as newest, generate_series(1, {COPIES}) as i"
    )
}

/// Returns an expression for the status of a copy. It does not depend on the municipality: see [`copies`].
fn status(collection: &Collection) -> String {
    let hidden = collection.hidden_states.iter().enumerate();
    let cases: Vec<_> = hidden.map(|(index, state)| format!("when {index} then '{state}'")).collect();
    if cases.is_empty() {
        "status".to_owned()
    } else {
        format!("case i / 100 % 10 {} else status end", cases.join(" "))
    }
}
