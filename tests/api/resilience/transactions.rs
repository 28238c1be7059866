//! A write is committed completely or not at all, and its caller learns which.

use diesel_async::RunQueryDsl as _;
use kuntatutorit::{
    db::{Author, Conn, Db, connection},
    problem::{Error, Result},
};

use crate::support::{
    databases::{fresh_database, parameters},
    sql::query_lines_at,
};

/// More than the pool has, so that the pool must replace the connections of failed writes.
const FAILED_WRITES: usize = 5;
const POOL_SIZE: usize = 2;

async fn execute(mut conn: &Conn, statement: &str) -> Result<usize> {
    Ok(diesel::sql_query(statement).execute(&mut conn).await?)
}

async fn insert_theme(conn: &Conn, slug: &str) -> Result<usize> {
    let insert = format!("insert into themes (slug, kind, name) values ('{slug}', 'theme', '{{\"fi\": \"Teema\"}}')");
    execute(conn, &insert).await
}

async fn themes(url: &str) -> Vec<String> {
    query_lines_at(url, "select slug as line from themes where slug like 'new-%' order by 1").await
}

/// PostgreSQL answers ROLLBACK to the COMMIT of an aborted transaction, and reports no error.
#[actix_web::test]
async fn a_write_that_ignores_an_error_of_the_database_fails_and_writes_nothing() {
    let url = fresh_database();
    let db = Db::new(&parameters(&url), connection::pool(&parameters(&url), POOL_SIZE).unwrap());
    for number in 0..FAILED_WRITES {
        let write = db.write(Author::default(), async move |conn| {
            insert_theme(conn, &format!("new-{number}")).await?;
            // The slug breaks a constraint, which aborts the transaction.
            assert!(matches!(insert_theme(conn, "NOT A SLUG").await, Err(Error::Invalid(_))));
            Ok(())
        });
        assert!(write.await.is_err(), "the write was reported as a success");
    }
    assert_eq!(themes(&url).await, [""; 0]);
    // The pool still has room, and its connections are in no transaction.
    let writes = (0..2 * POOL_SIZE).map(|number| {
        db.write(Author::default(), async move |conn| insert_theme(conn, &format!("new-{number}")).await)
    });
    for written in futures_util::future::join_all(writes).await {
        assert_eq!(written.unwrap(), 1);
    }
    assert_eq!(themes(&url).await, ["new-0", "new-1", "new-2", "new-3"]);
}

#[actix_web::test]
async fn a_write_that_fails_writes_nothing_and_keeps_its_connection() {
    let url = fresh_database();
    let db = Db::new(&parameters(&url), connection::pool(&parameters(&url), 1).unwrap());
    let write = db.write(Author::default(), async |conn| {
        insert_theme(conn, "new-0").await?;
        Err::<(), _>(Error::NotFound)
    });
    assert!(matches!(write.await, Err(Error::NotFound)));
    assert_eq!(themes(&url).await, [""; 0]);
    assert_eq!(db.pool_status().size, 1, "the connection must go back to the pool");
    db.write(Author::default(), async |conn| insert_theme(conn, "new-1").await).await.unwrap();
    assert_eq!(themes(&url).await, ["new-1"]);
}
