//! The connections of clients, and what ends those that make no progress.
//!
//! The HTTP library limits how long a connection may be idle, and how long the head of the *first* request may take. It does not
//! limit the heads of later requests, nor the rest of a chunked body that no handler reads, nor a client that does not read.
//! So the operating system cuts a connection whose client accepts no data, and this module cuts a connection that has
//! neither had a request in progress nor been closed for longer than it may be idle.

use std::{
    any::Any,
    os::fd::OwnedFd,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{Extensions, ServiceRequest, ServiceResponse},
    rt::net::TcpStream,
    web::Bytes,
};
use rustix::net::{Shutdown, shutdown};
use tokio::time::sleep;

/// The value of [`Connection::idle_since`] while a request is in progress.
const BUSY: u64 = u64::MAX;
/// The library writes a response of this size or less at once; see `HttpServer::h1_write_buffer_size`.
const WRITTEN_AT_ONCE: u64 = 32 * 1024;

/// The time limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long a connection may be idle between two requests.
    pub keep_alive: Duration,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a client may accept no data of a response.
    pub unread: Duration,
    /// The number of open connections above which a connection may be idle only as long as the head of a request may take.
    pub crowded: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            // Proxies keep idle connections for 60 seconds. If the service closed them first, a proxy could send a request
            // into a closing connection and would answer 502.
            keep_alive: Duration::from_secs(75),
            head: Duration::from_secs(5),
            unread: Duration::from_secs(30),
            crowded: 10_000,
        }
    }
}

/// All open connections of the service.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    started: Instant,
    open: Mutex<Vec<Weak<Connection>>>,
}

/// The connection of a client.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    /// The milliseconds from the start of the service to the end of the last request, or [`BUSY`].
    idle_since: AtomicU64,
}

/// A request in progress. Dropping it starts the time in which the connection may be idle.
pub struct InProgress {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
}

impl Connections {
    /// Creates the list of connections, which is empty.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self { limits, started: Instant::now(), open: Mutex::default() }
    }

    /// Adds a connection that was accepted.
    pub fn add(self: &Arc<Self>, stream: &dyn Any, extensions: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TcpStream>() else { return };
        self.limit_unread_time(stream);
        // Without a copy of the socket the connection works, but its idle time is not checked.
        let Ok(socket) = rustix::io::fcntl_dupfd_cloexec(stream, 0) else { return };
        let connection = Arc::new(Connection { socket, idle_since: AtomicU64::new(self.now()) });
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&connection));
        extensions.insert((Arc::clone(self), connection));
    }

    /// Lets the operating system cut the connection once the client has accepted no data for too long. Only Linux can do that.
    fn limit_unread_time(&self, stream: &TcpStream) {
        #[cfg(target_os = "linux")]
        {
            let millis = u32::try_from(self.limits.unread.as_millis()).unwrap_or(u32::MAX);
            if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, millis) {
                tracing::debug!(%error, "cannot limit how long a client may accept no data");
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = stream;
    }

    /// Cuts the connections that have been idle for longer than the library allows. While very many connections are open, it
    /// cuts them much earlier, so that nobody can use up the file descriptors with idle connections.
    fn cut_idle(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_crowded = open.len() > self.limits.crowded;
        let longest = self.limits.head + if is_crowded { Duration::ZERO } else { self.limits.keep_alive };
        let earliest = self.now().saturating_sub(millis(longest));
        open.retain(|connection| {
            let Some(connection) = connection.upgrade() else { return false };
            if connection.idle_since.load(Relaxed) < earliest {
                connection.cut();
            }
            true
        });
    }

    fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

impl Connection {
    /// Cuts the connection.
    pub fn cut(&self) {
        // It fails when the client has disconnected meanwhile.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }
}

/// Cuts connections that make no progress, for as long as the service runs.
pub async fn cut_idle(connections: Arc<Connections>) {
    loop {
        sleep(connections.limits.head / 5).await;
        connections.cut_idle();
    }
}

impl InProgress {
    /// Marks the connection of a request as busy.
    pub fn begin(request: &ServiceRequest) -> Option<Self> {
        let (connections, connection) = request.conn_data::<(Arc<Connections>, Arc<Connection>)>()?;
        connection.idle_since.store(BUSY, Relaxed);
        Some(Self { connections: Arc::clone(connections), connection: Arc::clone(connection) })
    }

    /// Keeps the connection busy until the last part of the response is written.
    pub fn last_until_written(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        if matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0..=WRITTEN_AT_ONCE)) {
            return response;
        }
        response.map_body(|_, body| BoxBody::new(WithRequest { body, _request: self }))
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.connection.idle_since.store(self.connections.now(), Relaxed);
    }
}

/// The body of a response, with the request that it belongs to.
struct WithRequest {
    body: BoxBody,
    _request: InProgress,
}

impl MessageBody for WithRequest {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
