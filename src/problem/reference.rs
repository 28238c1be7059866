//! References: what keeps a resource from being deleted.

use serde::Serialize;
use utoipa::ToSchema;

/// A field of other resources that refers to the resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reference {
    /// The collection of the resources that refer, as in paths.
    #[schema(value_type = String, example = "events")]
    pub collection: &'static str,
    /// The field that refers.
    #[schema(value_type = String, example = "tutors")]
    pub field: &'static str,
    /// How many of them you may see. 0 when there are only others.
    #[schema(example = 1, minimum = 0)]
    pub count: i64,
    /// The first of their keys, at most ten.
    #[schema(example = json!(["019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e"]))]
    pub keys: Vec<String>,
    /// The path of the list that has all of them.
    #[schema(example = "/v1/events?tutor=019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")]
    pub path: String,
}
