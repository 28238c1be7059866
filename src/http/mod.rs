//! HTTP: reading requests, writing responses, the OpenAPI document, and the middleware of every request.

pub mod examples;
pub mod fallback;
pub mod idempotency;
pub mod input;
pub mod middleware;
pub mod openapi;
pub mod output;
pub mod resource;
pub mod response_memory;
pub mod routes;

pub use self::{
    idempotency::IdempotencyKey,
    input::{
        caller::Caller,
        if_match::IfMatch,
        json::{Body, Json},
        list::{Filter, List},
        merge_patch::Patch,
        parameters::KnownParameters,
        replacement::Replacement,
    },
    openapi::patch_schema::MergePatch,
    output::{
        created::{Created, CreatedSecret, NoContent},
        page::Page,
    },
    resource::Resource,
};
