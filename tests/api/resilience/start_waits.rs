//! What a start waits for is told, and the start goes on by itself.

use std::{
    fs::File,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use tempfile::NamedTempFile;

use crate::support::{databases::empty_database, process::program_on, sql::query_lines_at};

/// The advisory lock of migrations.
const LOCK: &str = "select pg_advisory_lock(118152108466548)";
/// The table in which Diesel notes the migrations.
const MIGRATIONS_TABLE: &str = "create table __diesel_schema_migrations \
                                (version varchar(50) primary key, run_on timestamp not null default current_timestamp)";
const LIMIT: Duration = Duration::from_mins(1);

/// A connection with this application name, which has run this statement.
async fn holder(url: &str, application: &str, statement: &str) -> AsyncPgConnection {
    let mut conn = AsyncPgConnection::establish(url).await.unwrap();
    diesel::sql_query(format!("set application_name = '{application}'")).execute(&mut conn).await.unwrap();
    diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    conn
}

async fn pid(conn: &mut AsyncPgConnection) -> i32 {
    #[derive(diesel::QueryableByName)]
    struct Backend {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        pid: i32,
    }
    let query = diesel::sql_query("select pg_backend_pid() as pid");
    query.get_result::<Backend>(conn).await.unwrap().pid
}

/// A command that runs in the background. What it prints goes to a file.
struct Running {
    process: Child,
    output: NamedTempFile,
}

impl Running {
    fn start(database_url: &str, command: &str) -> Self {
        let output = NamedTempFile::new().unwrap();
        let file = || -> Stdio { File::options().append(true).open(output.path()).unwrap().into() };
        let mut program = program_on(database_url);
        // The role decides what the message tells, also when the whole suite runs as another role.
        program.env("DATABASE_URL", database_url);
        program.args(command.split(' ')).env("PORT", "0").env("LOG_FORMAT", "json").stdout(file()).stderr(file());
        Self { process: program.spawn().unwrap(), output }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.output.path()).unwrap()
    }

    /// Waits until the command has printed this, and returns all that it printed.
    async fn printed(&self, wanted: &str) -> String {
        let began = Instant::now();
        while !self.text().contains(wanted) {
            assert!(began.elapsed() < LIMIT, "no `{wanted}` in: {}", self.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.text()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The command may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A new role that owns this database and may see little of other users' sessions. Returns the URL for it.
async fn as_ordinary_role(url: &str) -> String {
    let name = Path::new(url).file_name().unwrap().to_str().unwrap();
    let mut conn = AsyncPgConnection::establish(url).await.unwrap();
    for statement in [format!("create role owner_{name} login"), format!("alter database {name} owner to owner_{name}")]
    {
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    }
    url.replacen("postgres@", &format!("owner_{name}@"), 1)
}

#[tokio::test]
async fn a_start_tells_which_connection_holds_the_lock_that_it_waits_for() {
    // A service that waits for the lock of migrations.
    let url = empty_database();
    let mut leaked = holder(&url, "pooler", LOCK).await;
    let service = Running::start(&url, "serve");
    // A role that sees only part of another user's session.
    let other_url = empty_database();
    let unseen = holder(&other_url, "backup", LOCK).await;
    let ordinary = Running::start(&as_ordinary_role(&other_url).await, "serve");
    // A command whose migration waits for a table.
    let table_url = empty_database();
    let mut reader = holder(&table_url, "reader", MIGRATIONS_TABLE).await;
    for statement in ["begin", "lock table __diesel_schema_migrations in share mode"] {
        diesel::sql_query(statement).execute(&mut reader).await.unwrap();
    }
    let migrate = Running::start(&table_url, "migrate");

    let text = service.printed("waits for a lock in PostgreSQL").await;
    let process = pid(&mut leaked).await;
    for expected in [
        "the migration of the database waits for a lock in PostgreSQL",
        "\"lock\":\"advisory\"",
        &format!("process {process}, application pooler, user postgres, over a Unix socket, connected since 20"),
        ", idle since 20",
        &format!("`select pg_terminate_backend({process})`"),
    ] {
        assert!(text.contains(expected), "no `{expected}` in: {text}");
    }
    let text = ordinary.printed("waits for a lock in PostgreSQL").await;
    let expected = "application backup, user postgres, this role may not see more, only a member of pg_read_all_stats";
    assert!(text.contains(expected), "{text}");

    drop((leaked, unseen));
    for started in [service, ordinary] {
        let text = started.printed("Kuntatutorit serves").await;
        assert_eq!(text.matches("waits for a lock").count(), 1, "{text}");
    }
    let text = migrate.printed("waits for a lock in PostgreSQL").await;
    let expected = "application reader, user postgres, over a Unix socket";
    assert!(text.contains("relation on __diesel_schema_migrations") && text.contains(expected), "{text}");
    diesel::sql_query("rollback").execute(&mut reader).await.unwrap();
    migrate.printed("Ran the migrations").await;
}

#[tokio::test]
async fn commands_that_start_together_on_an_empty_database_load_the_data_once() {
    let url = empty_database();
    let mut started: Vec<_> = (0..4).map(|_| Running::start(&url, "seed")).collect();
    let ended = tokio::task::spawn_blocking(move || {
        let succeeded = started.iter_mut().all(|command| command.process.wait().unwrap().success());
        (succeeded, started.iter().map(Running::text).collect::<String>())
    });
    let (succeeded, text) = ended.await.unwrap();
    assert!(succeeded, "{text}");
    assert_eq!(text.matches("26 municipalities").count(), 1, "{text}");
    assert_eq!(query_lines_at(&url, "select count(*)::text as line from municipalities").await, ["26"]);
}
