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
    /// What happened.
    pub enum Operation {
        /// It was made.
        Create = "create",
        /// It was written.
        Update = "update",
        /// It was deleted.
        Delete = "delete",
    }
}

/// Where a change stands in the ledger: its transaction, and its number.
pub(super) type Position = (i64, i64);

/// Something happened to a resource. There is no content: read the resource for it.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = changes)]
#[schema(example = json!({
    "resource": "events", "key": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "operation": "update", "version": 42,
    "changed_at": "2026-11-24T08:00:00Z", "actor": null, "request_id": null
}))]
pub struct Change {
    /// The collection, as in the path.
    pub resource: LedgerCollection,
    /// The resource's id, code or slug.
    pub key: String,
    /// What happened.
    pub operation: Operation,
    /// The version after it; of a deletion, the last one.
    pub version: i64,
    /// When the writing transaction began.
    #[serde(serialize_with = "time::serialize")]
    pub changed_at: DateTime<Utc>,
    /// Who did it: `account:` or `client:` and an id. The coordinator's; null for others, and when it was the
    /// service's own command line.
    pub actor: Option<String>,
    /// The `X-Request-Id` of the request that did it. The coordinator's; null for others.
    pub request_id: Option<String>,
    #[serde(skip)]
    pub(super) xid: i64,
    #[serde(skip)]
    pub(super) seq: i64,
}

impl Change {
    pub(super) fn position(&self) -> Position {
        (self.xid, self.seq)
    }

    /// The same without who did it.
    pub(super) fn anonymous(self) -> Self {
        Self { actor: None, request_id: None, ..self }
    }
}

/// Changes, and where to go on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [examples::example_of::<Change>()], "next": "WyJxM1o3dGhXbnZrZ1ciLFs3NDEsOTZdXQ"}))]
pub struct Changes {
    /// What happened, in the order in which it counts.
    pub items: Vec<Change>,
    /// The `cursor` to go on with, now or later. Store it with what you made of the items.
    pub next: String,
}

impl Responder for Changes {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match render_page(&self, self.items.len()) {
            Ok(page) => RenderedPage(page).respond_to(request),
            Err(error) => error.error_response(),
        }
    }
}
