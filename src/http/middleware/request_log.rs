//! Middleware that logs and measures every request.

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
    telemetry::{
        metrics::{Metrics, method_name},
        request_id::RequestId,
        route::Route,
    },
};

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
