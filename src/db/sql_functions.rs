//! Functions of PostgreSQL that Diesel does not know.

use diesel::sql_types::{BigInt, Text};
use diesel_async::SimpleAsyncConnection as _;

use super::connection::Conn;
use crate::{clock, problem::Result};

#[diesel::declare_sql_function]
extern "SQL" {
    /// Returns the oldest transaction that can still commit.
    fn ledger_horizon() -> BigInt;

    /// Returns the current time for rules about time: `now()` plus the offset that a test has set.
    fn clock_now() -> Timestamptz;

    /// Returns the time of the statement, where `now()` is the time at which its transaction began.
    fn clock_timestamp() -> Timestamptz;

    /// Returns the municipality itself while it exists, else the one that it has merged into, directly or indirectly.
    fn current_municipality(code: Text) -> Text;

    /// Takes a lock until the end of the transaction, and waits for it if necessary. The result is empty.
    fn pg_advisory_xact_lock(key: BigInt) -> Text;
}

/// Tells PostgreSQL the offset of this thread's clock, which `clock_now()` adds on this connection from now on.
pub(crate) async fn set_clock_offset(mut conn: &Conn) -> Result<()> {
    let offset = clock::offset_micros();
    if offset != 0 {
        conn.batch_execute(&format!("set kuntatutorit.clock_offset = '{offset} microseconds'")).await?;
    }
    Ok(())
}
