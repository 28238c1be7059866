//! Refreshes the data that workers need to verify tokens: the revocations and the keys.

use std::{sync::Arc, time::Duration};

use super::state::Auth;
use crate::{
    connection_parameters::ConnectionParameters,
    db::{Conn, establish},
    problem::Result,
};

/// The time from one refresh to the next.
const INTERVAL: Duration = Duration::from_millis(500);

/// Refreshes the revocations and the keys for as long as the service runs.
pub async fn keep_fresh(auth: Arc<Auth>, parameters: ConnectionParameters) {
    let mut conn: Option<Conn> = None;
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut was_down, mut last_key_error) = (false, None);
    loop {
        ticks.tick().await;
        let is_down = refresh_revocations(&auth, &parameters, &mut conn).await.is_err();
        log_database(was_down, is_down);
        was_down = is_down;
        if is_down {
            conn = None;
        }
        let key_error = auth.tokens.reload().err().map(|error| error.to_string());
        if let Some(error) = key_error.as_ref().filter(|_| key_error != last_key_error) {
            tracing::error!(error, "the signing keys cannot be reloaded; the keys that were loaded before stay in use");
        }
        last_key_error = key_error;
    }
}

async fn refresh_revocations(auth: &Auth, parameters: &ConnectionParameters, conn: &mut Option<Conn>) -> Result<()> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(establish(parameters).await?),
    };
    auth.revocations.refresh(conn).await
}

fn log_database(was_down: bool, is_down: bool) {
    match (was_down, is_down) {
        (false, true) => tracing::error!("the database is not available; callers get 503 until it is back"),
        (true, false) => tracing::info!("the database is back"),
        _ => {}
    }
}
