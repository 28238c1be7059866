//! The examples of schemas in the API document, built from each other.

use serde_json::{Value, json};
use utoipa::PartialSchema;

/// Returns the example of a stored resource: the example of the fields that callers write, these fields, and the version and
/// times that the service adds.
pub fn stored<Written: PartialSchema>(identity: &Value) -> Value {
    let added = json!({"version": 42, "created_at": "2026-11-24T08:00:00Z", "updated_at": "2026-11-24T08:00:00Z"});
    joined(joined(example_of::<Written>(), identity), &added)
}

/// Returns the example of a schema with more fields.
pub fn example_with<T: PartialSchema>(more: &Value) -> Value {
    joined(example_of::<T>(), more)
}

/// Returns the example of a schema.
pub fn example_of<T: PartialSchema>() -> Value {
    let schema = serde_json::to_value(T::schema()).unwrap_or_default();
    schema.get("example").cloned().unwrap_or_default()
}

fn joined(mut example: Value, more: &Value) -> Value {
    if let (Some(fields), Some(more)) = (example.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
    example
}
