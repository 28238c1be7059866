//! Reports what a session waits for. Without it, a lock that somebody else holds makes a start hang without a word: a
//! connection pooler may keep the session of a service that has ended, and with it the session's locks.

use std::time::Duration;

use diesel::{
    ConnectionResult, QueryResult,
    sql_types::{Integer, Nullable, Text},
};
use diesel_async::RunQueryDsl as _;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::connection::{Conn, establish};
use crate::connection_parameters::ConnectionParameters;

/// The time between two looks at the session. A session that waits for a shorter time is not reported.
const INTERVAL: Duration = Duration::from_secs(5);
/// The time between two reports of the same wait.
const REPORT_INTERVAL: Duration = Duration::from_secs(30);

/// Finds the lock that a session waits for, and the sessions that hold it or are before it in the queue. An ordinary role
/// may see the name, user and application of other users' sessions, and nothing else.
const WAIT: &str = "\
    select (select locktype || coalesce(' on ' || relation::regclass, '') from pg_locks where pid = $1 and not granted \
            limit 1) as lock, \
           string_agg(case when blocker = 0 then 'a prepared transaction (see pg_prepared_xacts)' else \
               concat_ws(', ', 'process ' || blocker, 'application ' || nullif(application_name, ''), \
                   'user ' || usename, \
                   case when backend_start is null then 'this role may not see more, only a member of pg_read_all_stats' \
                   else concat_ws(', ', coalesce('from ' || host(client_addr), 'over a Unix socket'), \
                       'connected since ' || to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC', \
                       state || ' since ' || to_char(state_change at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC') \
                   end) end, '; ' order by blocker) as holders, \
           min(blocker) as first \
    from (select distinct unnest(pg_blocking_pids($1)) as blocker) blockers \
    left join pg_stat_activity on pid = blocker";

/// What a session waits for.
#[derive(diesel::QueryableByName)]
struct Wait {
    #[diesel(sql_type = Nullable<Text>)]
    lock: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    holders: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    first: Option<i32>,
}

/// Watches a session until it is dropped.
#[derive(Debug)]
pub struct LockWatch(JoinHandle<()>);

impl LockWatch {
    /// Begins to watch the session of `conn`. While it waits for a lock for longer than five seconds, the log says which
    /// connection holds the lock. `purpose` says what waits, such as `the migration of the database`.
    ///
    /// # Errors
    /// When the session does not tell its process id.
    pub async fn begin(parameters: &ConnectionParameters, conn: &mut Conn, purpose: &'static str) -> QueryResult<Self> {
        let session: Session = diesel::sql_query("select pg_backend_pid() as pid").get_result(conn).await?;
        let parameters = parameters.clone();
        Ok(Self(tokio::spawn(async move { watch(&parameters, session.pid, purpose).await })))
    }
}

impl Drop for LockWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(diesel::QueryableByName)]
struct Session {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// Looks at the session again and again, on a connection that is opened each time: a pooler or a server may have few.
async fn watch(parameters: &ConnectionParameters, pid: i32, purpose: &str) {
    let began = Instant::now();
    let mut last: Option<(Instant, Option<String>)> = None;
    loop {
        sleep(INTERVAL).await;
        // A failure to connect is logged there.
        let Ok(wait) = look(parameters, pid).await else { continue };
        let is_known =
            last.as_ref().is_some_and(|(at, holders)| *holders == wait.holders && at.elapsed() < REPORT_INTERVAL);
        if wait.holders.is_some() && !is_known {
            report(&wait, purpose, began.elapsed());
            last = Some((Instant::now(), wait.holders));
        }
    }
}

async fn look(parameters: &ConnectionParameters, pid: i32) -> ConnectionResult<Wait> {
    let mut conn = establish(parameters).await?;
    let wait = diesel::sql_query(WAIT).bind::<Integer, _>(pid).get_result(&mut conn).await;
    wait.map_err(diesel::ConnectionError::CouldntSetupConfiguration)
}

fn report(wait: &Wait, purpose: &str, waited: Duration) {
    let lock = wait.lock.as_deref().unwrap_or("unknown");
    let holders = wait.holders.as_deref().unwrap_or_default();
    let first = wait.first.unwrap_or_default();
    tracing::warn!(
        lock,
        holders,
        seconds = waited.as_secs(),
        "{purpose} waits for a lock in PostgreSQL and goes on when it is free; if its holder is not another instance that is \
         just starting, end it with `select pg_terminate_backend({first})`",
    );
}
