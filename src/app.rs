//! The server: what stands around a request, in which order, and how it starts and stops.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    dev::Server,
    http::{Method, header},
    middleware::{Compress, Condition, from_fn},
    web::{self, Data, ServiceConfig},
};
use diesel_async::pooled_connection::deadpool::Pool;
use utoipa::OpenApi as _;
use utoipa_actix_web::AppExt as _;

use crate::{
    auth::{Auth, keys::KeyRing, revocations::keep_in_step},
    config::Config,
    db::{self, Conn, Db},
    housekeeping,
    http::{fallback::fallback, headers, parameters::Parameters},
    metrics::{self, Metrics},
    openapi::Base,
    problem::{self, Error},
    resources::{
        self,
        changes::news::{self, News},
    },
    telemetry::RequestSpan,
};

/// Shared pipelined connections of each worker.
const READ_CONNECTIONS: usize = 2;
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
pub fn document() -> utoipa::openapi::OpenApi {
    App::new().into_utoipa_app().openapi(Base::openapi()).configure(resources::routes).split_for_parts().1
}

/// Builds the server and begins to listen. The database must be there and migrated.
///
/// # Errors
/// [`StartError`].
pub async fn build(mut config: Config, keys: KeyRing, database_url: &str) -> Result<Running, StartError> {
    let wanted = SocketAddr::new(config.host, config.port);
    let listener = listen(wanted).map_err(|error| StartError::Listen(wanted, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(wanted, error))?;
    config.listens_at(address);
    let public_url = config.public_url.clone();
    let auth = Arc::new(Auth::new(&config, keys));
    auth.revocations.refresh(&db::establish(database_url.to_owned()).await?).await?;
    actix_web::rt::spawn(keep_in_step(Arc::clone(&auth), database_url.to_owned()));
    let news = Arc::new(News::default());
    actix_web::rt::spawn(news::watch(Arc::clone(&news), database_url.to_owned()));
    actix_web::rt::spawn(news::close_on_signal(Arc::clone(&news)));
    actix_web::rt::spawn(housekeeping::keep(database_url.to_owned()));
    let pool = db::pool(database_url, config.pool_size)?;
    let metrics = config.metrics_port.map(|port| measure(SocketAddr::new(config.host, port), database_url, &pool));
    let (metrics, metrics_address) = metrics.transpose()?.unzip();
    let document = Arc::new(document());
    let parameters = Data::new(Parameters::of(&document));
    let workers = config.workers;
    let (config, auth, url) = (Data::new(config), Data::from(auth), database_url.to_owned());
    let server = HttpServer::new(move || {
        let shared = |services: &mut ServiceConfig| {
            services
                .app_data(config.clone())
                .app_data(auth.clone())
                .app_data(parameters.clone())
                .app_data(Data::from(Arc::clone(&news)))
                .configure(|services| {
                    if let Some(metrics) = &metrics {
                        services.app_data(metrics.clone());
                    }
                })
                .app_data(Data::from(Arc::clone(&document)))
                .app_data(Data::new(Db::new(&url, pool.clone(), READ_CONNECTIONS)))
                .app_data(web::PathConfig::default().error_handler(|_, _| Error::NotFound.into()));
        };
        let (app, _) = App::new().configure(shared).into_utoipa_app().configure(resources::routes).split_for_parts();
        app.default_service(web::to(fallback(&document)))
            .wrap(from_fn(headers::contain))
            .wrap(Condition::new(!config.cors_origins.is_empty(), cors(&config)))
            .wrap(from_fn(headers::choose_encoding))
            .wrap(Compress::default())
            .wrap(from_fn(problem::render))
            .wrap(from_fn(headers::finish))
            .wrap(from_fn(metrics::observe))
            .wrap(tracing_actix_web::TracingLogger::<RequestSpan>::new())
    })
    .workers(workers)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .client_request_timeout(Duration::from_secs(5))
    .listen(listener)
    .map_err(|error| StartError::Listen(address, error))?;
    Ok(Running { server: server.run(), address, public_url, metrics_address })
}

/// Begins to count, and serves the figures at this address.
fn measure(wanted: SocketAddr, url: &str, pool: &Pool<Conn>) -> Result<(Data<Metrics>, SocketAddr), StartError> {
    let cannot = |error| StartError::Listen(wanted, error);
    let listener = listen(wanted).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let metrics = Data::new(Metrics::new().map_err(|error| Error::Internal(error.into()))?);
    let (url, pool) = (url.to_owned(), pool.clone());
    let db = move || Db::new(&url, pool.clone(), 1);
    actix_web::rt::spawn(metrics::serve(listener, metrics.clone(), db).map_err(cannot)?);
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

/// A restarted service takes its port at once, though old connections linger.
fn listen(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
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
