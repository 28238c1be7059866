//! A dump, a snapshot of the disk or a point in time is restored.

use std::process::Command;

use tempfile::TempDir;

use super::{assert_follows, assert_refused, next_transaction, use_up_transactions, write};
use crate::support::{
    Server,
    copies::{Follower, every_change_visible},
    databases::{empty_database, service_url},
    killable_postgres::KillablePostgres,
};

/// Runs a client program of PostgreSQL.
fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_restored_dump_refuses_the_cursors_of_changes_that_it_lacks() {
    let original = Server::start();
    let client = original.coordinator();
    use_up_transactions(&original.database_url, 3000).await;
    write(&client, 2).await;
    every_change_visible(&original.database_url).await;
    let (inside, directory) = (Follower::of(&client).await, TempDir::new().unwrap());
    let dump = directory.path().join("dump").display().to_string();
    run("pg_dump", &["--format=custom", "--file", &dump, &original.database_url]);
    write(&client, 3).await;
    every_change_visible(&original.database_url).await;
    let after = Follower::of(&client).await;
    let cursors_end = next_transaction(&original.database_url).await;
    // Into a younger server, and beside the original.
    let younger = tokio::task::block_in_place(|| KillablePostgres::on(TempDir::new().unwrap(), false));
    for url in [younger.url(), empty_database()] {
        let owner = service_url(&url);
        run("pg_restore", &["--no-owner", "--exit-on-error", "--single-transaction", "--dbname", &owner, &dump]);
        let restored = Server::on(url.clone(), &[]);
        write(&restored.coordinator(), 3).await;
        // The followers ask when the transaction numbers have passed their cursors.
        use_up_transactions(&url, cursors_end.saturating_sub(next_transaction(&url).await) + 100).await;
        every_change_visible(&url).await;
        assert_follows(inside.clone(), &restored, 6).await;
        assert_refused(after.clone(), &restored).await;
    }
}
