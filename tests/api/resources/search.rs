//! Search: inflected forms of a word find each other in both directions, and unrelated words do not.

use diesel::sql_types::{Bool, Jsonb, Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use serde_json::{Value, json};

use crate::support::databases::fresh_database;

/// Words in a language, each of which finds the others.
const FAMILIES: &[(&str, &[&str])] = &[
    ("fi", &["digituki", "digituen", "digitukea", "digituessa", "digitukeen"]),
    ("fi", &["kunta", "kuntien", "kunnan", "kunnissa", "kuntaan", "kunnille"]),
    ("fi", &["Helsinki", "Helsingin", "Helsingissä", "Helsinkiin"]),
    ("fi", &["tapahtuma", "tapahtumat", "tapahtumien"]),
    ("fi", &["kansalaisopisto", "kansalaisopistojen", "kansalaisopistoissa"]),
    ("fi", &["etätuki", "etätuen"]),
    ("fi", &["salasana", "salasanojen", "salasanan"]),
    ("fi", &["laite", "laitteet", "laitteiden"]),
    ("sv", &["lösenord", "lösenordet", "lösenorden"]),
    ("sv", &["kommun", "kommuner", "kommunen"]),
    ("en", &["library", "libraries"]),
];

/// Words that do not find each other.
const STRANGERS: &[(&str, &str, &str)] =
    &[("fi", "sää", "saa"), ("fi", "väri", "vari"), ("fi", "talo", "tule"), ("fi", "kunta", "kunto")];

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

async fn finds(conn: &mut AsyncPgConnection, text: Value, q: &str) -> bool {
    let query = "select coalesce(search_vector($1, null) @@ search_query($2), false) as found";
    let row = diesel::sql_query(query).bind::<Jsonb, _>(text).bind::<Text, _>(q);
    row.get_result::<Found>(conn).await.unwrap().found
}

#[tokio::test]
async fn the_forms_of_a_word_find_each_other() {
    let mut conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    for (language, family) in FAMILIES {
        for (stored, asked) in family.iter().flat_map(|stored| family.iter().map(move |asked| (stored, asked))) {
            // A word follows, so that the form does not match as a prefix of another one.
            let text = json!({*language: format!("{stored} zzz")});
            assert!(
                finds(&mut conn, text, &format!("{} zzz", asked.to_uppercase())).await,
                "{asked} does not find {stored}"
            );
        }
    }
}

#[tokio::test]
async fn unrelated_words_do_not_find_each_other() {
    let mut conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    for (language, one, other) in STRANGERS {
        for (stored, asked) in [(one, other), (other, one)] {
            let text = json!({*language: format!("{stored} zzz")});
            assert!(!finds(&mut conn, text, &format!("{asked} zzz")).await, "{asked} finds {stored}");
        }
    }
}

#[tokio::test]
async fn no_search_text_causes_an_error() {
    let mut conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    for q in ["", "'", "\\", "a & | ! (", "<->", ":*", "😀", "\u{202e}abc", "''''", "a:*b", &"ä".repeat(300)] {
        finds(&mut conn, json!({"fi": "teksti"}), q).await;
    }
}
