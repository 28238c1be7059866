//! The shapes of a change.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::scopes::{EventsRead, FeedbackRead, MunicipalitiesRead, Scope, ThemesRead, TutorsRead},
    db::types::words,
    http::{document, respond, time},
    schema::changes,
};

words! {
    /// A collection, as in the path.
    #[derive(PartialOrd, Ord)]
    pub enum Collection {
        /// Municipalities, by code.
        Municipalities = "municipalities",
        /// Themes, by slug.
        Themes = "themes",
        /// Tutors, by id.
        Tutors = "tutors",
        /// Events, by id.
        Events = "events",
        /// Feedback, by id.
        Feedback = "feedback",
    }
}

impl Collection {
    /// Every collection.
    pub const ALL: &[Self] = &[Self::Municipalities, Self::Themes, Self::Tutors, Self::Events, Self::Feedback];

    /// The scope that shows its changes: the one that shows itself.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Municipalities => MunicipalitiesRead::NAME,
            Self::Themes => ThemesRead::NAME,
            Self::Tutors => TutorsRead::NAME,
            Self::Events => EventsRead::NAME,
            Self::Feedback => FeedbackRead::NAME,
        }
    }
}

words! {
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
    pub resource: Collection,
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
#[schema(example = json!({"items": [document::example_of::<Change>()], "next": "WyJxM1o3dGhXbnZrZ1ciLFs3NDEsOTZdXQ"}))]
pub struct Changes {
    /// What happened, in the order in which it counts.
    pub items: Vec<Change>,
    /// The `cursor` to go on with, now or later. Store it with what you made of the items.
    pub next: String,
}

impl Responder for Changes {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond::page(&self, self.items.len())
    }
}
