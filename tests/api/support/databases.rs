//! One PostgreSQL for the whole run, in memory if there is room, with a fresh database for each test. Each is a copy of
//! a template that is migrated and has the reference data.

use std::{
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{
    connection_parameters::ConnectionParameters,
    db::{
        establish, migrations,
        private_postgres::{Options, PrivatePostgres},
    },
    resources::feedback::summaries::verify::{self, Difference},
    seed,
};

use super::pooler::Pooler;

/// Ends with the test process: its supervisor sees the pipe close.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

/// A role without special rights.
const ROLE: &str = "ordinary";

struct Cluster {
    postgres: PrivatePostgres,
    data_dir: PathBuf,
    next: AtomicU32,
}

/// Returns the URL of a new database with the reference data.
pub(crate) fn fresh_database() -> String {
    let name = format!("test_{}", CLUSTER.next.fetch_add(1, Ordering::Relaxed));
    CLUSTER.copy(&name, "template_seeded");
    CLUSTER.postgres.url(&name)
}

/// Returns what `kuntatutorit verify` finds in this database.
pub(crate) async fn summary_differences(database_url: &str) -> Vec<Difference> {
    let mut conn = establish(&parameters(database_url)).await.unwrap();
    verify::run(&mut conn).await.unwrap()
}

/// Returns the URL of a new empty database without migrations.
pub(crate) fn empty_database() -> String {
    let name = format!("test_{}", CLUSTER.next.fetch_add(1, Ordering::Relaxed));
    CLUSTER.copy(&name, "template0");
    CLUSTER.postgres.url(&name)
}

/// Returns the connection parameters of a URL.
pub(crate) fn parameters(url: &str) -> ConnectionParameters {
    ConnectionParameters::parse(url).unwrap()
}

/// Returns the URL by which the service reaches a database of a test: the same, unless the whole suite runs through a
/// pooler (`THROUGH=pgbouncer`) or with an ordinary role (`THROUGH=role`). The test itself is always a superuser.
pub(crate) fn service_url(url: &str) -> String {
    static POOLER: LazyLock<Pooler> =
        LazyLock::new(|| Pooler::start("session", CLUSTER.data_dir.join("socket").to_str().unwrap(), "5432").unwrap());
    let Some(database) = url.strip_prefix(&CLUSTER.postgres.url("")) else { return url.to_owned() };
    match through().as_deref() {
        Some("pgbouncer") => POOLER.url(database),
        Some("role") => url.replacen("postgres@", &format!("{ROLE}@"), 1),
        _ => url.to_owned(),
    }
}

fn through() -> Option<String> {
    std::env::var("THROUGH").ok()
}

/// Returns everything that PostgreSQL has logged so far.
pub(crate) fn log() -> String {
    std::fs::read_to_string(CLUSTER.data_dir.join("postgres.log")).unwrap()
}

/// Runs a future to completion from any thread, on a multi-thread runtime, which migrations need.
pub(crate) fn run<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        scope.spawn(move || runtime().block_on(work)).join().unwrap()
    })
}

impl Cluster {
    fn start() -> Self {
        let shm = Path::new("/dev/shm");
        let base = if has_room(shm) { shm.into() } else { std::env::temp_dir() };
        remove_left_over(&base);
        let data_dir = base.join(format!("kuntatutorit-tests-{}", std::process::id()));
        let options = Options { durable: false, max_connections: 500, ..Options::new(&data_dir) };
        let cluster = Self { postgres: PrivatePostgres::start(&options).unwrap(), data_dir, next: AtomicU32::new(0) };
        run(async {
            let mut conn = AsyncPgConnection::establish(&cluster.postgres.url("postgres")).await.unwrap();
            diesel::sql_query(format!("create role {ROLE} login")).execute(&mut conn).await.unwrap();
        });
        cluster.copy("template_seeded", "template0");
        let mut url = cluster.postgres.url("template_seeded");
        if through().as_deref() == Some("role") {
            url = url.replacen("postgres@", &format!("{ROLE}@"), 1);
        }
        run(async {
            migrations::run(&parameters(&url)).await.unwrap();
            let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
            seed::load(&conn).await.unwrap();
            // Copies of the template inherit these statistics. Without them the planner would guess.
            diesel::sql_query("analyze").execute(&mut conn).await.unwrap();
        });
        cluster
    }

    fn copy(&self, name: &str, template: &str) {
        let url = self.postgres.url("postgres");
        run(async {
            let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
            let owner = if through().as_deref() == Some("role") { ROLE } else { "postgres" };
            let query = format!("create database {name} owner {owner} template {template} strategy file_copy");
            diesel::sql_query(query).execute(&mut conn).await.unwrap();
        });
    }
}

/// A database takes at least 8 MB, and a container often has only 64 MB of shared memory.
fn has_room(dir: &Path) -> bool {
    rustix::fs::statvfs(dir).is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) >= 2 << 30)
}

/// Removes the data of runs that have ended, which could not remove it themselves.
fn remove_left_over(base: &Path) {
    for entry in std::fs::read_dir(base).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let Some(pid) = name.strip_prefix("kuntatutorit-tests-") else { continue };
        if !PathBuf::from("/proc").join(pid).exists() {
            // Another user's data cannot be removed, which is fine.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
