//! What the operator sees: the log's form, and a span for each request.

mod json_lines;

use std::{cell::OnceCell, fs::File, io, os::fd::AsFd as _, rc::Rc, time::Instant};

use actix_web::{
    HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use tracing::Instrument as _;
use uuid::Uuid;

use self::json_lines::JsonLines;
use crate::{
    auth::reach::Identity,
    config::LogFormat,
    metrics::{Metrics, method_name},
};

/// The name of the header that carries a request's id, in and out.
pub const X_REQUEST_ID: &str = "x-request-id";

/// What libraries may tell at most, whatever the filter: the driver of PostgreSQL would tell the parameters of statements,
/// and with them secrets and what is personal, the framework the paths of requests.
const AT_MOST: &str = "tokio_postgres=warn,actix_web=info";

/// Sends the log to standard error: `filter` as `RUST_LOG` of tracing-subscriber takes it.
///
/// # Errors
/// When there is no standard error.
pub fn start(format: LogFormat, filter: &str) -> io::Result<()> {
    // Each line is one write, which the system does not mix with others (a pipe: up to 4 KiB). The standard library's lock
    // around standard error would be held for as long as that takes: workers would wait for each other at most requests.
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let filter = format!("actix_server=warn,actix_http=off,{filter},{AT_MOST}");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(stderr)
        .with_target(false);
    match format {
        LogFormat::Human => builder.init(),
        LogFormat::Json => builder.fmt_fields(JsonLines).event_format(JsonLines).init(),
    }
    Ok(())
}

/// Sends panics to the log, where the request that they end is known.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(location, message, "panicked");
    }));
}

/// A request's id: the caller's `X-Request-Id` when it is 1 to 64 letters, digits, `.`, `_` or `-`, else a new `UUIDv7`.
#[derive(Clone, Debug)]
pub struct RequestId(Rc<str>);

impl RequestId {
    /// The id of this request.
    pub fn of(request: &impl HttpMessage) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self("".into()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn assign(request: &ServiceRequest) -> Self {
        let given = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        let acceptable = |id: &&str| {
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let id = given.filter(acceptable).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        Self(id.into())
    }
}

/// In a request's extensions: the template of its route, such as `/v1/tutors/{id}`, once it has been routed. To match the
/// path anew would cost as much as to route it.
#[derive(Clone, Debug, Default)]
pub struct Route(Rc<OnceCell<String>>);

impl Route {
    /// The route of this request; `none` when there is none.
    pub fn of(request: &HttpRequest) -> Self {
        let route = request.extensions().get::<Self>().cloned().unwrap_or_default();
        route.0.get_or_init(|| request.match_pattern().unwrap_or_else(|| "none".to_owned()));
        route
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        self.0.get().map_or("none", String::as_str)
    }
}

/// Outermost middleware: a span that tells the request's id in every line of the log, one line once it is answered, and
/// the figures. No personal data, no tokens, the route's template instead of the path.
///
/// # Errors
/// None of its own.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = Instant::now();
    let (id, method) = (RequestId::assign(&request), request.method().clone());
    let route = Route::default();
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(route.clone());
    let span = tracing::info_span!("request", request_id = id.as_str());
    let response = next.call(request).instrument(span).await?.map_into_boxed_body();
    let (status, took) = (response.status().as_u16(), began.elapsed());
    Route::of(response.request());
    if let Some(metrics) = metrics {
        metrics.answered(route.as_str(), &method, status, took);
    }
    let extensions = response.request().extensions();
    tracing::info!(
        parent: None,
        request_id = id.as_str(),
        method = method_name(&method),
        route = route.as_str(),
        caller = extensions.get::<Identity>().and_then(Identity::actor),
        status,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request answered"
    );
    drop(extensions);
    Ok(response)
}
