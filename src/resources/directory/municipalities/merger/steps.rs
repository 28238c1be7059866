//! The statements of a merger, in the order in which they run.

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl as _;

use super::model::{Collision, CollisionOutcome, MergerInput, Tally};
use crate::{db::Conn, domain::MunicipalityCode, problem::Result};

/// Waits for the writes that are under way, and lets new ones wait until the merger ends. So no write holds a row that
/// the merger needs while it waits for the municipality itself, which would be a deadlock. The order is that of the
/// foreign keys: a change of a tutor goes on to its account.
pub(super) const LOCK: &str =
    "lock table tutors, accounts, clients, calendar_links, events, feedback in share row exclusive mode";

/// A statement that moves the rows of a collection, or counts rows that another statement moves. It returns the key of
/// each row, and the field in which the row had both codes, if there is one. `$1` is the old code, `$2` the new one.
struct Step {
    collection: &'static str,
    statement: &'static str,
}

const STEPS: &[Step] = &[
    // The foreign key moves the account of a tutor together with the tutor.
    Step {
        collection: "accounts",
        statement: "select id::text as key, null as merged from accounts
            where municipality_code = $1 and tutor_id is not null and $2 <> ''",
    },
    Step {
        collection: "tutors",
        statement: "update tutors set municipality_code = $2
            where municipality_code = $1
              and (status <> 'ended' or exists (select from accounts where tutor_id = tutors.id))
            returning id::text as key, null as merged",
    },
    Step {
        collection: "accounts",
        statement: "update accounts set municipality_code = $2 where municipality_code = $1
            returning id::text as key, null as merged",
    },
    Step {
        collection: "clients",
        statement: "update clients set municipality_code = $2 where municipality_code = $1
            returning id::text as key, null as merged",
    },
    Step {
        collection: "calendar-links",
        statement: "update calendar_links set municipality_code = $2 where municipality_code = $1
            returning id::text as key, null as merged",
    },
    Step {
        collection: "events",
        statement: "update events set
              host_municipality_code = case host_municipality_code when $1 then $2 else host_municipality_code end,
              venue = case venue_municipality_code
                when $1 then jsonb_set(venue, '{municipality_code}', to_jsonb($2)) else venue end,
              audience = case when $2 = any (audience)
                then array_remove(audience, $1) else array_replace(audience, $1, $2) end
            from (
              select id as named_id, case when audience @> array[$1, $2] then 'audience' end as merged from events
              where not is_event_held(status, ends_at) and id in (
                select id from events where host_municipality_code = $1
                union select id from events where venue_municipality_code = $1
                union select event_id from event_audience where municipality_code = $1)) as named
            where id = named_id returning id::text as key, merged",
    },
];

/// Counts the rows that keep the old code, one row for each collection. `$1` is the old code.
const KEPT: &str = "
    select 'tutors' as collection, count(*) from tutors where municipality_code = $1
    union all select 'events', count(*) from events where id in (
      select id from events where host_municipality_code = $1
      union select id from events where venue_municipality_code = $1
      union select event_id from event_audience where municipality_code = $1)
    union all select 'feedback', count(*) from feedback where municipality_code = $1";

#[derive(QueryableByName)]
struct MovedRow {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Text>)]
    merged: Option<String>,
}

#[derive(QueryableByName)]
struct KeptRows {
    #[diesel(sql_type = Text)]
    collection: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Moves the rows. Returns how many rows of each collection have moved, and the rows in which both codes met.
pub(super) async fn run(
    mut conn: &Conn,
    code: &MunicipalityCode,
    new: &MergerInput,
) -> Result<(Vec<Tally>, Vec<Collision>)> {
    let (mut moved, mut collisions) = (Vec::<Tally>::new(), Vec::new());
    for Step { collection, statement } in STEPS {
        let query = diesel::sql_query(*statement);
        let query = query.bind::<Text, _>(code.as_str()).bind::<Text, _>(new.into.as_str());
        let rows: Vec<MovedRow> = query.load(&mut conn).await?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        match moved.iter_mut().find(|tally| tally.collection == *collection) {
            Some(tally) => tally.count += count,
            None => moved.push(Tally { collection: (*collection).to_owned(), count }),
        }
        let merged = rows.into_iter().filter_map(|row| Some((row.key, row.merged?)));
        collisions.extend(merged.map(|(key, field)| Collision {
            collection: (*collection).to_owned(),
            detail: format!("{field} had both {code} and {}; now it has {} once", new.into, new.into),
            key,
            field,
            outcome: CollisionOutcome::Merged,
        }));
    }
    Ok((moved, collisions))
}

/// Returns how many rows of each collection keep the old code.
pub(super) async fn kept(mut conn: &Conn, code: &MunicipalityCode) -> Result<Vec<Tally>> {
    let rows: Vec<KeptRows> = diesel::sql_query(KEPT).bind::<Text, _>(code.as_str()).load(&mut conn).await?;
    Ok(rows.into_iter().map(|KeptRows { collection, count }| Tally { collection, count }).collect())
}
