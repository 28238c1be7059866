//! What every handler speaks: bodies, queries, pages, conditions, answers.

pub mod accept;
pub mod cache;
pub mod client_address;
pub mod conditional;
pub mod document;
pub mod fallback;
pub mod forms;
pub mod headers;
pub mod idempotency;
pub mod json;
pub mod list;
pub mod parameters;
pub mod patch;
pub mod patch_schema;
pub mod respond;
pub mod routes;
pub mod rules;
pub mod time;
mod unique;
mod wording;

pub use self::{
    conditional::IfMatch,
    idempotency::IdempotencyKey,
    json::{Body, Json},
    list::{Filter, List, Page},
    parameters::KnownParameters,
    patch::Patch,
    patch_schema::MergePatch,
    respond::{Created, NoContent, Resource, ToldOnce},
};
