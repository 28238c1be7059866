//! Personal data and hidden rows reach no caller that may not see them. The test plants a unique word in every field with
//! personal data of Vantaa's rows, and searches every answer of every reading operation for it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    callers::Caller,
    client::Client,
    document::{Operation, has_type, operations},
    personal_data::{Word, Words},
    rows,
    rows::{Rows, creation, missing_path},
};
use kuntatutorit::registry;
use kuntatutorit::registry::Collection;
use kuntatutorit::{auth::scopes, domain::Role};

/// The municipality of the planted rows. The callers act for Espoo.
const VANTAA: &str = "092";
/// The source of the partner system that plants personal data.
const SOURCE: &str = "lahdekanaria";

/// The callers that may see a word.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// Members of the network, and partner systems with `contacts:read`.
    Members,
    /// The callers that own the row, and the coordinator.
    Owners,
}

/// The planted words, and the keys of their rows by collection.
struct Planted {
    words: Vec<(&'static Collection, Level, Word)>,
    keys: BTreeMap<&'static str, Vec<String>>,
}

/// Plants words in the personal data of every collection, and in every text of rows in a hidden state.
async fn plant(server: &Server) -> Planted {
    let rows = Rows::of(server, VANTAA).await;
    let mut planted = Planted { words: Vec::new(), keys: BTreeMap::new() };
    let mut words = Words::default();
    for collection in rows::in_order() {
        let hidden = rows::hidden_from_others(collection.name, VANTAA);
        let mut plans = vec![(Level::Owners, collection.personal.to_vec(), hidden.clone())];
        plans.extend(
            rows::visible_to_members(collection.name)
                .map(|fields| (Level::Members, collection.personal.to_vec(), fields)),
        );
        plans.extend(
            collection
                .hidden_states
                .iter()
                .map(|state| (Level::Owners, localized(collection), json!({"status": state}))),
        );
        for (level, columns, fields) in plans.into_iter().filter(|(_, columns, _)| !columns.is_empty()) {
            let (mut body, new) = words.plant(collection, &columns);
            body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            link(&mut body, collection, &planted.keys);
            let creator = rows::creator(server, collection.name, VANTAA, SOURCE).await;
            let key =
                rows.create(&creator, collection, VANTAA, &format!("planted-{}", planted.words.len()), &body).await;
            planted.keys.entry(collection.name).or_default().push(key);
            planted.words.extend(new.into_iter().map(|word| (collection, level, word)));
        }
        planted.keys.entry(collection.name).or_insert_with(|| vec![rows.of_collection(collection.name).0.to_owned()]);
    }
    planted
}

/// Returns the fields of localised texts.
fn localized(collection: &Collection) -> Vec<&'static str> {
    let properties = creation(collection.name).schema["properties"].as_object().unwrap();
    properties
        .iter()
        .filter(|(_, schema)| schema["properties"].get("fi").is_some())
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Lets lists of ids in the body name the planted rows of their collection, so that `include` finds them.
fn link(body: &mut Value, collection: &Collection, keys: &BTreeMap<&'static str, Vec<String>>) {
    for (field, schema) in creation(collection.name).schema["properties"].as_object().unwrap() {
        if let Some(keys) =
            keys.get(&**field).filter(|_| has_type(schema, "array") && schema["items"]["format"] == "uuid")
        {
            body[field] = json!(keys);
        }
    }
}

/// Returns every path at which an operation may show a planted word, with each query parameter, and whether the path
/// contains a word.
fn requests(operation: &Operation, planted: &Planted, words: &[&str]) -> Vec<(String, bool)> {
    let paths = match registry::of_path(&operation.path).filter(|_| operation.path.contains('{')) {
        Some(collection) => {
            let fill = |key: &String| missing_path(&operation.path.replace(&format!("{{{}}}", collection.key), key));
            planted.keys[collection.name].iter().map(fill).collect()
        }
        None => vec![missing_path(&operation.path)],
    };
    let mut all = Vec::new();
    for path in paths {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "query") {
            let name = &parameter.name;
            match parameter.schema["items"]["enum"].as_array().filter(|_| name == "include") {
                Some(parts) => {
                    let parts: Vec<_> = parts.iter().filter_map(Value::as_str).collect();
                    all.push((format!("{path}?include={}", parts.join(",")), false));
                }
                None if name == "limit" => all.push((format!("{path}?limit=100"), false)),
                None => {
                    let encoded = words.iter().map(|word| word.replace('+', "%2B").replace(' ', "+"));
                    all.extend(encoded.map(|word| (format!("{path}?{name}={word}"), true)));
                }
            }
        }
        all.push((path, false));
    }
    all
}

/// Returns the words in the answers to this caller, and the queries by a word that find a row.
async fn found(client: &Client, planted: &Planted, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for operation in operations().iter().filter(|operation| operation.method == Method::GET) {
        for (path, contains_word) in requests(operation, planted, words) {
            let answer = client.get(&path).await;
            assert!(answer.status < 500, "{path}: {}", answer.text);
            // A refusal may quote the query.
            if contains_word && answer.status >= 400 {
                continue;
            }
            let seen = words.iter().filter(|word| answer.text.contains(**word));
            found.extend(seen.map(|word| format!("{word} in the answer to {path}")));
            if contains_word && answer.body["items"].as_array().is_some_and(|items| !items.is_empty()) {
                found.push(format!("a row found by {path}"));
            }
        }
    }
    found
}

/// Returns whether this caller of Espoo may see a word in a row of Vantaa.
fn may_see(caller: Caller, with_contacts: bool, collection: &Collection, level: Level) -> bool {
    match (caller, level) {
        (Caller::Coordinator, _) => true,
        (Caller::Anonymous, _) => false,
        (_, Level::Members) => with_contacts,
        (Caller::RegionalPartner, Level::Owners) => {
            !collection.of_creator && scopes::can_hold(Role::Partner, collection.write.name)
        }
        (_, Level::Owners) => false,
    }
}

#[tokio::test]
async fn no_caller_sees_personal_data_or_hidden_rows_of_others() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let planted = plant(&server).await;
    let callers = Caller::ALL.map(|caller| (caller, "")).into_iter().chain([(Caller::BoundPartner, "contacts:read")]);
    for (caller, without) in callers.filter(|(caller, _)| *caller != Caller::Coordinator) {
        let hidden = planted.words.iter().filter(|(of, level, _)| !may_see(caller, without.is_empty(), of, *level));
        let mut hidden: Vec<_> = hidden.map(|(.., word)| &*word.text).collect();
        hidden.push(SOURCE);
        let found = found(&caller.client_without(&server, without), &planted, &hidden).await;
        assert!(found.is_empty(), "{caller:?} without the scope {without:?} sees\n{}", found.join("\n"));
    }
    // Without this check, a word that no answer contains would prove nothing.
    let all: Vec<_> = planted.words.iter().map(|(.., word)| &*word.text).chain([SOURCE]).collect();
    let found = found(&server.coordinator(), &planted, &all).await.join("\n");
    for (.., word) in &planted.words {
        assert!(found.contains(&format!("{} in ", word.text)), "not even the coordinator sees {}", word.place);
    }
    assert!(found.contains(&format!("{SOURCE} in ")), "not even the coordinator sees the source");
}
