//! An older state of the whole server is put back: a snapshot of its disk, or a point in time.

use std::{fs, path::Path, time::Instant};

use tempfile::TempDir;

use super::{assert_follows, assert_refused, create_event, execute, write};
use crate::support::{
    Server, clusters,
    clusters::{base_backup_of, snapshot_of},
    copies::Follower,
    killable_postgres::KillablePostgres,
    process, soak, sql,
};

/// The server is then where it was before, so no epoch begins by itself, and its numbers come again one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "takes several seconds; make soak runs it"]
async fn a_snapshot_that_is_put_back_refuses_the_cursors_of_lost_changes() {
    let began = Instant::now();
    let mut before = tokio::task::block_in_place(KillablePostgres::start);
    execute(&before.url(), "alter role postgres set synchronous_commit = on").await;
    let server = Server::on(before.url(), &[]);
    write(&server.coordinator(), 2).await;
    let inside = Follower::of(&server.coordinator()).await;
    let snapshot = tokio::task::block_in_place(|| {
        drop(server);
        // The disk of a killed server is in the state in which a snapshot finds that of a running one.
        before.kill();
        let snapshot = snapshot_of(&before.cluster());
        before.restart();
        snapshot
    });
    let server = Server::on(before.url(), &[]);
    let client = server.coordinator();
    let lost = create_event(&client).await;
    let etag = client.get(&lost).await.expect(200).etag();
    let past = Follower::of(&client).await;
    tokio::task::block_in_place(|| drop((server, before)));

    let after = tokio::task::block_in_place(|| KillablePostgres::on(snapshot, false));
    let restored = Server::on(after.url(), &[]);
    let client = restored.coordinator();
    let again = create_event(&client).await;
    // The same number for another change: only its time tells the two apart.
    assert_eq!(client.get(&again).await.expect(200).etag(), etag);
    assert_refused(past, &restored).await;
    assert_follows(inside.clone(), &restored, 3).await;

    let told = process::run(&after.url(), &["declare-loss"], "");
    assert!(told.contains("create their copies again"), "{told}");
    assert_refused(inside, &restored).await;
    let version = |etag: &str| etag.trim_matches('"').split('-').next().unwrap().parse::<u64>().unwrap();
    let next = client.get(&create_event(&client).await).await.expect(200).etag();
    assert!(version(&next) > version(&etag) + 1_000_000_000, "{next}");
    assert_follows(Follower::of(&client).await, &restored, 0).await;
    soak::report(&format!("a snapshot put back: 2 cursors refused, 1 good, {:?}", began.elapsed()));
}

/// Recovers a copy of a base backup up to the restore point `good`, with the WAL of the server that it was made of.
fn recover(backup: &Path, wal: &Path) -> KillablePostgres {
    let copy = snapshot_of(backup);
    let cluster = copy.path().join("cluster");
    let settings = format!(
        "restore_command = 'cp {}/%f %p'\nrecovery_target_name = 'good'\nrecovery_target_action = 'promote'\n",
        wal.display()
    );
    let file = cluster.join("postgresql.auto.conf");
    fs::write(&file, fs::read_to_string(&file).unwrap() + &settings).unwrap();
    fs::copy(cluster.join("PG_VERSION"), cluster.join("recovery.signal")).unwrap();
    KillablePostgres::on(copy, false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "takes several seconds; make soak runs it"]
async fn two_recoveries_to_one_point_in_time_refuse_the_cursors_of_each_other() {
    let began = Instant::now();
    let original = tokio::task::block_in_place(KillablePostgres::start);
    let server = Server::on(original.url(), &[]);
    let client = server.coordinator();
    let backup: TempDir = tokio::task::block_in_place(|| base_backup_of(&original, &[]));
    write(&client, 2).await;
    let inside = Follower::of(&client).await;
    execute(&original.url(), "select pg_create_restore_point('good')").await;
    let writes = soak::times(5, 500);
    write(&client, writes).await;
    execute(&original.url(), "select pg_switch_wal()").await;
    let mut elsewhere = vec![Follower::of(&client).await];
    let mut etags = vec![client.get(&create_event(&client).await).await.expect(200).etag()];

    for _ in 0..2 {
        let (backup, wal) = (backup.path().join("cluster"), original.cluster().join("pg_wal"));
        let recovered = tokio::task::block_in_place(|| recover(&backup, &wal));
        clusters::recovered(&recovered).await;
        let timeline = "select timeline::text as line from ledger_epochs order by ordinal desc limit 1";
        let server = Server::on(recovered.url(), &[]);
        assert_eq!(sql::query_lines(&server, timeline).await, ["2"]);
        let client = server.coordinator();
        write(&client, writes).await;
        assert_follows(inside.clone(), &server, 2 * writes).await;
        for follower in &elsewhere {
            assert_refused(follower.clone(), &server).await;
        }
        elsewhere.push(Follower::of(&client).await);
        etags.push(client.get(&create_event(&client).await).await.expect(200).etag());
    }
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), 3, "one entity tag for two contents: {etags:?}");
    soak::report(&format!(
        "2 recoveries to one point: {} writes lost, 3 cursors refused, {:?}",
        2 * writes,
        began.elapsed()
    ));
}
