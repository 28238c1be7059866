//! Property tests, which hold for any input: cursors, localised texts and merge patches. Other tests try the states of
//! an event in all pairs, and times in every zone: see `events` and `calendars`.

mod cursors;

use kuntatutorit::{
    http::input::{json::from_value, merge_patch::Patch},
    resources::{directory::themes::model::ThemeInput, meetings::events::model::EventInput},
};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use crate::support::{Server, sql::query_lines};

/// Generates this many values, the same ones on every run.
pub(super) fn some<T: std::fmt::Debug>(number: usize, strategy: &impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..number).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// RFC 7396, section 2, word for word.
fn merge_patch(target: Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut fields = if let Value::Object(fields) = target { fields } else { Map::new() };
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(name);
        } else {
            let there = fields.remove(name).unwrap_or_default();
            fields.insert(name.clone(), merge_patch(there, value));
        }
    }
    Value::Object(fields)
}

#[test]
fn the_reference_merge_patch_passes_the_examples_of_rfc_7396() {
    for (target, patch, result) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        assert_eq!(merge_patch(target, &patch), result);
    }
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), "[a-zäö ]{0,6}".prop_map(Value::from), "\\PC{1,8}".prop_map(Value::from)]
}

fn localized() -> impl Strategy<Value = Value> {
    let part = || prop::option::of(text());
    (part(), part(), part()).prop_map(|(fi, sv, en)| {
        let parts = [("fi", fi), ("sv", sv), ("en", en)].into_iter();
        parts.filter_map(|(name, part)| Some((name.to_owned(), part?))).collect::<Map<_, _>>().into()
    })
}

fn event() -> Value {
    json!({
        "external_id": "a", "title": {"fi": "Otsikko", "sv": "Rubrik"}, "description": null, "kind": "webinar",
        "modality": "online", "starts_at": "2027-03-02T07:00:00Z", "ends_at": "2027-03-02T09:00:00Z",
        "time_zone": "Europe/Helsinki", "venue": {"name": {"fi": "Kirjasto"}, "address": "Katu 1"}, "online_url": null,
        "host_municipality_code": "049", "tutors": [], "themes": ["email"], "languages": ["fi"], "audience": [],
        "capacity": 10, "registration_opens_at": null, "registration_closes_at": null, "status": "draft",
        "status_reason": null
    })
}

/// Generates patches of an event: any of its fields, with valid and invalid values.
fn patches() -> impl Strategy<Value = Value> {
    let venue = (prop::option::of(localized()), prop::option::of(text())).prop_map(|(name, address)| {
        let parts = [("name", name), ("address", address)].into_iter();
        Value::from(parts.filter_map(|(field, part)| Some((field.to_owned(), part?))).collect::<Map<_, _>>())
    });
    let values = prop_oneof![
        Just(Value::Null),
        localized(),
        venue,
        text(),
        prop::collection::vec(text(), 0..3).prop_map(Value::from),
        (-2_i64..200).prop_map(Value::from),
    ];
    let fields: Vec<_> = event().as_object().unwrap().keys().cloned().collect();
    prop::collection::hash_map(prop::sample::select(fields), values, 1..4)
        .prop_map(|changes| Value::from(changes.into_iter().collect::<Map<_, _>>()))
}

#[test]
fn a_patched_event_equals_the_result_of_the_reference() {
    let current: EventInput = from_value(event()).unwrap();
    let mut accepted = 0;
    for patch in some(3000, &patches()) {
        let merged = from_value::<EventInput>(merge_patch(event(), &patch));
        match (Patch::of(patch.as_object().unwrap().clone()).apply(&current), merged) {
            (Ok(patched), Ok(merged)) => {
                assert_eq!(patched, merged, "{patch}");
                accepted += 1;
            }
            // The service refuses a null where it would mean a default, because a stored null would be a value that no
            // caller wrote.
            (Err(_), Ok(_)) => assert!(patch.as_object().unwrap().values().any(Value::is_null), "{patch}"),
            (Ok(_), Err(error)) => panic!("{patch}: {error}"),
            (Err(_), Err(_)) => {}
        }
    }
    assert!(accepted > 100, "the service accepted only {accepted} patches");
}

/// White space in Unicode that PostgreSQL does not treat as white space, because it asks the C library. The service is
/// stricter here.
const SPACES_OF_UNICODE: [char; 4] = ['\u{85}', '\u{a0}', '\u{2007}', '\u{202f}'];

/// Returns the texts that PostgreSQL accepts, as they would be stored: without null parts.
async fn taken(server: &Server, texts: &[Value]) -> Vec<Value> {
    let all = serde_json::to_string(texts).unwrap().replace('\'', "''");
    let taken = format!(
        "select value::text as line from jsonb_array_elements('{all}') where is_localized(jsonb_strip_nulls(value), 200)"
    );
    query_lines(server, &taken).await.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[tokio::test]
async fn the_service_accepts_the_localised_texts_that_postgresql_stores_and_no_others() {
    let server = Server::start();
    let mut texts = some(500, &localized());
    for letter in ["x", "ä", "\u{1f600}"] {
        texts.extend([200, 201].map(|length| json!({"sv": letter.repeat(length)})));
    }
    for other in [
        json!({}),
        json!({"de": "Text"}),
        json!({"fi": 1}),
        json!({"fi": ["x"]}),
        json!({"fi": []}),
        json!({"sv": {}}),
        json!({"fi": "x", "": "x"}),
    ] {
        texts.push(other);
    }
    texts.extend([" ", "\t", "\n", "\u{2003}", "\u{3000}", "\u{a0}", "\u{a0}x"].map(|text| json!({"en": text})));
    let (passed, refused): (Vec<_>, Vec<_>) = texts.into_iter().partition(|text| {
        let theme = json!({"slug": "a", "kind": "theme", "name": text, "parent": null});
        from_value::<ThemeInput>(theme).is_ok()
    });
    assert!(passed.len() > 50 && refused.len() > 50, "{} passed, {} refused", passed.len(), refused.len());
    assert_eq!(taken(&server, &passed).await, passed);
    let looser = taken(&server, &refused).await;
    let by_spaces = |text: &Value| {
        text.as_object()
            .unwrap()
            .values()
            .any(|part| part.as_str().is_some_and(|part| part.trim().is_empty() && part.contains(SPACES_OF_UNICODE)))
    };
    let unexpected: Vec<_> = looser.iter().filter(|text| !by_spaces(text)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
}
