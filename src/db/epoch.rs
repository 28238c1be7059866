//! The epochs of the change ledger. A new epoch begins when the database has another identity than before: in another
//! PostgreSQL cluster or database, on another timeline after a failover or a recovery, or restored from a dump. The
//! functions are in the migration `ledger_epochs`.

use diesel::{ConnectionError, ConnectionResult, prelude::*};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection as _};

use crate::{
    problem::Result,
    schema::{ledger_epochs, ledger_epochs::dsl},
};

/// Begins an epoch if the database has another identity. The functions do not exist before the first migration, and in
/// another database of the server.
const ANNOUNCE: &str = "do $$ begin \
                          if to_regprocedure('announce_ledger_epoch()') is not null then \
                            perform announce_ledger_epoch(); \
                          end if; \
                        end $$";

/// Begins a new epoch if a new connection finds that the database has another identity. Every connection does this
/// before it is used, because a failover can happen between any two of them.
pub(super) async fn announce(conn: &mut AsyncPgConnection) -> ConnectionResult<()> {
    conn.batch_execute(ANNOUNCE).await.map_err(ConnectionError::CouldntSetupConfiguration)
}

/// Begins a new epoch after writes were lost: cursors of earlier epochs are refused, and versions continue far above those
/// that were lost.
pub async fn begin_after_loss(conn: &mut AsyncPgConnection) -> Result<()> {
    diesel::sql_query("select begin_ledger_epoch(continues => false)").execute(conn).await?;
    Ok(())
}

/// Warns if this PostgreSQL does not let the service see whether a failover or a recovery has happened.
pub async fn warn_if_unidentified(mut conn: &AsyncPgConnection) -> Result<()> {
    let current = ledger_epochs::table.order(dsl::ordinal.desc());
    let current = current.select((dsl::system_identifier.is_null(), dsl::timeline.is_null()));
    let (no_cluster, no_timeline) = current.first(&mut conn).await.optional()?.unwrap_or_default();
    let refused = match (no_cluster, no_timeline) {
        (false, false) => return Ok(()),
        (true, false) => "pg_control_system()",
        (false, true) => "pg_walfile_name()",
        (true, true) => "pg_control_system() and pg_walfile_name()",
    };
    tracing::warn!(
        refused,
        "PostgreSQL does not allow these functions to the owner of the tables, so the service may not notice that a failover \
         or a recovery has lost writes; run `kuntatutorit declare-loss` after each one that did"
    );
    Ok(())
}
