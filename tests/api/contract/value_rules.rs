//! The rules of single values in Rust (`src/domain`) and in SQL (the migration `foundation`) agree. Both are asked about
//! the same values: boundary lengths, white space, control characters, rare characters, and generated texts.

use diesel::{
    QueryableByName,
    sql_types::{Array, Bool, Jsonb, Text},
};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use garde::Validate;
use kuntatutorit::{
    domain::{
        EmailAddress, ExternalId, LanguageTag, MunicipalityCode, PhoneNumber, RegionCode, SourceName, ThemeSlug,
        WebAddress, language::CONTENT_LANGUAGES, rules::not_blank,
    },
    http::input::json::from_value,
    resources::directory::themes::model::ThemeInput,
};
use serde_json::{Value, json};

use super::any_input::some;
use crate::support::{databases::fresh_database, sql::query_lines_at};

/// The characters that Unicode calls white space.
const WHITE_SPACE: &str = "\t\n\u{b}\u{c}\r \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\
                           \u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";
/// Characters that look like nothing or like others, and are not white space.
const DECEPTIVE: &str = "\u{ad}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{2060}\u{2800}\u{3164}\u{feff}\u{fffd}\
                         äÅß٤０９ａ＠．－😀\u{10ffff}\u{301}";
/// The lengths at which a rule may change its answer.
const LENGTHS: [usize; 24] =
    [0, 1, 2, 3, 4, 15, 16, 29, 30, 31, 49, 50, 51, 63, 64, 65, 99, 100, 101, 199, 200, 201, 2000, 2001];
/// How many texts are generated for each rule.
const GENERATED: usize = 500;

/// A rule that Rust and SQL have.
struct Rule {
    /// The function in SQL.
    sql: &'static str,
    /// The rule in Rust.
    rust: fn(&str) -> bool,
    /// A regular expression of the texts to generate.
    alphabet: &'static str,
    /// Texts that are valid or nearly so. Each is also tried with other characters around it and in it.
    examples: &'static [&'static str],
}

fn accepts<T>(text: &str) -> bool
where
    T: for<'a> From<&'a str> + Validate<Context = ()>,
{
    T::from(text).validate().is_ok()
}

const RULES: &[Rule] = &[
    Rule {
        sql: "is_municipality_code",
        rust: accepts::<MunicipalityCode>,
        alphabet: "[0-9a ]{1,4}",
        examples: &["049", "000", "999"],
    },
    Rule { sql: "is_region_code", rust: accepts::<RegionCode>, alphabet: "[0-9a ]{1,3}", examples: &["01", "21"] },
    Rule {
        sql: "is_slug",
        rust: accepts::<ThemeSlug>,
        alphabet: "[a-b0-1-]{1,6}",
        examples: &["email", "adult-education-centres", "a-", "-a", "a--b", "A", "a_b"],
    },
    Rule {
        sql: "is_source_name",
        rust: accepts::<SourceName>,
        alphabet: "[a-zA-Z \u{a0}-]{0,4}",
        examples: &["espoo-calendar", "kuntatutorit"],
    },
    Rule {
        sql: "is_external_id",
        rust: accepts::<ExternalId>,
        alphabet: "[ \u{a0}\u{200b}a]{0,4}",
        examples: &["order-4711", "4711/b"],
    },
    Rule {
        sql: "is_language",
        rust: accepts::<LanguageTag>,
        alphabet: "[a-c]{1,4}(-[A-Ca-c0-1]{1,4}){0,3}",
        examples: &["fi", "smn", "zh-Hant", "pt-BR", "es-419", "zh-Hant-TW", "zh-TW-Hant", "FI", "fi-", "fi-fi", "f"],
    },
    Rule {
        sql: "is_email",
        rust: accepts::<EmailAddress>,
        alphabet: "[ab.@-]{0,8}@?[a1.-]{0,8}",
        examples: &[
            "digituki@example.org",
            "..a..b@espoo.fi",
            "a.@espoo.fi",
            "a.b-c+d@e-f.gh.fi",
            "!#$%&'*+-/=?^_`{|}~@b.fi",
            "a@b.c",
            "a@1.2",
            "a@b",
            "@b.fi",
            "a@",
            "a..b@c.fi",
            ".a@c.fi",
            "a.@c.fi",
            "a@-b.fi",
            "a@b-.fi",
            "a@b..fi",
            "a@.fi",
            "a@b.fi.",
            "a@b@c.fi",
            "\"a\"@c.fi",
            "a(b)@c.fi",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
        ],
    },
    Rule {
        sql: "is_phone",
        rust: accepts::<PhoneNumber>,
        alphabet: "[0-9 +()-]{0,6}x?",
        examples: &["+358 9 123 4567", "(09) 123-456", "112", "11", "+-()", "   ", "1  "],
    },
    Rule {
        sql: "is_not_blank",
        rust: |text| not_blank(text, &()).is_ok(),
        alphabet: "[ \t\u{85}\u{3000}\u{200b}.]{0,3}",
        examples: &["."],
    },
];

