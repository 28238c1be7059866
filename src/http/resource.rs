//! What all resources have in common.

use serde::Serialize;

/// What every stored resource has in common.
pub trait Resource: Serialize {
    /// The path of its collection, such as `/v1/tutors`.
    const COLLECTION: &'static str;

    /// Its id, code or slug.
    fn key(&self) -> String;

    /// Its version: another one after every write.
    fn version(&self) -> i64;

    /// Which view of it this is, when callers see different fields.
    fn view(&self) -> &'static str {
        "full"
    }

    /// What else is in the answer, as a hash, when the caller asked for more than the resource.
    fn embedded(&self) -> Option<String> {
        None
    }
}

/// The strong tag of an answer: the resource's version, which view of it, and what is embedded.
pub fn etag(resource: &impl Resource) -> String {
    let (version, view) = (resource.version(), resource.view());
    match resource.embedded() {
        None => format!("\"{version}-{view}\""),
        Some(embedded) => format!("\"{version}-{view}+{embedded}\""),
    }
}
