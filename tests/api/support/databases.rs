//! One PostgreSQL for the whole run, in memory where there is room; a database for each test, copied from
//! one that is migrated and has the reference data.

use std::{
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::{
    db::{
        local::{LocalPostgres, Options},
        migrations,
    },
    seed,
};

/// Ends with the process: its supervisor sees the pipe close.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

struct Cluster {
    postgres: LocalPostgres,
    data_dir: PathBuf,
    next: AtomicU32,
}

/// The URL of a database of its own, with the reference data.
pub(crate) fn fresh_database() -> String {
    let name = format!("test_{}", CLUSTER.next.fetch_add(1, Ordering::Relaxed));
    CLUSTER.copy(&name, "template_seeded");
    CLUSTER.postgres.url(&name)
}

/// The URL of an empty database, not even migrated.
pub(crate) fn empty_database() -> String {
    let name = format!("test_{}", CLUSTER.next.fetch_add(1, Ordering::Relaxed));
    CLUSTER.copy(&name, "template0");
    CLUSTER.postgres.url(&name)
}

/// What PostgreSQL has logged so far.
pub(crate) fn log() -> String {
    std::fs::read_to_string(CLUSTER.data_dir.join("postgres.log")).unwrap()
}

/// Runs asynchronous work to its end, from anywhere; on a multi-thread runtime, as migrations need.
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
        let cluster = Self { postgres: LocalPostgres::start(&options).unwrap(), data_dir, next: AtomicU32::new(0) };
        cluster.copy("template_seeded", "template0");
        let url = cluster.postgres.url("template_seeded");
        run(async {
            migrations::run(&url).await.unwrap();
            let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
            seed::load(&conn).await.unwrap();
            // Without statistics of its own, each test would plan blindly.
            diesel::sql_query("analyze").execute(&mut conn).await.unwrap();
        });
        cluster
    }

    fn copy(&self, name: &str, template: &str) {
        let url = self.postgres.url("postgres");
        run(async {
            let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
            let query = format!("create database {name} template {template} strategy file_copy");
            diesel::sql_query(query).execute(&mut conn).await.unwrap();
        });
    }
}

/// A database takes 8 MB and more; a container often has 64 MB of shared memory in all.
fn has_room(dir: &Path) -> bool {
    rustix::fs::statvfs(dir).is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) >= 2 << 30)
}

/// Clusters of runs that have ended: nobody could remove them then.
fn remove_left_over(base: &Path) {
    for entry in std::fs::read_dir(base).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let Some(pid) = name.strip_prefix("kuntatutorit-tests-") else { continue };
        if !PathBuf::from("/proc").join(pid).exists() {
            // Another user's cannot be removed; that is fine.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
