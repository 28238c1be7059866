//! What refers to a resource that cannot be deleted: for each field that refers to it, how many rows the caller sees,
//! the first of their keys, and the list that has all of them.

use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};
use diesel_async::RunQueryDsl as _;
use futures_util::future::try_join_all;

use crate::{
    auth::{
        reach::{Identity, Reach},
        scopes::Scope,
    },
    db::Conn,
    domain::MunicipalityCode,
    http::Caller,
    problem::{Result, reference::Reference},
    registry::{self, Collection},
};

/// The maximum number of keys for each field.
const MOST_KEYS: usize = 10;

/// A field of a collection that refers to rows of another collection, which cannot be deleted while it does.
#[derive(Clone, Copy, Debug)]
pub struct ReferringField {
    /// The collection that is referred to.
    pub to: &'static str,
    /// The foreign key.
    pub foreign_key: &'static str,
    /// The collection that refers.
    pub collection: &'static str,
    /// The field.
    pub field: &'static str,
    /// The filter of the collection's list that finds the rows.
    pub filter: &'static str,
    /// The condition, in SQL, of the rows that refer to the key `$1`, which is text.
    condition: &'static str,
}

/// Every field that keeps rows of other collections from being deleted.
pub const FIELDS: &[ReferringField] = &[
    field(
        "municipalities",
        "municipalities_successor_code_exists",
        "municipalities",
        "successor_code",
        "successor",
        "successor_code = $1",
    ),
    field(
        "municipalities",
        "tutors_municipality_code_exists",
        "tutors",
        "municipality_code",
        "municipality",
        "municipality_code = $1",
    ),
    field(
        "municipalities",
        "events_host_municipality_code_exists",
        "events",
        "host_municipality_code",
        "municipality",
        "host_municipality_code = $1",
    ),
    field(
        "municipalities",
        "events_venue_municipality_code_exists",
        "events",
        "venue",
        "venue",
        "venue_municipality_code = $1",
    ),
    field(
        "municipalities",
        "events_audience_exist",
        "events",
        "audience",
        "audience",
        "id in (select event_id from event_audience where municipality_code = $1)",
    ),
    field(
        "municipalities",
        "feedback_municipality_code_exists",
        "feedback",
        "municipality_code",
        "municipality",
        "municipality_code = $1",
    ),
    field(
        "municipalities",
        "calendar_links_municipality_code_exists",
        "calendar-links",
        "municipality_code",
        "municipality",
        "municipality_code = $1",
    ),
    field(
        "municipalities",
        "accounts_municipality_code_exists",
        "accounts",
        "municipality_code",
        "municipality",
        "municipality_code = $1",
    ),
    field(
        "municipalities",
        "clients_municipality_code_exists",
        "clients",
        "municipality_code",
        "municipality",
        "municipality_code = $1",
    ),
    field("themes", "themes_parent_exists", "themes", "parent", "parent", "parent = $1"),
    field(
        "themes",
        "tutors_themes_exist",
        "tutors",
        "themes",
        "theme",
        "id in (select tutor_id from tutor_themes where theme_slug = $1)",
    ),
    field(
        "themes",
        "events_themes_exist",
        "events",
        "themes",
        "theme",
        "id in (select event_id from event_themes where theme_slug = $1)",
    ),
    field(
        "themes",
        "feedback_themes_wanted_exist",
        "feedback",
        "themes_wanted",
        "themes_wanted",
        "id in (select feedback_id from feedback_themes_wanted where theme_slug = $1)",
    ),
    field(
        "tutors",
        "events_tutors_exist",
        "events",
        "tutors",
        "tutor",
        "id in (select event_id from event_tutors where tutor_id = $1::uuid)",
    ),
    field("tutors", "accounts_tutor_id_exists", "accounts", "tutor_id", "tutor", "tutor_id = $1::uuid"),
    field("events", "feedback_event_id_exists", "feedback", "event_id", "event", "event_id = $1::uuid"),
];

/// The collections that a caller's token may read.
pub(super) fn readable<S: Scope>(caller: &Caller<S>) -> Vec<&'static str> {
    registry::COLLECTIONS.iter().filter(|of| caller.holds(of.read.name)).map(|of| of.name).collect()
}

/// Returns what refers to the row of this collection with this key.
pub(super) async fn to_row(
    conn: &Conn,
    reach: &Reach,
    readable: &[&'static str],
    (to, key): (&str, &str),
) -> Result<Vec<Reference>> {
    let fields = FIELDS.iter().filter(|field| field.to == to);
    let found = try_join_all(fields.map(|field| field.reference(conn, reach, readable, key))).await?;
    Ok(found.into_iter().flatten().collect())
}

#[derive(QueryableByName)]
struct Referring {
    #[diesel(sql_type = Bool)]
    refers: bool,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Array<Text>)]
    keys: Vec<String>,
}

impl ReferringField {
    /// Returns the reference from this field, if there is one.
    async fn reference(
        &self,
        mut conn: &Conn,
        reach: &Reach,
        readable: &[&'static str],
        key: &str,
    ) -> Result<Option<Reference>> {
        let Some(collection) = registry::find(self.collection) else { return Ok(None) };
        let (table, column, condition) = (collection.table(), collection.key, self.condition);
        let visible = if readable.contains(&self.collection) { visible(reach, collection) } else { "false".to_owned() };
        let query = format!(
            "with caller (municipality, source, account) as (select $2, $3, $4) \
             select exists (select from {table} where {condition}) as refers, \
               (select count(*) from {table} where ({condition}) and {visible}) as count, \
               array(select {column}::text from {table} where ({condition}) and {visible} \
                 order by {column} limit {MOST_KEYS}) as keys"
        );
        let account = match &reach.identity {
            Identity::Account(id) => Some(id.to_string()),
            Identity::Client { .. } | Identity::Anonymous => None,
        };
        let query = diesel::sql_query(query)
            .bind::<Text, _>(key)
            .bind::<Nullable<Text>, _>(reach.municipality.as_ref().map(MunicipalityCode::as_str))
            .bind::<Text, _>(reach.identity.source())
            .bind::<Nullable<Text>, _>(account);
        let Referring { refers, count, keys } = query.get_result(&mut conn).await?;
        let path = format!("{}?{}={key}", collection.path(), self.filter);
        let (collection, field) = (self.collection, self.field);
        Ok(refers.then_some(Reference { collection, field, count, keys, path }))
    }
}

/// Returns the condition, in SQL, of the rows of a collection that the caller sees. It follows from the registry, and
/// may leave out a row that the caller sees through a rule of its own.
fn visible(reach: &Reach, collection: &Collection) -> String {
    if reach.is_coordinator() {
        return "true".to_owned();
    }
    if collection.of_creator {
        return match collection.name {
            "feedback" => "source = (select source from caller) and \
                           coalesce(respondent = (select account from caller), (select account from caller) is null)"
                .to_owned(),
            _ => "false".to_owned(),
        };
    }
    match (collection.hidden_states, collection.municipality_codes) {
        ([], _) => "true".to_owned(),
        (states, owners) => {
            let owner = owners.first().copied().unwrap_or("null");
            format!("(status not in ('{}') or {owner} = (select municipality from caller))", states.join("', '"))
        }
    }
}

const fn field(
    to: &'static str,
    foreign_key: &'static str,
    collection: &'static str,
    field: &'static str,
    filter: &'static str,
    condition: &'static str,
) -> ReferringField {
    ReferringField { to, foreign_key, collection, field, filter, condition }
}
