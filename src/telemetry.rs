//! What the operator sees: the log's form, and a span for each request.

use actix_web::{
    HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;
use uuid::Uuid;

use crate::config::LogFormat;

/// The name of the header that carries a request's id, in and out.
pub const X_REQUEST_ID: &str = "x-request-id";

/// What libraries may tell at most, whatever the filter: the driver of PostgreSQL would tell the parameters of statements,
/// and with them secrets and what is personal, the framework the paths of requests.
const AT_MOST: &str = "tokio_postgres=warn,actix_web=info";

/// Sends the log to standard error: `filter` as `RUST_LOG` of tracing-subscriber takes it.
pub fn start(format: LogFormat, filter: &str) {
    let filter = format!("actix_server=warn,actix_http=off,{filter},{AT_MOST}");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_target(false);
    match format {
        LogFormat::Human => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
    }
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
pub struct RequestId(std::rc::Rc<str>);

impl RequestId {
    /// The id of this request.
    pub fn of(request: &impl HttpMessage) -> String {
        request.extensions().get::<Self>().map_or_else(String::new, |id| id.0.to_string())
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

/// When the service began to work on a request.
struct Received(std::time::Instant);

/// The span of a request: no personal data, no tokens, the route's template instead of the path.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = RequestId::assign(request);
        let span = tracing::info_span!(
            "request",
            request_id = %id.0,
            method = %request.method(),
            route = Empty,
            caller = Empty,
        );
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(Received(std::time::Instant::now()));
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, actix_web::Error>) {
        let Ok(response) = outcome else { return };
        let request = response.request();
        span.record("route", request.match_pattern().unwrap_or_else(|| "none".to_owned()));
        let micros = request
            .extensions()
            .get::<Received>()
            .map_or(0, |received| u64::try_from(received.0.elapsed().as_micros()).unwrap_or(u64::MAX));
        let _entered = span.enter();
        tracing::info!(status = response.status().as_u16(), micros, "request answered");
    }
}
