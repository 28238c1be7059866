//! A proxy between the Unix sockets of the service and PostgreSQL, which causes faults of the connection.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

const SOCKET: &str = ".s.PGSQL.5432";

/// The current fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No fault.
    Sound,
    /// Nothing listens, and the open connections are closed.
    Refused,
    /// New connections are closed at once, and so are the open ones.
    Reset,
    /// The proxy accepts bytes and delivers none, in both directions. A connection used meanwhile stays silent for
    /// good.
    BlackHole,
    /// The bytes of PostgreSQL arrive this much later.
    Slow(Duration),
    /// Each connection delivers this many more bytes of PostgreSQL and then breaks.
    CutAfter(usize),
    /// `COMMIT` reaches PostgreSQL, which commits, and the connection breaks before the reply.
    LostCommit,
}

/// A running proxy. It ends with the test.
pub(crate) struct Proxy {
    pub(crate) url: String,
    fault: Option<watch::Sender<Fault>>,
    links: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
    _dir: TempDir,
}

impl Proxy {
    /// Starts without a fault, in front of the PostgreSQL at this URL.
    pub(crate) fn before(database_url: &str) -> Self {
        let dir = TempDir::with_prefix("link").unwrap();
        let (host, database) = database_url.strip_prefix("postgresql://postgres@").unwrap().split_once('/').unwrap();
        let behind = PathBuf::from(host.replace("%2F", "/")).join(SOCKET);
        let own = dir.path().join(SOCKET);
        let url = format!("postgresql://postgres@{}/{database}", dir.path().to_str().unwrap().replace('/', "%2F"));
        let (fault, faults) = watch::channel(Fault::Sound);
        let links = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&links);
        let listener = std::os::unix::net::UnixListener::bind(&own).unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(listen(listener, own, behind, faults, counted));
        });
        Self { url, fault: Some(fault), links, thread: Some(thread), _dir: dir }
    }

    /// Switches to this fault.
    pub(crate) fn set(&self, fault: Fault) {
        self.fault.as_ref().unwrap().send(fault).unwrap();
    }

    /// Returns how many connections the service has opened through it.
    pub(crate) fn links(&self) -> u64 {
        self.links.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.fault = None;
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the proxy panicked");
    }
}

/// Accepts connections until the proxy is dropped.
async fn listen(
    listener: std::os::unix::net::UnixListener,
    own: PathBuf,
    behind: PathBuf,
    mut faults: watch::Receiver<Fault>,
    links: Arc<AtomicU64>,
) {
    listener.set_nonblocking(true).unwrap();
    let mut listener = Some(UnixListener::from_std(listener).unwrap());
    let mut running = JoinSet::new();
    loop {
        match (*faults.borrow_and_update() == Fault::Refused, &listener) {
            (true, Some(_)) => listener = None,
            (false, None) => {
                std::fs::remove_file(&own).unwrap();
                listener = Some(UnixListener::bind(&own).unwrap());
            }
            _ => {}
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.unwrap().0,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = faults.changed() => if changed.is_err() { return },
            service = accepted => {
                links.fetch_add(1, Ordering::Relaxed);
                running.spawn(link(service, behind.clone(), faults.clone()));
            }
            Some(ended) = running.join_next() => ended.unwrap(),
        }
    }
}

async fn link(service: UnixStream, behind: PathBuf, faults: watch::Receiver<Fault>) {
    let Ok(database) = UnixStream::connect(behind).await else { return };
    let ((from_service, to_service), (from_database, to_database)) = (service.into_split(), database.into_split());
    let commits = Arc::new(AtomicU64::new(0));
    // The first half that ends drops both, so the connection closes without a farewell message.
    tokio::select! {
        () = up(from_service, to_database, faults.clone(), Arc::clone(&commits)) => {}
        () = down(from_database, to_service, faults, commits) => {}
    }
}

/// Copies bytes from the service to PostgreSQL.
async fn up(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut faults: watch::Receiver<Fault>,
    commits: Arc<AtomicU64>,
) {
    let mut buffer = vec![0; 1 << 14];
    while let Some(bytes) = next(&mut from, &mut buffer, &mut faults).await {
        if bytes.windows(6).any(|word| word == b"COMMIT") {
            commits.fetch_add(1, Ordering::Relaxed);
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// Copies bytes from PostgreSQL to the service.
async fn down(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut faults: watch::Receiver<Fault>,
    commits: Arc<AtomicU64>,
) {
    let (mut buffer, mut said, mut committed) = (vec![0; 1 << 14], 0, 0);
    while let Some(mut bytes) = next(&mut from, &mut buffer, &mut faults).await {
        let fault = *faults.borrow();
        let before = std::mem::replace(&mut committed, commits.load(Ordering::Relaxed));
        match fault {
            Fault::Slow(more) => sleep(more).await,
            Fault::CutAfter(limit) => bytes = &bytes[..bytes.len().min(limit.saturating_sub(said))],
            Fault::LostCommit if committed > before => return,
            _ => {}
        }
        said = if matches!(fault, Fault::CutAfter(_)) { said + bytes.len() } else { 0 };
        if bytes.is_empty() || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// Returns the next bytes, or none when the connection has ended or must end.
async fn next<'a>(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &'a mut [u8],
    faults: &mut watch::Receiver<Fault>,
) -> Option<&'a [u8]> {
    let broken = |fault: &Fault| matches!(fault, Fault::Refused | Fault::Reset);
    let length = tokio::select! {
        _ = faults.wait_for(broken) => return None,
        read = from.read(buffer) => read.unwrap_or(0),
    };
    if *faults.borrow() == Fault::BlackHole {
        // Like a router that has forgotten the connection: it stays silent even after the fault.
        let _ = faults.wait_for(broken).await;
        return None;
    }
    (length > 0).then(|| &buffer[..length])
}
