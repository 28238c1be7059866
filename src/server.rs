//! The server: what stands around a request, in which order, and how it starts and stops.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::{Compress, Condition, from_fn},
    web::{self, Data, ServiceConfig},
};
use diesel_async::pooled_connection::deadpool::Pool;
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_actix_web::AppExt as _;

use crate::{
    auth::{keys::key_ring::KeyRing, refresh, state::Auth},
    config::Config,
    db::{self, Conn, Db, batching::response_cache::ResponseCache, connection},
    housekeeping,
    http::{
        fallback::{Paths, fallback},
        input::parameters::Parameters,
        middleware::{compression, containment, problems, request_log, response_headers},
        openapi::base::Base,
        routes::Routes,
    },
    metrics_server,
    problem::Error,
    resources::{
        self,
        integration::changes::ledger_poller::{self, LedgerPoller},
        service::documentation::WrittenDocument,
    },
    shutdown::{Signals, Stopping},
    telemetry::metrics::Metrics,
};

/// How long requests that are under way may take once the service is told to stop, in seconds.
const SHUTDOWN_SECONDS: u64 = 25;

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}; stop what listens there, or set PORT to another port")]
    Listen(SocketAddr, std::io::Error),
    /// The database does not answer, or its URL is wrong.
    #[error("the database cannot be used: {0}")]
    Database(#[from] Error),
    /// The database does not let in.
    #[error("cannot reach the database: {0}")]
    Connection(#[from] diesel::ConnectionError),
    /// The operating system does not tell of signals.
    #[error("cannot listen for SIGTERM and Ctrl-C: {0}")]
    Signals(std::io::Error),
}

/// A server that listens, and where.
pub struct Running {
    /// Await it: it serves until it is told to stop.
    pub server: Server,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where callers reach it.
    pub public_url: String,
    /// Where its metrics are, if they are on.
    pub metrics_address: Option<SocketAddr>,
}

/// The document, from the handlers.
pub fn document() -> OpenApi {
    let described = App::new().into_utoipa_app().openapi(Base::openapi());
    described.configure(|config| resources::routes(&mut Routes::Described(config))).split_for_parts().1
}

/// Builds the server and begins to listen. The database must be there and migrated.
///
/// # Errors
/// [`StartError`].
pub async fn build(mut config: Config, keys: KeyRing, database_url: &str) -> Result<Running, StartError> {
    let (listener, address) = listen(SocketAddr::new(config.host, config.port))?;
    config.listens_at(address);
    let (public_url, workers, drain) = (config.public_url.clone(), config.workers, config.drain);
    let signals = Signals::listen().map_err(StartError::Signals)?;
    let (shared, metrics_address) = Shared::start(config, keys, database_url).await?;
    let (stopping, poller) = (shared.stopping.clone(), shared.poller.clone());
    let server = HttpServer::new(move || shared.clone().app())
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .client_request_timeout(Duration::from_secs(5))
        .listen(listener)
        .map_err(|error| StartError::Listen(address, error))?
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(async move { signals.stop(handle, &stopping, drain, || poller.close()).await });
    Ok(Running { server, address, public_url, metrics_address })
}

/// What the workers share.
#[derive(Clone)]
struct Shared {
    config: Data<Config>,
    auth: Data<Auth>,
    parameters: Data<Parameters>,
    paths: Data<Paths>,
    document: Data<WrittenDocument>,
    poller: Data<LedgerPoller>,
    stopping: Data<Stopping>,
    cache: Data<ResponseCache>,
    metrics: Option<Data<Metrics>>,
    pool: Pool<Conn>,
    database_url: String,
}

impl Shared {
    /// Makes it, and starts what runs beside the requests; gives where the metrics are, too.
    async fn start(config: Config, keys: KeyRing, url: &str) -> Result<(Self, Option<SocketAddr>), StartError> {
        let auth = Arc::new(Auth::new(&config, keys));
        auth.revocations.refresh(&db::establish(url.to_owned()).await?).await?;
        let poller = Arc::new(LedgerPoller::default());
        actix_web::rt::spawn(refresh::keep_fresh(Arc::clone(&auth), url.to_owned()));
        actix_web::rt::spawn(ledger_poller::watch(Arc::clone(&poller), url.to_owned()));
        actix_web::rt::spawn(housekeeping::keep(url.to_owned()));
        let pool = connection::pool(url, config.pool_size)?;
        let metrics = config.metrics_port.map(|port| measure(SocketAddr::new(config.host, port), url, &pool));
        let (metrics, metrics_address) = metrics.transpose()?.unzip();
        let document = document();
        let shared = Self {
            config: Data::new(config),
            auth: Data::from(auth),
            parameters: Data::new(Parameters::of(&document)),
            paths: Data::new(Paths::of(&document)),
            document: Data::new(WrittenDocument::of(&document)?),
            poller: Data::from(poller),
            stopping: Data::default(),
            cache: ResponseCache::start()?,
            metrics,
            pool,
            database_url: url.to_owned(),
        };
        Ok((shared, metrics_address))
    }

    /// One worker's application: what stands around its requests, the innermost first.
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
            .configure(|services| self.hand_out(services))
            .configure(|services| resources::routes(&mut Routes::Served(services)))
            .default_service(web::to(fallback))
            .wrap(from_fn(containment::contain))
            .wrap(Condition::new(!self.config.cors_origins.is_empty(), cors(&self.config)))
            .wrap(from_fn(compression::choose_encoding))
            .wrap(Compress::default())
            .wrap(from_fn(problems::render))
            .wrap(from_fn(response_headers::add_headers))
            .wrap(from_fn(request_log::observe))
    }

    /// What handlers may ask for.
    fn hand_out(&self, services: &mut ServiceConfig) {
        if let Some(metrics) = &self.metrics {
            services.app_data(metrics.clone());
        }
        services
            .app_data(self.config.clone())
            .app_data(self.auth.clone())
            .app_data(self.parameters.clone())
            .app_data(self.poller.clone())
            .app_data(self.stopping.clone())
            .app_data(self.cache.clone())
            .app_data(self.paths.clone())
            .app_data(self.document.clone())
            .app_data(Data::new(Db::new(&self.database_url, self.pool.clone())))
            .app_data(web::PathConfig::default().error_handler(|_, _| Error::NotFound.into()));
    }
}

