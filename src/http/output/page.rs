//! The pages of lists.

use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError as _, body::BoxBody};
use serde::Serialize;
use utoipa::ToSchema;

use super::cached::{RenderedPage, render_page};
use crate::{
    db::row_limit::Rows,
    http::{
        examples::example_of,
        input::{cursor::encode, list::PageRequest},
    },
};

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [example_of::<T>()], "next": null}))]
pub struct Page<T> {
    /// The items, in the requested order.
    pub items: Vec<T>,
    /// The `cursor` of the next page; null on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Creates the requested page from the rows that were fetched; `key` returns the sort key of a row.
    pub fn from_rows<K: Serialize>(request: &PageRequest, rows: impl Into<Rows<T>>, key: impl Fn(&T) -> K) -> Self {
        let Rows { mut rows, is_cut } = rows.into();
        let has_more = is_cut || rows.len() > request.limit();
        rows.truncate(request.limit());
        let next = rows.last().filter(|_| has_more).map(|row| encode(request.fingerprint(), &key(row)));
        Self { items: rows, next }
    }

    /// Converts the items of the page.
    pub fn map<U>(self, convert: impl Fn(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match render_page(&self, self.items.len(), self.next.as_deref()) {
            Ok(page) => RenderedPage(page).respond_to(request),
            Err(error) => error.error_response(),
        }
    }
}
