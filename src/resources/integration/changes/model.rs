//! The shapes of a change.

use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError as _, body::BoxBody};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::collection::LedgerCollection;
use crate::{
    domain::{time, words::column_words},
    http::{
        examples,
        output::cached::{RenderedPage, render_page},
    },
    schema::changes,
};

column_words! {
    /// The kind of a change.
    pub enum Operation {
        /// The resource was created.
        Create = "create",
        /// The resource was replaced or patched.
        Update = "update",
        /// The resource was deleted.
        Delete = "delete",
    }
}

/// The position of a change in the ledger: its epoch, the id of its transaction, and its number within the transaction.
pub(super) type Position = (i32, i64, i64);

/// A change of a resource. It does not contain the resource: read it separately.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = changes)]
#[schema(example = json!({
    "resource": "events", "key": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "operation": "update", "version": 42,
    "changed_at": "2026-11-24T08:00:00Z", "actor": null, "request_id": null
}))]
pub struct Change {
    /// The collection, as in its path.
    pub resource: LedgerCollection,
    /// The id, code or slug of the resource.
    pub key: String,
    /// The kind of the change.
    pub operation: Operation,
    /// The version of the resource after the change. A deletion has the last version.
    pub version: i64,
    /// When the transaction that made the change began.
    #[serde(serialize_with = "time::serialize")]
    pub changed_at: DateTime<Utc>,
    /// The author of the change: `account:` or `client:`, and an id. Null when the change was not made through the API.
    /// Only the coordinator sees it; others get null.
    pub actor: Option<String>,
    /// The `X-Request-Id` of the request that made the change. Only the coordinator sees it; others get null.
    pub request_id: Option<String>,
    #[serde(skip)]
    epoch: i32,
    #[serde(skip)]
    xid: i64,
    #[serde(skip)]
    seq: i64,
}

impl Change {
    /// Returns the position of the change in the ledger.
    pub(super) fn position(&self) -> Position {
        (self.epoch, self.xid, self.seq)
    }
}

const EXAMPLE_CURSOR: &str = "WyJxM1o3dGhXbnZrZ1ciLHsiZXBvY2giOiI4ZjBjNmUwZS0yZjZiLTRjNTItOWE1NS02YTBmM2YxZjdmMTAiLCJwYXNzZWQi\
    OnsieGlkIjo3NDEsInNlcSI6OTYsInZlcnNpb24iOjQyLCJjaGFuZ2VkX2F0IjoxNzk1NTA3MjAwMDAwMDAwfX1d";

/// Changes, and the cursor to continue with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [examples::example_of::<Change>()], "next": EXAMPLE_CURSOR}))]
pub struct Changes {
    /// The changes, in the order of the ledger.
    pub items: Vec<Change>,
    /// The `cursor` to continue with, now or later. It is never null. Store it together with your copy.
    pub next: String,
}

impl Responder for Changes {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        // `next` is never null, so that it can be kept. A client that follows links must come to an end.
        let next = (!self.items.is_empty()).then_some(self.next.as_str());
        match render_page(&self, self.items.len(), next) {
            Ok(page) => RenderedPage(page).respond_to(request),
            Err(error) => error.error_response(),
        }
    }
}
