//! Tutors: every caller reads them; who sees names and contacts, and who writes.

mod lists;
mod operations;
mod reach;
mod rules;
mod search;
mod visibility;

use serde_json::{Value, json};

/// The tutor of Järvenpää in the reference data.
const JARVENPAA: &str = "016f5e66-e800-77d9-b280-c3e7158e0c62";
/// The tutor of Helsinki in the reference data.
const HELSINKI: &str = "016f5e66-e800-748a-b710-2b8b645f28af";

fn path(id: &str) -> String {
    format!("/v1/tutors/{id}")
}

/// The body of a new tutor of Espoo with every field.
fn espoo_tutor() -> Value {
    json!({
        "external_id": "t-1", "name": "Kuntatutor, Tapiola", "title": {"fi": "Digitukija", "sv": "Digistödjare"},
        "municipality_code": "049", "perspective": {"fi": "Kirjastossa jo vuosia."}, "themes": ["email", "courses"],
        "languages": ["fi", "sv", "zh-Hant"], "status": "paused",
        "contact": {"email": "tapiola@espoo.example", "phone": "+3589123456"}, "visibility": "public"
    })
}
