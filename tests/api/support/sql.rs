//! SQL that a test runs on its server's database.

use std::time::{Duration, Instant};

use diesel::sql_types::Text;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};

use super::Server;

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Returns the column `line` of the rows that this query returns.
pub(crate) async fn query_lines(server: &Server, query: &str) -> Vec<String> {
    query_lines_at(&server.database_url, query).await
}

/// Returns the column `line` of the rows that this query returns in this database.
pub(crate) async fn query_lines_at(database_url: &str, query: &str) -> Vec<String> {
    let mut conn = AsyncPgConnection::establish(database_url).await.unwrap();
    let rows: Vec<Line> = diesel::sql_query(query).load(&mut conn).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// Runs this statement and returns the name of the constraint that it breaks, if it breaks one.
pub(crate) async fn broken_constraint(server: &Server, statement: &str) -> Option<String> {
    let mut conn = AsyncPgConnection::establish(&server.database_url).await.unwrap();
    match diesel::sql_query(statement).execute(&mut conn).await {
        Err(diesel::result::Error::DatabaseError(_, info)) => Some(info.constraint_name().unwrap().to_owned()),
        outcome => outcome.map(|_| None).unwrap(),
    }
}

/// Makes each later `insert` or `update` of a row of this table take this many seconds.
pub(crate) async fn slow_down(server: &Server, operation: &str, table: &str, seconds: f32) {
    let function = format!(
        "create or replace function slow() returns trigger language plpgsql as \
         'begin perform pg_sleep({seconds}); return new; end'"
    );
    server.execute(&function).await;
    let trigger = format!("create trigger slow before {operation} on {table} for each row execute function slow()");
    server.execute(&trigger).await;
}

/// Waits at most ten seconds until this many statements sleep at once in what [`slow_down`] slowed down.
pub(crate) async fn wait_for_sleepers(server: &Server, count: usize) {
    let sleeping = "select pid::text as line from pg_stat_activity \
                    where datname = current_database() and wait_event = 'PgSleep'";
    let (began, mut most) = (Instant::now(), 0);
    while most < count {
        assert!(began.elapsed() < Duration::from_secs(10), "at most {most} statements slept at once, not {count}");
        most = most.max(query_lines(server, sleeping).await.len());
    }
}

/// A constraint of the database.
pub(crate) struct Constraint {
    pub(crate) name: String,
    /// `c` check, `u` unique, `f` foreign key, `p` primary key.
    pub(crate) kind: String,
    /// Whether deleting the row that a foreign key refers to deletes this row.
    pub(crate) cascades: bool,
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
}

/// Returns the constraints of this database.
pub(crate) async fn constraints(database_url: &str) -> Vec<Constraint> {
    let query = "select format('%s %s %s %s %s', conname, contype, confdeltype = 'c', conrelid::regclass, \
                 (select string_agg(attname, ',') from pg_attribute where attrelid = conrelid and attnum = any (conkey))) as line \
                 from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'u', 'f', 'p') \
                 and conrelid <> 0 and conname not like '\\_\\_diesel%'";
    let lines = query_lines_at(database_url, query).await;
    let parsed = lines.iter().map(|line| {
        let [name, kind, cascades, table, columns] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        Constraint {
            name: name.to_owned(),
            kind: kind.to_owned(),
            cascades: cascades == "t",
            table: table.to_owned(),
            columns: columns.split(',').map(str::to_owned).collect(),
        }
    });
    parsed.collect()
}
