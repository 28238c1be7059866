//! The examples of schemas.

use serde_json::{Value, json};
use utoipa::PartialSchema;

/// An example of what is stored: what is written of it, what says which it is, and what the service adds.
pub fn stored<Written: PartialSchema>(which: &Value) -> Value {
    let added = json!({"version": 42, "created_at": "2026-11-24T08:00:00Z", "updated_at": "2026-11-24T08:00:00Z"});
    joined(joined(example_of::<Written>(), which), &added)
}

/// The example of a schema, and more.
pub fn example_with<T: PartialSchema>(more: &Value) -> Value {
    joined(example_of::<T>(), more)
}

/// The example of a schema.
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
