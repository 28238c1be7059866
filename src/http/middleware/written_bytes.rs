//! The bytes that a request writes, for the quota of its caller.

use std::{cell::Cell, pin::Pin, rc::Rc};

use actix_web::{
    HttpMessage as _, HttpResponse,
    body::BoxBody,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    http::{Method, header},
    web::{Bytes, Data},
};
use futures_util::{Stream, TryStreamExt as _};

use crate::{
    auth::write_quota::{Reserved, WriteQuota, cost},
    db::Db,
    http::{idempotency, input::body::BODY_LIMIT, output::created},
    problem::{Error, Result},
};

/// The bytes of one request. A request whose handler is dropped keeps its bytes, because its write goes on.
pub(super) struct WrittenBytes {
    quota: Data<WriteQuota>,
    reserved: Reserved,
    saves_answer: bool,
    /// The bytes of the body that have arrived, when its length was not announced.
    arrived: Option<Rc<Cell<usize>>>,
}

impl WrittenBytes {
    /// Reserves the bytes that a request can write; none when it writes nothing.
    ///
    /// # Errors
    /// Those of [`WriteQuota::reserve`].
    pub(super) fn reserve(request: &mut ServiceRequest, caller: String) -> Result<Option<Self>> {
        let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(request.method());
        let quota = request.app_data::<Data<WriteQuota>>().filter(|quota| writes && quota.is_on()).cloned();
        let Some(quota) = quota else { return Ok(None) };
        let db = request.app_data::<Data<Db>>().cloned().ok_or_else(|| Error::Internal("no Db".into()))?;
        let saves_answer = request.method() == Method::POST && request.headers().contains_key(idempotency::HEADER);
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let announced: Option<usize> =
            request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let length = if is_chunked { BODY_LIMIT } else { announced.unwrap_or_default().min(BODY_LIMIT) };
        let reserved = quota.reserve(&db, caller, cost(length as u64, saves_answer))?;
        let arrived = is_chunked.then(|| count(request));
        Ok(Some(Self { quota, reserved, saves_answer, arrived }))
    }

    /// Corrects the reservation by the response: what was not written does not count.
    pub(super) fn settle(self, response: &HttpResponse<BoxBody>) {
        let has_written = response.status().is_success() && !response.headers().contains_key(created::REPLAYED);
        if !has_written {
            self.quota.settle(&self.reserved, 0);
        } else if let Some(arrived) = self.arrived {
            self.quota.settle(&self.reserved, cost(arrived.get() as u64, self.saves_answer));
        }
    }
}

/// Counts the bytes of the body while it is read.
fn count(request: &mut ServiceRequest) -> Rc<Cell<usize>> {
    let arrived = Rc::new(Cell::new(0));
    let counter = Rc::clone(&arrived);
    let counted = request.take_payload().inspect_ok(move |chunk: &Bytes| counter.set(counter.get() + chunk.len()));
    let counted: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(counted);
    request.set_payload(Payload::from(counted));
    arrived
}
