//! A generated data set for measurements. Its size is a parameter, and its content is the same every time.
//!
//! Rows are inserted in large batches with triggers switched off, because triggers would handle each row by itself. The
//! statements write for each batch what the triggers would have written.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::future::try_join_all;

use crate::{
    connection_parameters::ConnectionParameters,
    db::{Conn, establish},
    problem::{Error, Result},
};

/// Tutors for each thousand events.
const TUTORS: i64 = 20;
/// Events for each transaction.
const BATCH: i64 = 5000;
/// Connections that insert at the same time.
const CONNECTIONS: u32 = 2;
/// The shortest time between two reports of progress.
const REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// Prepares a connection. The generated ids are UUIDs of version 7, counted up from 2020, so that they sort in the order in
/// which the rows are generated.
const PREPARE: &str = "set statement_timeout = 0; set synchronous_commit = off; set session_replication_role = replica;
    create function pg_temp.generated_id(kind text, i bigint) returns uuid language sql immutable as $$
      select (lpad(to_hex(1577836800000 + i), 12, '0') || '7' || substr(md5(kind || i), 1, 3) || '8'
        || substr(md5(kind || i), 4, 15))::uuid
    $$";
/// The statements that insert the feedback on a batch of events.
const FEEDBACK: [&str; 3] = [
    include_str!("feedback.sql"),
    include_str!("rollups.sql"),
    "select count(publish_feedback(pg_temp.generated_id('event', i))) from generate_series($1, $2 - 1) as i
      where i % 100 = 7",
];

/// Generates `thousands` × 1,000 events with their tutors, and as many pieces of feedback. `report` receives the progress
/// and, at the end, the time that it took.
///
/// The rows are added to the reference data. Their keys and texts are the same every time, and none is about a real person.
///
/// # Errors
/// [`Error::Conflict`] when the database already has generated data, or when the database user may not switch triggers off.
pub async fn generate(parameters: &ConnectionParameters, thousands: u32, report: impl Fn(&str)) -> Result<()> {
    let (total, start) = (i64::from(thousands) * 1000, Instant::now());
    let mut conn = connect(parameters).await?;
    if diesel::sql_query("select from tutors where source = 'generated' limit 1").execute(&mut conn).await? > 0 {
        return Err(conflict("this database already has generated data; use an empty database"));
    }
    execute(&conn, include_str!("tutors.sql"), &[0, i64::from(thousands) * TUTORS]).await?;
    let progress = Progress::new(total);
    try_join_all((0..CONNECTIONS).map(|_| insert_batches(parameters, &progress, &report))).await?;
    conn.batch_execute("analyze").await?;
    // The connections insert feedback at the same time, so the sum counts each second once for each connection.
    let feedback = progress.feedback_time.get() / CONNECTIONS;
    report(&format!(
        "{total} events, and as much feedback, in {:.0} s, of which the feedback took {:.0} s",
        start.elapsed().as_secs_f64(),
        feedback.as_secs_f64()
    ));
    Ok(())
}

/// The progress of all connections together.
struct Progress {
    total: i64,
    /// The first event of the next batch.
    next: Cell<i64>,
    done: Cell<i64>,
    last_report: Cell<Instant>,
    /// The time that the feedback took, summed over the connections.
    feedback_time: Cell<Duration>,
}

impl Progress {
    fn new(total: i64) -> Self {
        Self {
            total,
            next: Cell::new(0),
            done: Cell::new(0),
            last_report: Cell::new(Instant::now()),
            feedback_time: Cell::new(Duration::ZERO),
        }
    }
}

/// Inserts one batch after another until every event is inserted.
async fn insert_batches(parameters: &ConnectionParameters, progress: &Progress, report: &impl Fn(&str)) -> Result<()> {
    let Progress { total, next, done, last_report, feedback_time } = progress;
    let mut conn = connect(parameters).await?;
    while next.get() < *total {
        let from = next.replace(next.get() + BATCH);
        let to = (from + BATCH).min(*total);
        let took = insert_batch(&mut conn, from, to, *total).await?;
        feedback_time.set(feedback_time.get() + took);
        done.set(done.get() + to - from);
        if last_report.get().elapsed() > REPORT_INTERVAL {
            last_report.set(Instant::now());
            report(&format!("{} of {total} events, and as much feedback", done.get()));
        }
    }
    Ok(())
}

/// Inserts the events `from` to `to - 1` and the feedback on them. Returns the time that the feedback took.
async fn insert_batch(conn: &mut Conn, from: i64, to: i64, total: i64) -> Result<Duration> {
    conn.batch_execute("begin").await?;
    execute(conn, include_str!("events.sql"), &[from, to, total]).await?;
    let start = Instant::now();
    for statement in FEEDBACK {
        execute(conn, statement, &[from, to]).await?;
    }
    let took = start.elapsed();
    conn.batch_execute("commit").await?;
    Ok(took)
}

/// Opens a connection on which triggers are switched off.
async fn connect(parameters: &ConnectionParameters) -> Result<Conn> {
    let mut conn = establish(parameters).await?;
    match conn.batch_execute(PREPARE).await {
        Err(diesel::result::Error::DatabaseError(_, info)) if info.message().starts_with("permission denied") => {
            Err(conflict(
                "only a superuser of PostgreSQL can generate data; leave out DATABASE_URL to use the private PostgreSQL",
            ))
        }
        outcome => Ok(outcome.map(|()| conn)?),
    }
}

fn conflict(detail: &'static str) -> Error {
    Error::Conflict { code: "cannot_generate".into(), detail: detail.into() }
}

async fn execute(mut conn: &Conn, statement: &str, numbers: &[i64]) -> Result<usize> {
    let mut query = diesel::sql_query(statement).into_boxed();
    for number in numbers {
        query = query.bind::<BigInt, _>(*number);
    }
    Ok(query.execute(&mut conn).await?)
}