/// The characters that are put into and around the examples.
fn characters() -> impl Iterator<Item = char> {
    let controls = ('\u{1}'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
    let printable = '!'..='~';
    WHITE_SPACE.chars().chain(DECEPTIVE.chars()).chain(controls).chain(printable)
}

/// Texts for every rule.
fn common_texts() -> Vec<String> {
    let mut texts = Vec::new();
    for unit in ["a", "1", "ä", "😀", " ", "\u{2003}", "a-", "a.b@"] {
        texts.extend(LENGTHS.iter().map(|length| unit.repeat(*length)));
    }
    for c in characters() {
        texts.extend([c.to_string(), format!("{c}{c} "), format!(" {c}a")]);
    }
    texts
}

/// The examples, each also with another character at its beginning, in its middle and at its end.
fn variants(examples: &[&str]) -> Vec<String> {
    let mut texts: Vec<String> = examples.iter().map(ToString::to_string).collect();
    for example in examples {
        let middle = example.char_indices().nth(example.chars().count() / 2).map_or(0, |(index, _)| index);
        let (start, end) = example.split_at(middle);
        for c in characters() {
            texts.extend([format!("{c}{example}"), format!("{start}{c}{end}"), format!("{example}{c}")]);
        }
    }
    texts
}

/// E-mail addresses at the boundaries of their parts' lengths.
fn long_emails() -> Vec<String> {
    let label = "b".repeat(61);
    let hosts = [format!("{label}bb.fi"), format!("{label}bbb.fi"), format!("{label}.{label}.{label}")];
    let locals = [1, 63, 64, 65, 66, 67, 68, 69].map(|length| "a".repeat(length));
    locals.iter().flat_map(|local| hosts.iter().map(move |host| format!("{local}@{host}"))).collect()
}

#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Bool)]
    accepted: bool,
}

/// Returns what a function of the database says about each of these texts.
async fn ask_postgres(mut conn: &AsyncPgConnection, function: &str, texts: &[String]) -> Vec<bool> {
    let query = format!(
        "select {function}(value) as accepted from unnest($1) with ordinality as given (value, number) order by number"
    );
    let verdicts: Vec<Verdict> = diesel::sql_query(query).bind::<Array<Text>, _>(texts).load(&mut conn).await.unwrap();
    verdicts.into_iter().map(|verdict| verdict.accepted).collect()
}

/// Fails if Rust and SQL disagree about a value, or if the values do not test the rule.
fn compare<T: std::fmt::Debug>(function: &str, values: &[T], rust: &[bool], sql: &[bool]) {
    assert_eq!(values.len(), sql.len(), "{function}");
    let accepted = rust.iter().filter(|accepted| **accepted).count();
    assert!(accepted > 5 && values.len() - accepted > 5, "{function} accepts {accepted} of {} values", values.len());
    let differences: Vec<_> = values
        .iter()
        .zip(rust.iter().zip(sql))
        .filter(|(_, (rust, sql))| rust != sql)
        .map(|(value, (rust, sql))| format!("{value:?}: Rust {rust}, SQL {sql}"))
        .collect();
    assert!(
        differences.is_empty(),
        "{function}: {} differences: {:#?}",
        differences.len(),
        &differences[..20.min(differences.len())]
    );
}

#[tokio::test]
async fn rust_and_sql_accept_the_same_texts() {
    let conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    for rule in RULES {
        let mut texts = [common_texts(), variants(rule.examples), long_emails()].concat();
        texts.extend(some(GENERATED, &proptest::string::string_regex(rule.alphabet).unwrap()));
        let rust: Vec<_> = texts.iter().map(|text| (rule.rust)(text)).collect();
        compare(rule.sql, &texts, &rust, &ask_postgres(&conn, rule.sql, &texts).await);
    }
}

