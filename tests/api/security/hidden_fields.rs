//! What only some may see never reaches the others: a word that stands nowhere else is planted in every field of that
//! kind, and looked for in every answer of every operation that reads.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Server,
    client::Client,
    document::{Operation, operations},
    fixtures,
    rows::ID,
};

/// What the network's members see, and partner systems that hold `contacts:read`.
const OF_THE_NETWORK: &[&str] = &["netkanaria", "net-kanaria@vantaa.example", "+358 40 111 2222"];
/// What its owner, who acts for Vantaa, and the coordinator see.
const OF_VANTAA: &[&str] =
    &["piilokanaria", "piilo-kanaria@vantaa.example", "+358 40 333 4444", "kokous-kanaria", "luonnoskanaria"];
/// What its giver and the coordinator see.
const OF_THE_GIVER: &[&str] = &["vastaajakanaria", "avainkanaria", "kommenttikanaria"];
/// What the coordinator sees.
const OF_THE_COORDINATOR: &[&str] = &["tili-kanaria@vantaa.example", "asiakaskanaria", "lahde-kanaria"];

/// The keys of what was planted, by collection.
type Planted = BTreeMap<&'static str, Vec<String>>;

async fn plant(server: &Server) -> Planted {
    let coordinator = server.coordinator();
    let make = async |path: &'static str, body: Value| {
        let made = coordinator.post(path, &body).await.expect(201);
        made.body["id"].as_str().unwrap().to_owned()
    };
    let tutor = |name: &str, email: &str, phone: &str, visibility: &str| json!({"name": name, "municipality_code": "092", "contact": {"email": email, "phone": phone}, "visibility": visibility});
    let network = make("/v1/tutors", tutor(OF_THE_NETWORK[0], OF_THE_NETWORK[1], OF_THE_NETWORK[2], "network")).await;
    let hidden = make("/v1/tutors", tutor(OF_VANTAA[0], OF_VANTAA[1], OF_VANTAA[2], "coordinator")).await;
    let mut held = fixtures::event_body("092", "completed");
    held["online_url"] = json!(format!("https://{}.example/", OF_VANTAA[3]));
    (held["audience"], held["tutors"]) = (json!(["092"]), json!([hidden, network]));
    let held = make("/v1/events", held).await;
    let mut draft = fixtures::event_body("092", "draft");
    draft["title"] = json!({"fi": OF_VANTAA[4]});
    let draft = make("/v1/events", draft).await;
    let giver = server.partner(OF_THE_COORDINATOR[2], "feedback:read feedback:write", Some("092"));
    let feedback = json!({
        "event_id": held, "direction": "participant_to_tutor", "municipality_code": "092", "respondent": OF_THE_GIVER[0],
        "external_id": OF_THE_GIVER[1], "comment": OF_THE_GIVER[2], "publish_consent": false
    });
    let feedback = giver.post("/v1/feedback", &feedback).await.expect(201);
    let account = json!({"email": OF_THE_COORDINATOR[0], "role": "municipality", "municipality_code": "092"});
    let account = make("/v1/accounts", account).await;
    let client = json!({"name": OF_THE_COORDINATOR[1], "source": OF_THE_COORDINATOR[2], "scopes": ["events:read"]});
    let client = make("/v1/clients", client).await;
    BTreeMap::from([
        ("/v1/tutors", vec![network, hidden]),
        ("/v1/events", vec![held, draft]),
        ("/v1/feedback", vec![feedback.body["id"].as_str().unwrap().to_owned()]),
        ("/v1/accounts", vec![account]),
        ("/v1/clients", vec![client]),
        ("/v1/municipalities", vec!["092".to_owned()]),
        ("/v1/themes", vec!["training".to_owned()]),
        ("/v1/calendar-links", vec![ID.to_owned()]),
        ("/calendar", vec![ID.to_owned()]),
    ])
}

/// Every path that an operation reads something planted at, asked in every way that could tell something.
fn questions(operation: &Operation, planted: &Planted, words: &[&str]) -> Vec<(String, bool)> {
    let (collection, rest) = operation.path.split_once("/{").unwrap_or((&operation.path, ""));
    let paths = if rest.is_empty() {
        vec![operation.path.clone()]
    } else {
        let keys = planted.get(collection).unwrap_or_else(|| panic!("nothing is planted for {}", operation.id));
        let end = rest.split_once('}').unwrap().1;
        keys.iter().map(|key| format!("{collection}/{key}{end}")).collect()
    };
    let mut all = Vec::new();
    for path in paths {
        for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "query") {
            match parameter.name.as_str() {
                "limit" => all.push((format!("{path}?limit=100"), false)),
                "include" => all.push((format!("{path}?include=tutors&include=themes&include=host"), false)),
                name => {
                    let ask =
                        |word: &&str| (format!("{path}?{name}={}", word.replace('+', "%2B").replace(' ', "+")), true);
                    all.extend(words.iter().map(ask));
                }
            }
        }
        all.push((path, false));
    }
    all
}

/// The reading operations; following the ledger tells no contents, and waits.
fn reads() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| operation.method == Method::GET)
}

/// What this reader learns: the words in its answers, and the questions that find something by one.
async fn learnt(client: &Client, planted: &Planted, words: &[&str]) -> Vec<String> {
    let mut learnt = Vec::new();
    for operation in reads() {
        for (path, asks_by_word) in questions(&operation, planted, words) {
            let answer = client.get(&path).await;
            assert!(answer.status < 500, "{path}: {}", answer.text);
            let told =
                words.iter().filter(|word| answer.text.contains(**word) && !(asks_by_word && answer.status >= 400));
            learnt.extend(told.map(|word| format!("{word} of {path}")));
            let found = answer.body["items"].as_array().is_some_and(|items| !items.is_empty());
            if asks_by_word && found && answer.status == 200 {
                learnt.push(format!("a match of {path}"));
            }
        }
    }
    learnt
}

fn scopes_but(without: &str) -> String {
    use kuntatutorit::auth::{reach::Role, scopes};
    scopes::of_role(Role::Partner).filter(|name| *name != without).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn nobody_learns_what_is_not_for_them() {
    let server = Server::with(&[("PUBLIC_READ", "true")]);
    let planted = plant(&server).await;
    let stranger = server.create_tutor("049").await;
    let others = [OF_VANTAA, OF_THE_GIVER, OF_THE_COORDINATOR].concat();
    let all = [OF_THE_NETWORK, &others].concat();
    let giver_and_coordinator = [OF_THE_GIVER, OF_THE_COORDINATOR].concat();
    for (who, client, hidden) in [
        ("anonymous", server.anonymous(), &all),
        ("a municipality", server.municipality("049"), &others),
        ("a tutor", server.tutor("049", &stranger), &others),
        ("a partner", server.partner("espoo", &scopes_but(""), Some("049")), &others),
        ("a partner without contacts", server.partner("espoo", &scopes_but("contacts:read"), Some("049")), &all),
        ("a partner of the region", server.partner("region", &scopes_but(""), None), &giver_and_coordinator),
    ] {
        let learnt = learnt(&client, &planted, hidden).await;
        assert!(learnt.is_empty(), "{who} learns {}", learnt.join("\n"));
    }
    // Else this would not find what there is to find.
    let learnt = learnt(&server.coordinator(), &planted, &all).await.join("\n");
    for word in all {
        assert!(learnt.contains(&format!("{word} of ")), "the coordinator does not see {word}");
    }
}
