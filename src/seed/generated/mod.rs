//! A generated data set, for measuring: as large as asked for, and the same whenever it is generated.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::future::try_join_all;

use crate::{
    db::connection::{Conn, establish},
    problem::error::{Error, Result},
};

/// Of each thousand: that many tutors.
const TUTORS: i64 = 20;
/// How many events one transaction makes.
const BATCH: i64 = 5000;
/// How many transactions go on at a time.
const CONNECTIONS: usize = 2;
/// How often one hears how far it has come.
const PROGRESS: Duration = Duration::from_secs(2);

/// Keys that sort as their rows were made, in the form of a `UUIDv7` of 2020 and later. Triggers would take the rows one
/// by one: what they keep is made for all of a batch at once.
const PREPARE: &str = "set statement_timeout = 0; set synchronous_commit = off; set session_replication_role = replica;
    create function pg_temp.generated_id(kind text, i bigint) returns uuid language sql immutable as $$
      select (lpad(to_hex(1577836800000 + i), 12, '0') || '7' || substr(md5(kind || i), 1, 3) || '8'
        || substr(md5(kind || i), 4, 15))::uuid
    $$";
const PUBLISH: &str = "select count(publish_feedback(pg_temp.generated_id('event', i)))
    from generate_series($1, $2 - 1) as i where i % 100 = 7";

/// Generates `thousands` × 1,000 events with their tutors, and as much feedback; tells how far it has come.
///
/// It adds to the reference data. Keys and texts are the same each time; nothing of it is of a real person.
///
/// # Errors
/// [`Error::Conflict`] when it was done before or this user of the database may not do without triggers, and when the
/// database is away.
pub async fn generate(database_url: &str, thousands: u32, tell: impl Fn(&str)) -> Result<()> {
    let (total, began) = (i64::from(thousands) * 1000, Instant::now());
    let mut conn = prepared(database_url).await?;
    if diesel::sql_query("select from tutors where source = 'generated' limit 1").execute(&mut conn).await? > 0 {
        return Err(conflict("this database has generated data already; take an empty one"));
    }
    run(&conn, include_str!("tutors.sql"), &[0, i64::from(thousands) * TUTORS]).await?;
    let progress = Progress {
        total,
        next: Cell::new(0),
        done: Cell::new(0),
        told: Cell::new(Instant::now()),
        feedback: Cell::new(Duration::ZERO),
    };
    try_join_all((0..CONNECTIONS).map(|_| work(database_url, &progress, &tell))).await?;
    conn.batch_execute("analyze").await?;
    // As many work at a time.
    let feedback = progress.feedback.get() / u32::try_from(CONNECTIONS).unwrap_or(1);
    tell(&format!(
        "{total} events, and as much feedback, in {:.0} s; the feedback took {:.0} s of that",
        began.elapsed().as_secs_f64(),
        feedback.as_secs_f64()
    ));
    Ok(())
}

/// How far it has come.
struct Progress {
    total: i64,
    next: Cell<i64>,
    done: Cell<i64>,
    told: Cell<Instant>,
    /// What the feedback took, of all connections together.
    feedback: Cell<Duration>,
}

/// Takes the next batch until there is none.
async fn work(database_url: &str, progress: &Progress, tell: &impl Fn(&str)) -> Result<()> {
    let Progress { total, next, done, told, feedback } = progress;
    let mut conn = prepared(database_url).await?;
    while next.get() < *total {
        let from = next.replace(next.get() + BATCH);
        let to = (from + BATCH).min(*total);
        feedback.set(feedback.get() + batch(&mut conn, from, to, *total).await?);
        done.set(done.get() + to - from);
        if told.get().elapsed() > PROGRESS {
            told.set(Instant::now());
            tell(&format!("{} of {total} events, and as much feedback", done.get()));
        }
    }
    Ok(())
}

fn conflict(detail: &'static str) -> Error {
    Error::Conflict { code: "cannot_generate".into(), detail: detail.into() }
}

async fn prepared(database_url: &str) -> Result<Conn> {
    let mut conn = establish(database_url.to_owned()).await?;
    match conn.batch_execute(PREPARE).await {
        Err(diesel::result::Error::DatabaseError(_, info)) if info.message().starts_with("permission denied") => Err(
            conflict("only a superuser of the database can do this: take the private PostgreSQL, without DATABASE_URL"),
        ),
        outcome => Ok(outcome.map(|()| conn)?),
    }
}

/// Makes these events and the feedback on them; gives how long the feedback took.
async fn batch(conn: &mut Conn, from: i64, to: i64, total: i64) -> Result<Duration> {
    conn.batch_execute("begin").await?;
    run(conn, include_str!("events.sql"), &[from, to, total]).await?;
    let began = Instant::now();
    for statement in [include_str!("feedback.sql"), include_str!("rollups.sql"), PUBLISH] {
        run(conn, statement, &[from, to]).await?;
    }
    let feedback = began.elapsed();
    conn.batch_execute("commit").await?;
    Ok(feedback)
}

async fn run(mut conn: &Conn, statement: &str, numbers: &[i64]) -> Result<usize> {
    let mut query = diesel::sql_query(statement).into_boxed();
    for number in numbers {
        query = query.bind::<BigInt, _>(*number);
    }
    Ok(query.execute(&mut conn).await?)
}
