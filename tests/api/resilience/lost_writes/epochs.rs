//! When an epoch begins, and what a PostgreSQL does that does not tell where it is.

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::future::join_all;
use kuntatutorit::db::establish;
use serde_json::json;

use super::execute;
use crate::support::{
    databases::{empty_database, fresh_database, parameters},
    process::{Service, program_on, run},
    sql::query_lines_at,
};

const EPOCHS: &str = "select count(*)::text as line from ledger_epochs";

/// A copy of a database is another place than the database. `fresh_database` copies a template.
#[tokio::test]
async fn connections_that_find_the_database_elsewhere_begin_one_epoch_together() {
    let url = fresh_database();
    assert_eq!(query_lines_at(&url, EPOCHS).await, ["2"]);
    let parameters = parameters(&url);
    let connections = join_all((0..20).map(|_| establish(&parameters))).await;
    assert!(connections.iter().all(Result::is_ok), "a connection was refused");
    assert_eq!(query_lines_at(&url, EPOCHS).await, ["3"]);
    establish(&parameters).await.unwrap();
    assert_eq!(query_lines_at(&url, EPOCHS).await, ["3"]);
}

/// Otherwise its changes would appear late, before those of the new epoch that followers have passed.
#[tokio::test]
async fn an_epoch_waits_for_transactions_that_have_written_changes() {
    let url = fresh_database();
    let mut writer = AsyncPgConnection::establish(&url).await.unwrap();
    let insert = "begin; insert into themes (slug, kind, name) values ('late', 'theme', '{\"fi\": \"Myöhä\"}')";
    writer.batch_execute(insert).await.unwrap();
    let parameters = parameters(&url);
    let waits = "select count(*)::text as line from pg_locks where not granted and relation = 'changes'::regclass \
                 and database = (select oid from pg_database where datname = current_database())";
    let commit = async {
        while query_lines_at(&url, waits).await != ["1"] {}
        assert_eq!(query_lines_at(&url, EPOCHS).await, ["2"]);
        writer.batch_execute("commit").await.unwrap();
    };
    let (connected, ()) = tokio::join!(establish(&parameters), commit);
    connected.unwrap();
    let epochs = "select format('%s of %s', epoch, (select max(ordinal) from ledger_epochs)) as line \
                  from changes where resource = 'themes' order by seq desc limit 1";
    assert_eq!(query_lines_at(&url, epochs).await, ["2 of 3"]);

    // A change that waits for the new epoch is one of the new epoch.
    let mut beginning = AsyncPgConnection::establish(&url).await.unwrap();
    beginning.batch_execute("begin; select begin_ledger_epoch(true)").await.unwrap();
    let rename = "update themes set name = '{\"fi\": \"Uusi\"}' where slug = 'late'";
    let commit = async {
        while query_lines_at(&url, waits).await != ["1"] {}
        beginning.batch_execute("commit").await.unwrap();
    };
    let (written, ()) = tokio::join!(writer.batch_execute(rename), commit);
    written.unwrap();
    assert_eq!(query_lines_at(&url, epochs).await, ["4 of 4"]);
}

/// As on a managed service that keeps these functions to itself.
#[tokio::test]
async fn the_service_runs_and_warns_where_postgresql_does_not_say_where_it_is() {
    let url = empty_database();
    let owner = format!("epochs_{}", url.rsplit('/').next().unwrap());
    let roles = format!(
        "create role {owner} login; revoke execute on function pg_control_system(), pg_walfile_name(pg_lsn) from public; \
         do $$ begin execute format('alter database %I owner to {owner}', current_database()); end $$"
    );
    execute(&url, &roles).await;
    let url = url.replace("postgres@", &format!("{owner}@"));
    let added = ["account", "add", "--role", "coordinator", "--email", "a@b.example"];
    run(&url, &added, "salasana on pitkä\n");
    let service = Service::start(program_on(&url));
    let login = json!({"email": "a@b.example", "password": "salasana on pitkä"});
    let signed_in = service.anonymous().post("/v1/auth/login", &login).await.expect(200);
    let coordinator = service.token(signed_in.body["access_token"].as_str().unwrap());
    super::write(&coordinator, 1).await;
    let warnings: Vec<_> =
        service.log().lines().filter(|line| line.contains("declare-loss")).map(str::to_owned).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("pg_control_system() and pg_walfile_name()"), "{}", warnings[0]);
    assert_eq!(query_lines_at(&url, EPOCHS).await, ["2"], "the connections do not agree where they are");
}
