//! The outermost middleware: it logs and measures every request.

use std::time::Instant;

use actix_web::{
    HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use tracing::Instrument as _;

use crate::{
    auth::reach::Identity,
    connections::InProgress,
    telemetry::{
        metrics::{Metrics, method_name},
        request_id::RequestId,
        route::Route,
        trace_context::trace_id,
    },
};

/// Gives the request its id, runs it in a span that adds the id to every log line, and logs and counts the response. The log gets
/// no personal data and no tokens, and the template of the route instead of the path.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let start = Instant::now();
    let (id, method) = (RequestId::assign(&request), request.method().clone());
    let (route, trace_id) = (Route::default(), trace_id(&request));
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(route.clone());
    let span = tracing::info_span!("request", request_id = id.as_str(), trace_id);
    let in_progress = InProgress::begin(&request);
    let outcome = next.call(request).instrument(span).await.map(ServiceResponse::map_into_boxed_body);
    let duration = start.elapsed();
    let (status, caller) = match &outcome {
        Ok(response) => {
            Route::of(response.request());
            let identity = response.request().extensions().get::<Identity>().and_then(Identity::actor);
            (response.status().as_u16(), identity)
        }
        Err(error) => (error.as_response_error().status_code().as_u16(), None),
    };
    if let Some(metrics) = metrics {
        metrics.record_response(route.as_str(), &method, status, duration);
    }
    tracing::info!(
        parent: None,
        request_id = id.as_str(),
        trace_id,
        method = method_name(&method),
        route = route.as_str(),
        caller,
        status,
        micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        "request answered"
    );
    outcome.map(|response| match in_progress {
        Some(in_progress) => in_progress.last_until_written(response),
        None => response,
    })
}
