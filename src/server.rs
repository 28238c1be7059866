//! The server: the middleware around each request, and start and stop.

pub mod ports;

use std::{net::SocketAddr, sync::Arc};

use actix_web::{
    App, HttpServer,
    body::MessageBody,
    dev::{Server, Service as _, ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::{Compress, Condition, from_fn},
    web::{self, Data, ServiceConfig},
};
use diesel_async::pooled_connection::deadpool::Pool;
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_actix_web::AppExt as _;

use self::ports::{ListenError, METRICS_PORT, PORT, listen};
use crate::{
    auth::{
        failures::FailureLog,
        keys::key_ring::KeyRing,
        rate_limits::{self, RateLimits},
        refresh,
        state::Auth,
        write_quota::WriteQuota,
    },
    clock::Clock,
    config::Config,
    connection_parameters::ConnectionParameters,
    connections::{self, Connections},
    db::{self, Conn, Db, batching::response_cache::ResponseCache, connection, epoch},
    housekeeping,
    http::{
        fallback::{Paths, fallback},
        input::parameters::Parameters,
        middleware::{
            bytes_in_flight, compression, containment, cors, limits, problems, request_log, response_headers,
        },
        openapi::base::Base,
        output::next_link,
        response_memory::ResponseMemory,
        routes::Routes,
    },
    metrics_server,
    problem::Error,
    resources::{
        self,
        integration::changes::ledger_poller::{self, LedgerPoller},
        service::documentation::RenderedDocument,
    },
    shutdown::{Signals, Stopping},
    telemetry::metrics::Metrics,
};

/// The longest time that the server waits for requests in flight when it stops, in seconds.
const SHUTDOWN_SECONDS: u64 = 25;
/// The file descriptors that are kept for PostgreSQL, files and the metrics.
const RESERVED_FILES: usize = 200;

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The service cannot listen on one of its ports.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database failed while the service started.
    #[error("the database cannot be used: {0}")]
    Database(#[from] Error),
    /// PostgreSQL did not accept the connection.
    #[error("cannot connect to the database: {0}; check DATABASE_URL, and that the server runs and accepts this user")]
    Connection(#[from] diesel::ConnectionError),
    /// The operating system did not register the signal handlers.
    #[error("cannot listen for SIGTERM and Ctrl-C: {0}")]
    Signals(std::io::Error),
}

/// A server that listens.
pub struct Running {
    /// The server. Await it: it serves until a signal stops it.
    pub server: Server,
    /// The address that it listens on.
    pub address: SocketAddr,
    /// The URL at which callers reach it.
    pub public_url: String,
    /// The address of the metrics, when `METRICS_PORT` is set.
    pub metrics_address: Option<SocketAddr>,
}

/// Returns the OpenAPI document, which is generated from the handlers.
pub fn document() -> OpenApi {
    let described = App::new().into_utoipa_app().openapi(Base::openapi());
    let mut document =
        described.configure(|config| resources::routes(&mut Routes::Described(config))).split_for_parts().1;
    next_link::describe(&mut document);
    document
}

/// Builds the server and begins to listen. The database must have been migrated. All rules about time follow `clock`: pass
/// the default, unless a test moves the clock.
pub async fn build(
    mut config: Config,
    keys: KeyRing,
    database: &ConnectionParameters,
    clock: Clock,
) -> Result<Running, StartError> {
    // Background tasks such as housekeeping run on this thread.
    clock.use_on_this_thread();
    let (listener, address) = listen(PORT, SocketAddr::new(config.host, config.port))?;
    config.set_bound_address(address);
    let (public_url, workers, drain) = (config.public_url.clone(), config.workers, config.drain);
    let mut limits = config.connection_limits;
    limits.crowded = limits.crowded.min(max_connections() / 2);
    let connections = Arc::new(Connections::new(limits));
    actix_web::rt::spawn(connections::cut_idle(Arc::clone(&connections)));
    let signals = Signals::listen().map_err(StartError::Signals)?;
    let (shared, metrics_address) = Shared::start(config, keys, database).await?;
    let (stopping, poller) = (shared.stopping.clone(), shared.poller.clone());
    let app = move || {
        clock.use_on_this_thread();
        shared.clone().app()
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .client_request_timeout(limits.head)
        .keep_alive(limits.keep_alive)
        // The descriptors that are left are for PostgreSQL and files.
        .max_connections((max_connections() / workers).max(1))
        // Must precede `listen`: it has no effect on earlier listeners.
        .on_connect(move |stream, extensions| connections.add(stream, extensions))
        .listen(listener)
        .map_err(|error| ListenError::new(PORT, address, error))?
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(async move { signals.stop(handle, &stopping, drain, || poller.close()).await });
    Ok(Running { server, address, public_url, metrics_address })
}

/// The state that all workers share.
#[derive(Clone)]
struct Shared {
    config: Data<Config>,
    auth: Data<Auth>,
    rate_limits: Data<RateLimits>,
    write_quota: Data<WriteQuota>,
    parameters: Data<Parameters>,
    paths: Data<Paths>,
    document: Data<RenderedDocument>,
    poller: Data<LedgerPoller>,
    stopping: Data<Stopping>,
    cache: Data<ResponseCache>,
    response_memory: Data<ResponseMemory>,
    metrics: Option<Data<Metrics>>,
    pool: Pool<Conn>,
    database: ConnectionParameters,
}

impl Shared {
    /// Starts the background tasks. Returns the shared state, and the address of the metrics if they are on.
    async fn start(
        config: Config,
        keys: KeyRing,
        database: &ConnectionParameters,
    ) -> Result<(Self, Option<SocketAddr>), StartError> {
        let auth = Arc::new(Auth::new(&config, keys, FailureLog::start(database.clone())));
        let conn = db::establish(database).await?;
        auth.revocations.refresh(&conn).await?;
        epoch::warn_if_unidentified(&conn).await?;
        let poller = Arc::new(LedgerPoller::default());
        let limits = Arc::new(RateLimits::new(config.requests_per_second));
        actix_web::rt::spawn(refresh::keep_fresh(Arc::clone(&auth), database.clone()));
        actix_web::rt::spawn(ledger_poller::watch(Arc::clone(&poller), database.clone()));
        actix_web::rt::spawn(housekeeping::run(database.clone()));
        actix_web::rt::spawn(rate_limits::sweep(Arc::clone(&limits)));
        let pool = connection::pool(database, config.pool_size)?;
        let response_memory: Data<ResponseMemory> = Data::default();
        let metrics = config
            .metrics_port
            .map(|port| serve_metrics(SocketAddr::new(config.host, port), response_memory.clone(), database, &pool));
        let (metrics, metrics_address) = metrics.transpose()?.unzip();
        let document = document();
        let shared = Self {
            write_quota: Data::new(WriteQuota::new(config.write_quota_mib)),
            config: Data::new(config),
            auth: Data::from(auth),
            rate_limits: Data::from(limits),
            parameters: Data::new(Parameters::of(&document)),
            paths: Data::new(Paths::of(&document)),
            document: Data::new(RenderedDocument::of(&document)?),
            poller: Data::from(poller),
            stopping: Data::default(),
            cache: ResponseCache::start()?,
            response_memory,
            metrics,
            pool,
            database: database.clone(),
        };
        Ok((shared, metrics_address))
    }

    /// Returns the application of one worker. The innermost middleware comes first.
    fn app(
        self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody>,
            Error = actix_web::Error,
            InitError = (),
        >,
    > {
        App::new()
            .configure(|services| self.provide(services))
            .configure(|services| resources::routes(&mut Routes::Served(services)))
            .default_service(web::to(fallback))
            .wrap(from_fn(limits::limit))
            .wrap(from_fn(containment::contain))
            .wrap(Condition::new(!self.config.cors_origins.is_empty(), cors::cors(&self.config)))
            .wrap(from_fn(compression::choose_encoding))
            .wrap(Compress::default())
            .wrap_fn(|mut request, service| {
                compression::prepare_encodings(&mut request);
                service.call(request)
            })
            .wrap(from_fn(bytes_in_flight::limit))
            .wrap(from_fn(problems::render))
            .wrap(from_fn(response_headers::add_headers))
            .wrap(from_fn(request_log::observe))
    }

    /// Registers the values that handlers take as arguments.
    fn provide(&self, services: &mut ServiceConfig) {
        if let Some(metrics) = &self.metrics {
            services.app_data(metrics.clone());
        }
        services
            .app_data(self.config.clone())
            .app_data(self.auth.clone())
            .app_data(self.rate_limits.clone())
            .app_data(self.write_quota.clone())
            .app_data(self.parameters.clone())
            .app_data(self.poller.clone())
            .app_data(self.stopping.clone())
            .app_data(self.cache.clone())
            .app_data(self.response_memory.clone())
            .app_data(self.paths.clone())
            .app_data(self.document.clone())
            .app_data(Data::new(Db::new(&self.database, self.pool.clone())))
            .app_data(web::PathConfig::default().error_handler(|_, _| Error::NotFound.into()));
    }
}

/// Starts the metrics server at this address.
fn serve_metrics(
    wanted: SocketAddr,
    memory: Data<ResponseMemory>,
    database: &ConnectionParameters,
    pool: &Pool<Conn>,
) -> Result<(Data<Metrics>, SocketAddr), StartError> {
    let (listener, address) = listen(METRICS_PORT, wanted)?;
    let metrics = Data::new(Metrics::new().map_err(|error| Error::Internal(error.into()))?);
    let (database, pool) = (database.clone(), pool.clone());
    let db = move || Db::new(&database, pool.clone());
    actix_web::rt::spawn(
        metrics_server::serve(listener, metrics.clone(), memory, db)
            .map_err(|error| ListenError::new(METRICS_PORT, address, error))?,
    );
    Ok((metrics, address))
}

/// Raises the limit of open files to the most that the system allows. The usual limit of 1,024 is less than the number of
/// requests that may wait for changes.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        tracing::warn!(?current, ?maximum, "cannot raise the limit of open files");
    }
}

/// Returns how many connections of clients may be open at once. Each takes two file descriptors.
fn max_connections() -> usize {
    use rustix::process::{Resource, getrlimit};
    let files =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    (files.saturating_sub(RESERVED_FILES) / 2).max(1)
}
