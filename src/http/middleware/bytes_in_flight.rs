//! Middleware outside actix's compression: it limits the memory of responses, and writes long ones piece by piece.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    HttpMessage as _,
    body::{self, BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::{Bytes, Data},
};

use crate::{
    auth::rate_limits::Counted,
    connections::{Connection, Connections},
    http::response_memory::{EXEMPT, Permit, ResponseMemory},
    problem::{Error, Result},
    telemetry::metrics::Metrics,
};

/// The size of a response before it is compressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlainSize(pub(super) usize);

/// Lets a long response take memory, or refuses it. The response to a write is never refused, because the write is done.
pub async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let memory = request.app_data::<Data<ResponseMemory>>().map(|memory| Arc::clone(memory));
    let connection = request.conn_data::<(Arc<Connections>, Arc<Connection>)>().map(|(_, own)| Arc::clone(own));
    let is_safe = request.method().is_safe();
    let response = next.call(request).await?.map_into_boxed_body();
    let is_encoded = matches!(response.response().body().size(), BodySize::Stream)
        && response.headers().contains_key(header::CONTENT_ENCODING);
    let size = match response.response().body().size() {
        BodySize::Sized(size) => usize::try_from(size).unwrap_or(usize::MAX),
        _ => response.request().extensions().get::<PlainSize>().map_or(0, |size| size.0),
    };
    let Some(memory) = memory.filter(|_| size > EXEMPT || is_encoded) else { return Ok(response) };
    let permit = if size > EXEMPT {
        let caller = response.request().extensions().get::<Counted>().copied().unwrap_or(Counted::Address(None));
        match admit(&memory, caller, connection.as_ref(), size, is_safe).await {
            Ok(permit) => permit,
            Err(error) => {
                if let Some(metrics) = response.request().app_data::<Data<Metrics>>() {
                    metrics.record_limited("memory");
                }
                return Ok(response.error_response(error));
            }
        }
    } else {
        None
    };
    write_in_pieces(&memory, response, permit).await
}

async fn admit(
    memory: &Arc<ResponseMemory>,
    caller: Counted,
    connection: Option<&Arc<Connection>>,
    size: usize,
    is_safe: bool,
) -> Result<Option<Permit>> {
    if is_safe {
        return memory.admit(caller, connection, size).await.map(Some);
    }
    Ok(memory.try_admit(caller, connection, size))
}

/// Compresses the whole response, if it is to be compressed: an encoder takes more memory than the response, so it must not
/// wait for a client that does not read.
async fn write_in_pieces(
    memory: &ResponseMemory,
    response: ServiceResponse<BoxBody>,
    permit: Option<Permit>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => {
            let _encoder = memory.encoder().await?;
            body::to_bytes(body).await.map_err(|error| Error::Internal(error.to_string().into()))?
        }
    };
    if let Some(permit) = &permit {
        permit.shrink(bytes.len());
    }
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(Pieces { rest: bytes, permit }))))
}

/// A body that is written piece by piece. The HTTP library copies each piece into its buffer.
struct Pieces {
    rest: Bytes,
    permit: Option<Permit>,
}

impl MessageBody for Pieces {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(permit) = &self.permit {
            permit.progress();
        }
        let length = self.rest.len().min(EXEMPT);
        let piece = self.rest.split_to(length);
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}
