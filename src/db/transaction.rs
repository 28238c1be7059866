//! Transactions, and the authors that the change ledger records.

use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _, pooled_connection::deadpool::Object};
use futures_util::future::try_join;
use uuid::Uuid;

use super::connection::Conn;
use crate::{
    clock,
    problem::{Error, Result},
};

/// Commits, unless the transaction was aborted. PostgreSQL answers the `COMMIT` of an aborted transaction with `ROLLBACK`
/// and not with an error; the `SELECT` before it fails in that case.
const COMMIT: &str = "SELECT; COMMIT";

/// The author of a change, as the change ledger records it.
#[derive(Clone, Debug, Default)]
pub struct Author {
    /// `account:<id>` or `client:<id>`; none for the command line of the service.
    pub actor: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// The authors of the changes in one transaction.
pub(super) enum Authors {
    /// One author of all changes.
    One(Author),
    /// The author of each row in a batch, by the row's id.
    OfRows(Vec<(Uuid, Author)>),
}

impl Authors {
    /// Returns the commands that begin a transaction and tell the ledger's triggers its authors. PostgreSQL gets them in
    /// one message. A batch hardly waits for locks: if it fails, each of its rows is inserted alone and can wait longer.
    fn begin(&self) -> String {
        let commands = match self {
            Self::One(Author { actor, request_id }) => format!(
                "BEGIN; SET LOCAL kuntatutorit.actor = '{}'; SET LOCAL kuntatutorit.request_id = '{}'",
                escape_literal(actor.as_ref()),
                escape_literal(request_id.as_ref())
            ),
            Self::OfRows(authors) => {
                let line = |(id, Author { actor, request_id }): &(Uuid, Author)| {
                    format!("{id} {} {}\n", escape_literal(actor.as_ref()), escape_literal(request_id.as_ref()))
                };
                let lines: String = authors.iter().map(line).collect();
                format!("BEGIN; SET LOCAL kuntatutorit.authors = '{lines}'; SET LOCAL lock_timeout = '200ms'")
            }
        };
        match clock::offset_micros() {
            0 => commands,
            offset => format!("{commands}; SET LOCAL kuntatutorit.clock_offset = '{offset} microseconds'"),
        }
    }
}

fn escape_literal(text: Option<&String>) -> String {
    text.map_or_else(String::new, |text| text.replace('\'', "''"))
}

/// A pooled connection during a transaction. It returns to the pool only if the transaction is finished.
pub(super) struct Unfinished(Option<Object<Conn>>);

impl Unfinished {
    pub(super) fn new(connection: Object<Conn>) -> Self {
        Self(Some(connection))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.take().map(Object::take);
    }
}

/// Runs `work` in a transaction: commits when it succeeds, and rolls back when it fails.
pub(super) async fn transaction<T>(
    mut unfinished: Unfinished,
    authors: Authors,
    work: impl AsyncFnOnce(&Conn) -> Result<T>,
) -> Result<T> {
    let Some(conn) = &unfinished.0 else { return Err(Error::Internal("no connection".into())) };
    // Both are pipelined in this order, so `BEGIN` costs no round trip.
    let outcome = try_join(execute(conn, &authors.begin()), work(conn)).await;
    execute(conn, if outcome.is_ok() { COMMIT } else { "ROLLBACK" }).await.inspect_err(|error| {
        tracing::warn!(%error, "a transaction could not be finished; its connection is closed");
    })?;
    // After a failover, the connection may lead to a server on which every write fails. It is closed then.
    let is_usable = !matches!(outcome, Err(Error::Unavailable)) || accepts_writes(conn).await;
    if is_usable {
        drop(unfinished.0.take());
    }
    outcome.map(|((), value)| value)
}

async fn accepts_writes(mut conn: &Conn) -> bool {
    let query = "select where current_setting('transaction_read_only') = 'off'";
    diesel::sql_query(query).execute(&mut conn).await.is_ok_and(|rows| rows == 1)
}

async fn execute(mut conn: &Conn, command: &str) -> Result<()> {
    Ok(conn.batch_execute(command).await?)
}
