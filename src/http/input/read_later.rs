//! Extractors that wait until the caller's token has been checked.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::HttpRequest;

use crate::problem::Result;

/// Reads a part of the request after the extractors before this one have succeeded. The token must be checked before
/// anything else is read, but actix starts all extractors of a handler before it looks at the result of the first.
pub struct ReadLater<T> {
    request: HttpRequest,
    read: fn(&HttpRequest) -> Result<T>,
}

impl<T> ReadLater<T> {
    /// Defers `read` until the extractors before this one have succeeded.
    pub fn new(request: &HttpRequest, read: fn(&HttpRequest) -> Result<T>) -> Self {
        Self { request: request.clone(), read }
    }
}

impl<T> Future for ReadLater<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready((self.read)(&self.request))
    }
}