/// Begins to count, and serves the figures at this address.
fn measure(wanted: SocketAddr, url: &str, pool: &Pool<Conn>) -> Result<(Data<Metrics>, SocketAddr), StartError> {
    let (listener, address) = listen(wanted)?;
    let metrics = Data::new(Metrics::new().map_err(|error| Error::Internal(error.into()))?);
    let (url, pool) = (url.to_owned(), pool.clone());
    let db = move || Db::new(&url, pool.clone());
    actix_web::rt::spawn(
        metrics_server::serve(listener, metrics.clone(), db).map_err(|error| StartError::Listen(address, error))?,
    );
    Ok((metrics, address))
}

/// Lets the process open as many files and connections as the system allows it: the usual 1,024 are fewer than the
/// requests that may wait for a change.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        tracing::warn!(?current, ?maximum, "the limit of open files cannot be raised");
    }
}

/// Listens, and tells where. A restarted service takes its port at once, though old connections linger.
fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = TcpListener::bind(wanted).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|error| StartError::Listen(wanted, error))
}

/// Pages of the configured origins may call, and see what they need to write.
fn cors(config: &Config) -> Cors {
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let mut cors = Cors::default()
        .allowed_methods(methods)
        .allowed_headers([
            header::AUTHORIZATION.as_str(),
            header::CONTENT_TYPE.as_str(),
            header::IF_MATCH.as_str(),
            header::IF_NONE_MATCH.as_str(),
            "idempotency-key",
            "x-request-id",
        ])
        .expose_headers([
            header::ETAG.as_str(),
            header::LOCATION.as_str(),
            header::RETRY_AFTER.as_str(),
            header::WWW_AUTHENTICATE.as_str(),
            header::ALLOW.as_str(),
            "idempotency-replayed",
            "ratelimit",
            "ratelimit-policy",
            "x-request-id",
        ])
        .max_age(3600);
    for origin in &config.cors_origins {
        cors = cors.allowed_origin(origin);
    }
    cors
}
