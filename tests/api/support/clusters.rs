//! A primary and its standby, an address that moves from one to the other, and copies of a whole cluster.

use std::{
    fs,
    os::unix::{fs as unix, fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{killable_postgres::KillablePostgres, sql};

/// Starts a standby of this primary, made by `pg_basebackup`. It follows the primary asynchronously.
pub(crate) async fn standby_of(primary: &KillablePostgres) -> KillablePostgres {
    let standby = base_backup_of(primary, &["--write-recovery-conf"]);
    // A server that is not durable has `synchronous_commit` off, which would also ignore a synchronous standby.
    let standby = KillablePostgres::on(standby, false);
    caught_up(primary, 1).await;
    standby
}

/// Makes every commit of the primary wait for its standby.
pub(crate) async fn commit_synchronously(primary: &KillablePostgres) {
    execute(primary, "alter role postgres set synchronous_commit = on").await;
    execute(primary, "alter system set synchronous_standby_names = '*'").await;
    execute(primary, "select pg_reload_conf()").await;
    let synchronous = "select count(*)::text as line from pg_stat_replication where sync_state = 'sync'";
    until(primary, synchronous, "1").await;
}

/// Waits until this many standbys have replayed everything that the primary has written.
pub(crate) async fn caught_up(primary: &KillablePostgres, standbys: usize) {
    let replayed = "select count(*)::text as line from pg_stat_replication where replay_lsn >= pg_current_wal_lsn()";
    until(primary, replayed, &standbys.to_string()).await;
}

/// Makes the standby a primary, on a new timeline.
pub(crate) async fn promote(standby: &KillablePostgres) {
    execute(standby, "select pg_promote()").await;
    recovered(standby).await;
}

/// Waits until the server has ended its recovery and accepts writes.
pub(crate) async fn recovered(server: &KillablePostgres) {
    until(server, "select pg_is_in_recovery()::text as line", "false").await;
}

/// Copies the cluster of a running server with `pg_basebackup`, with the WAL that the copy needs. It starts like the
/// primary, unless the arguments say otherwise.
pub(crate) fn base_backup_of(server: &KillablePostgres, arguments: &[&str]) -> TempDir {
    let (dir, cluster) = directory_like(&server.cluster());
    let mut command = as_owner_of("pg_basebackup", &cluster);
    command.args(["--checkpoint=fast", "--no-sync", "--dbname", &server.url(), "--pgdata"]).arg(&cluster);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    dir
}

/// Copies the files of a cluster as they are: a snapshot of its disk. The server must have stopped, or must not write.
pub(crate) fn snapshot_of(cluster: &Path) -> TempDir {
    let (dir, copy) = directory_like(cluster);
    let contents = cluster.join(".");
    let mut command = as_owner_of("cp", &copy);
    assert!(command.arg("-a").arg(contents).arg(&copy).status().unwrap().success());
    // The server that wrote it runs elsewhere, or no longer.
    let _ = fs::remove_file(copy.join("postmaster.pid"));
    dir
}

/// Creates a directory with an empty `cluster` in it, which has the owner and the mode of another cluster.
fn directory_like(cluster: &Path) -> (TempDir, std::path::PathBuf) {
    let (dir, like) = (TempDir::new().unwrap(), fs::metadata(cluster).unwrap());
    // When the tests run as root, PostgreSQL runs as another user, who must be able to enter the directory.
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let copy = dir.path().join("cluster");
    fs::create_dir(&copy).unwrap();
    fs::set_permissions(&copy, like.permissions()).unwrap();
    unix::chown(&copy, Some(like.uid()), Some(like.gid())).unwrap();
    (dir, copy)
}

/// A command that runs as the user that PostgreSQL runs as.
fn as_owner_of(program: &str, cluster: &Path) -> Command {
    let owner = fs::metadata(cluster).unwrap();
    let mut command = Command::new(program);
    command.current_dir("/").uid(owner.uid()).gid(owner.gid());
    command
}

/// A host name that names one server after the other, as a failover moves it: a link to the directory of its socket.
pub(crate) struct Address {
    link: std::path::PathBuf,
    _dir: TempDir,
}

impl Address {
    pub(crate) fn of(server: &KillablePostgres) -> Self {
        let dir = TempDir::new().unwrap();
        let address = Self { link: dir.path().join("host"), _dir: dir };
        address.move_to(server);
        address
    }

    pub(crate) fn move_to(&self, server: &KillablePostgres) {
        let _ = fs::remove_file(&self.link);
        unix::symlink(server.cluster().with_file_name("socket"), &self.link).unwrap();
    }

    /// The host for a list of hosts in a URL.
    pub(crate) fn host(&self) -> String {
        self.link.display().to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql://postgres@{}/postgres", self.link.display().to_string().replace('/', "%2F"))
    }
}

async fn execute(server: &KillablePostgres, statement: &str) {
    use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
    let mut conn = AsyncPgConnection::establish(&server.url()).await.unwrap();
    diesel::sql_query(statement).execute(&mut conn).await.unwrap();
}

/// Waits at most half a minute until this query returns this line.
async fn until(server: &KillablePostgres, query: &str, expected: &str) {
    let began = Instant::now();
    while sql::query_lines_at(&server.url(), query).await != [expected] {
        assert!(began.elapsed() < Duration::from_secs(30), "{query} does not return {expected}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