/// PostgreSQL checks that a web address has a host, and the service also that the host and the port are valid. Everything
/// else is one rule.
#[tokio::test]
async fn rust_and_sql_accept_the_same_web_addresses_with_a_valid_host() {
    let conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    let examples = [
        "https://digituki.example",
        "http://www.hämeenlinna.fi/palvelut?a=b#c",
        "https://[::1]:8080/",
        "https://user@kunta.fi/",
        "https:///kunta.fi",
        "https://@kunta.fi",
        "https://:80@kunta.fi",
        "https://\\kunta.fi",
        "https://?a",
        "https://#a",
        "https://",
        "https:kunta.fi",
        "HTTPS://kunta.fi",
        "ftp://kunta.fi",
        "javascript:alert(1)",
        "https://kunta.fi:99999",
        "https://1.2.3.400",
    ];
    let mut texts = [common_texts(), variants(&examples)].concat();
    texts.extend([1980, 1981, 2000].map(|length| format!("https://kunta.fi/{}", "ä".repeat(length))));
    texts.extend((1982..1984).map(|length| format!("https://kunta.fi/{}", "😀".repeat(length))));
    texts.extend(some(GENERATED, &proptest::string::string_regex("https?://[a1.:/@?# \\\\\\[\\]]{0,8}").unwrap()));
    let has_invalid_host = |text: &str| !url::Url::parse(text).is_ok_and(|url| url.has_host());
    let sql = ask_postgres(&conn, "is_web_address", &texts).await;
    let sql: Vec<_> = texts.iter().zip(sql).map(|(text, accepted)| accepted && !has_invalid_host(text)).collect();
    let rust: Vec<_> = texts.iter().map(|text| accepts::<WebAddress>(text)).collect();
    compare("is_web_address", &texts, &rust, &sql);
}

/// A part that is null counts as left out: the service does not store it. So SQL is asked about the text as it is stored.
#[tokio::test]
async fn rust_and_sql_accept_the_same_localised_texts() {
    let mut texts: Vec<Value> = vec![
        json!({}),
        json!([]),
        json!(["fi"]),
        json!("fi"),
        json!(1),
        json!({"fi": 1}),
        json!({"fi": ["a"]}),
        json!({"fi": {}}),
        json!({"fi": null}),
        json!({"fi": "a", "sv": null}),
        json!({"fi": "a", "sv": " "}),
        json!({"fi": "a", "sv": ""}),
        json!({"FI": "a"}),
        json!({"de": "a"}),
        json!({"fi": "a", "de": "b"}),
        json!({"fi": "a", "": "b"}),
        CONTENT_LANGUAGES.iter().map(|(tag, name)| ((*tag).to_owned(), json!(name))).collect(),
    ];
    texts.extend(CONTENT_LANGUAGES.iter().map(|(tag, _)| json!({*tag: "a"})));
    texts.extend(common_texts().into_iter().map(|text| json!({"se": text})));
    let (mut rust, mut stored) = (Vec::new(), Vec::new());
    for text in &texts {
        let theme = from_value::<ThemeInput>(json!({"slug": "theme", "kind": "theme", "name": text}));
        rust.push(theme.is_ok());
        stored.push(theme.map_or_else(|_| text.clone(), |theme| serde_json::to_value(&theme.name).unwrap()));
    }
    let mut conn = AsyncPgConnection::establish(&fresh_database()).await.unwrap();
    let query = "select is_localized(value, 200) as accepted \
                 from unnest($1) with ordinality as given (value, number) order by number";
    let verdicts: Vec<Verdict> =
        diesel::sql_query(query).bind::<Array<Jsonb>, _>(&stored).load(&mut conn).await.unwrap();
    let sql: Vec<_> = verdicts.into_iter().map(|verdict| verdict.accepted).collect();
    compare("is_localized", &texts, &rust, &sql);
}

#[tokio::test]
async fn rust_and_sql_have_the_same_content_languages() {
    let languages = query_lines_at(&fresh_database(), "select unnest(content_languages()) as line").await;
    assert_eq!(languages, CONTENT_LANGUAGES.map(|(tag, _)| tag));
}
