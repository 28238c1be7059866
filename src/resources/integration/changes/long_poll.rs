//! Long polling: a request waits until there is a change. A waiting request holds no connection to the database.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{
    ledger_poller::{LedgerPoller, Waiter},
    model::Changes,
    query::{ChangesQuery, StartPoint},
    store,
    visibility::ChangeVisibility,
};
use crate::{
    auth::reach::Identity,
    db::Db,
    problem::{Error, Result},
};

/// The shortest time between two reads of a waiting request. It limits the load while many changes are written that the
/// caller does not see.
const READ_INTERVAL: Duration = Duration::from_millis(250);
/// How often the service checks that the caller of a waiting request still has access.
const ACCESS_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Returns the changes after the start of the query. When there are none, waits for the first ones for as long as the query
/// says. `require_access` refuses a caller whose access was revoked meanwhile.
///
/// # Errors
/// Those of [`store::read`] and `require_access`, and [`Error::TooManyWaiting`].
pub(super) async fn read(
    db: &Db,
    poller: &LedgerPoller,
    caller: &Identity,
    visibility: &ChangeVisibility,
    query: &ChangesQuery,
    require_access: impl Fn() -> Result<()>,
) -> Result<Changes> {
    let start = query.start()?;
    if query.wait().is_zero() {
        return db.read(async |conn| store::read(conn, visibility, query, start).await).await;
    }
    let deadline = Instant::now() + query.wait();
    let mut waiter = poller.register(caller)?;
    let start = match start {
        StartPoint::Now => StartPoint::After(db.read(async |conn| store::newest_mark(conn, visibility).await).await?),
        other => other,
    };
    // The first wake-up reads at once, each further one after the interval.
    let mut interval = Duration::ZERO;
    loop {
        let changes = db.read(async |conn| store::read(conn, visibility, query, start).await).await?;
        let read_at = Instant::now();
        if !changes.items.is_empty() || read_at >= deadline || waiter.is_closing() {
            return Ok(changes);
        }
        wait_for_change(&mut waiter, deadline, &require_access).await?;
        sleep_until(deadline.min(read_at + interval)).await;
        interval = READ_INTERVAL;
        require_access()?;
    }
}

/// Waits for a change or the deadline, and refuses the caller as soon as its access is revoked.
async fn wait_for_change(
    waiter: &mut Waiter,
    deadline: Instant,
    require_access: impl Fn() -> Result<()>,
) -> Result<()> {
    while !waiter.changed(deadline.min(Instant::now() + ACCESS_CHECK_INTERVAL)).await && Instant::now() < deadline {
        // Other errors mean that the service cannot check the access now. The caller keeps waiting, because the check is
        // repeated before anything is read.
        if let Err(error @ Error::Unauthenticated) = require_access() {
            return Err(error);
        }
    }
    Ok(())
}
