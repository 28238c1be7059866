//! Housekeeping deletes expired rows.

use diesel::{QueryableByName, sql_types::Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use kuntatutorit::housekeeping::delete_expired;

use serde_json::json;

use crate::support::{Server, databases::fresh_database, sql};

/// Inserts this many rows of this age into each table.
async fn insert_rows(mut conn: &AsyncPgConnection, count: usize, age: &str) {
    let keys = format!(
        "insert into idempotency_keys (caller, key, fingerprint, path, etag, body, created_at) \
         select '{age}', number::text, sha256(''), '', '', '', now() - interval '{age}' \
         from generate_series(1, {count}) as number"
    );
    let failures = format!(
        "insert into sign_in_failures (subject, address, last_failed_at) \
         select sha256(''), '{age} ' || number, now() - interval '{age}' from generate_series(1, {count}) as number"
    );
    for statement in [keys, failures] {
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    }
}

/// Returns the ages of the remaining rows.
async fn remaining_ages(mut conn: &AsyncPgConnection) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Left {
        #[diesel(sql_type = Text)]
        age: String,
    }
    let query = "select caller as age from idempotency_keys union all \
                 select regexp_replace(address, ' [0-9]+$', '') from sign_in_failures order by 1";
    let rows: Vec<Left> = diesel::sql_query(query).load(&mut conn).await.unwrap();
    rows.into_iter().map(|row| row.age).collect()
}

#[tokio::test]
async fn housekeeping_deletes_expired_rows_and_keeps_the_others() {
    let conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    let ages =
        [(2500, "25 hours"), (1, "24 hours 1 minute"), (1, "23 hours 59 minutes"), (1, "14 minutes"), (1, "0 hours")];
    for (count, age) in ages {
        insert_rows(&conn, count, age).await;
    }
    // Failures to sign in expire sooner, so one more of them is deleted.
    assert_eq!(delete_expired(&conn).await.unwrap(), 2 * 2501 + 1);
    assert_eq!(remaining_ages(&conn).await, ["0 hours", "0 hours", "14 minutes", "14 minutes", "23 hours 59 minutes"]);
    assert_eq!(delete_expired(&conn).await.unwrap(), 0);
}

#[tokio::test]
async fn the_quotas_of_past_days_are_deleted() {
    let conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    let days = "insert into written_bytes (day, caller, bytes) \
                select (clock_now() at time zone 'UTC')::date - age, 'account:' || age, 1 from generate_series(0, 3) as age";
    diesel::sql_query(days).execute(&mut &conn).await.unwrap();
    // Yesterday is kept, for an instance whose clock is behind.
    assert_eq!(delete_expired(&conn).await.unwrap(), 2);
}

#[tokio::test]
async fn several_instances_can_delete_at_once_without_waiting() {
    let url = fresh_database();
    let conn = AsyncPgConnection::establish(&url).await.unwrap();
    insert_rows(&conn, 3000, "25 hours").await;
    let mut holder = AsyncPgConnection::establish(&url).await.unwrap();
    for statement in ["begin", "select from idempotency_keys where key = '1' for update"] {
        diesel::sql_query(statement).execute(&mut holder).await.unwrap();
    }
    let others = [AsyncPgConnection::establish(&url).await.unwrap(), AsyncPgConnection::establish(&url).await.unwrap()];
    let (one, two, three) = tokio::join!(delete_expired(&conn), delete_expired(&others[0]), delete_expired(&others[1]));
    assert_eq!(
        one.unwrap() + two.unwrap() + three.unwrap(),
        5999,
        "each row except the locked one must be deleted once"
    );
    diesel::sql_query("rollback").execute(&mut holder).await.unwrap();
    assert_eq!(delete_expired(&conn).await.unwrap(), 1);
}

#[tokio::test]
async fn expired_invitations_are_deleted_soon_after_the_start() {
    let server = Server::start();
    for name in ["expired", "live"] {
        let email = format!("{name}@espoo.example");
        let new = json!({"email": email, "role": "municipality", "municipality_code": "049"});
        server.coordinator().post("/v1/accounts", &new).await.expect(201);
    }
    let expired = "update invitations set expires_at = now() - interval '1 second' from accounts \
                   where accounts.id = account_id and email like 'expired@%'";
    assert_eq!(sql::broken_constraint(&server, expired).await, None);
    let left = async || {
        let query = "select email as line from invitations join accounts on accounts.id = account_id order by 1";
        sql::query_lines(&server, query).await
    };
    assert_eq!(left().await, ["expired@espoo.example", "live@espoo.example"]);
    let began = std::time::Instant::now();
    while left().await.len() > 1 {
        assert!(began.elapsed().as_secs() < 30, "the invitation was not deleted");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(left().await, ["live@espoo.example"]);
}
