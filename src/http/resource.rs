//! What all resources have in common: a path, a version and an entity tag.

use serde::Serialize;

/// A stored resource, as a caller sees it.
pub trait Resource: Serialize {
    /// The path of the collection, such as `/v1/tutors`.
    const COLLECTION: &'static str;

    /// Returns the id, code or slug.
    fn key(&self) -> String;

    /// Returns the version. Every write changes it.
    fn version(&self) -> i64;

    /// Returns the name of the view. A resource has several views if some callers see fewer of its fields.
    fn view(&self) -> &'static str {
        "full"
    }

    /// Returns a hash of the resources that were included in the response, if there are any.
    fn embedded(&self) -> Option<String> {
        None
    }
}

/// Returns the strong entity tag of a response: the version and the view of the resource, and the hash of the included
/// resources.
pub fn etag(resource: &impl Resource) -> String {
    let (version, view) = (resource.version(), resource.view());
    match resource.embedded() {
        None => format!("\"{version}-{view}\""),
        Some(embedded) => format!("\"{version}-{view}+{embedded}\""),
    }
}
