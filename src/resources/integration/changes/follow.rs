//! Waiting for a change, without a connection of one's own.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{
    ledger_poller::LedgerPoller,
    model::Changes,
    query::{ChangesQuery, StartPoint},
    store,
    store::Sight,
};
use crate::{
    auth::reach::Identity,
    db::Db,
    problem::{Error, Result},
};

/// How often one who waits reads, however much happens that is of no concern to it.
const PACE: Duration = Duration::from_millis(250);

/// How often it is asked whether one who waits may still.
const RECHECK: Duration = Duration::from_secs(1);

/// The changes from a place on; when there are none, the first ones that come in time.
///
/// # Errors
/// As [`store::read`]; [`crate::problem::Error::TooManyWaiting`]; and what `admitted` says, after each wait and every second.
pub(super) async fn changes(
    db: &Db,
    news: &LedgerPoller,
    caller: &Identity,
    sight: &Sight,
    query: &ChangesQuery,
    admitted: impl Fn() -> Result<()>,
) -> Result<Changes> {
    let from = query.start()?;
    if query.wait().is_zero() {
        return db.read(async |conn| store::read(conn, sight, query, from).await).await;
    }
    let deadline = Instant::now() + query.wait();
    let mut place = news.take_place(caller)?;
    let from = match from {
        StartPoint::Now => StartPoint::After(db.read(async |conn| store::present(conn).await).await?),
        after @ StartPoint::After(_) => after,
    };
    let mut pace = Duration::ZERO;
    loop {
        let changes = db.read(async |conn| store::read(conn, sight, query, from).await).await?;
        let now = Instant::now();
        if !changes.items.is_empty() || now >= deadline || place.is_closing() {
            return Ok(changes);
        }
        while !place.wait(deadline.min(Instant::now() + RECHECK)).await && Instant::now() < deadline {
            // While nobody can say, it waits on.
            if let Err(refused @ Error::Unauthenticated) = admitted() {
                return Err(refused);
            }
        }
        sleep_until(deadline.min(now + pace)).await;
        pace = PACE;
        admitted()?;
    }
}
