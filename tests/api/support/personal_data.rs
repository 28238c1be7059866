//! Plants unique words in the personal data of a row, so that a test can search for them.

use serde_json::{Value, json};

use super::{
    document::{has_type, placed, places},
    rows::creation,
    schema::fits,
};
use kuntatutorit::registry::Collection;

/// A word in a field of a collection that occurs nowhere else.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// The collection and the field, such as `tutors /contact/email`.
    pub(crate) place: String,
    pub(crate) text: String,
}

/// Makes unique words.
#[derive(Default)]
pub(crate) struct Words(u32);

impl Words {
    /// Returns fields with a word in each text of these columns of the collection, and the words.
    pub(crate) fn plant(&mut self, collection: &Collection, columns: &[&str]) -> (Value, Vec<Word>) {
        let schema = &creation(collection.name).schema;
        let (mut fields, mut words) = (json!({}), Vec::new());
        for column in columns {
            let before = words.len();
            for (pointer, schema) in places(schema) {
                let inside = pointer == format!("/{column}") || pointer.starts_with(&format!("/{column}/"));
                if inside && has_type(&schema, "string") && schema["enum"].is_null() {
                    let (value, text) = self.next(&schema, &pointer);
                    fields = placed(&fields, &pointer, &json!(value));
                    words.push(Word { place: format!("{} {pointer}", collection.name), text });
                }
            }
            assert!(
                words.len() > before,
                "the registry lists {}.{column} as personal data, but POST {} has no such text field to plant a word in",
                collection.name,
                collection.path()
            );
        }
        (fields, words)
    }

    /// Returns a value that the schema accepts, and the word in it.
    fn next(&mut self, schema: &Value, pointer: &str) -> (String, String) {
        self.0 += 1;
        let (word, phone) = (format!("kanaria{}x", self.0), format!("+3584077{:05}", self.0));
        let email = format!("{word}@kunta.example");
        let candidates = if schema["format"] == "email" {
            vec![(email, word)]
        } else {
            let url = format!("https://{word}.example/");
            vec![(word.clone(), word.clone()), (url, word.clone()), (email, word), (phone.clone(), phone)]
        };
        let good = candidates.into_iter().find(|(value, _)| fits(schema, &json!(value)));
        good.unwrap_or_else(|| panic!("tests/api/support/personal_data.rs has no word for {pointer}: {schema}"))
    }
}
