//! The reference data: the municipalities, themes, tutors and events of the programme, from the files in `data/`.

pub mod generated;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    db::Conn,
    domain::names::OWN_SOURCE,
    problem::{Error, Result},
    resources::{
        directory::{municipalities::model::MunicipalityInput, themes::model::ThemeInput, tutors::model::TutorInput},
        meetings::events::model::EventInput,
    },
    schema::{events, municipalities, themes, tutors},
};

/// The key of the advisory lock: an arbitrary number that nothing else locks in the same database.
const LOCK: i64 = 0x6b75_6e74_7365;

/// The numbers of rows that were loaded.
#[derive(Debug)]
pub struct Seeded {
    municipalities: usize,
    themes: usize,
    tutors: usize,
    events: usize,
}

/// An event of the data set. Events that were moved before the service existed have their original start in the file.
#[derive(Deserialize)]
struct HeldEvent {
    previous_starts_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    event: Identified<EventInput>,
}

/// A row of the data set with a fixed id.
#[derive(Deserialize)]
struct Identified<T> {
    id: Uuid,
    #[serde(flatten)]
    fields: T,
}

/// Loads the reference data if the database has no municipalities; else returns none. Call it in a transaction.
pub async fn load(mut conn: &Conn) -> Result<Option<Seeded>> {
    if has_municipalities(conn).await? {
        return Ok(None);
    }
    // Several instances may start on an empty database. One of them loads the data, and the others wait for it here.
    diesel::sql_query("select pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK).execute(&mut conn).await?;
    if has_municipalities(conn).await? {
        return Ok(None);
    }
    let municipalities: Vec<MunicipalityInput> = parse(include_str!("../../data/municipalities.json"))?;
    let themes: Vec<ThemeInput> = parse(include_str!("../../data/themes.json"))?;
    let tutors: Vec<Identified<TutorInput>> = parse(include_str!("../../data/tutors.json"))?;
    let events: Vec<HeldEvent> = parse(include_str!("../../data/events.json"))?;
    let seeded = Seeded {
        municipalities: municipalities.len(),
        themes: themes.len(),
        tutors: tutors.len(),
        events: events.len(),
    };
    diesel::insert_into(municipalities::table).values(municipalities).execute(&mut conn).await?;
    diesel::insert_into(themes::table).values(themes).execute(&mut conn).await?;
    let tutors = tutors.into_iter().map(|tutor| (tutors::id.eq(tutor.id), tutors::source.eq(OWN_SOURCE), tutor.fields));
    diesel::insert_into(tutors::table).values(tutors.collect::<Vec<_>>()).execute(&mut conn).await?;
    let events = events.into_iter().map(|HeldEvent { previous_starts_at, event: Identified { id, fields } }| {
        (events::id.eq(id), events::source.eq(OWN_SOURCE), events::previous_starts_at.eq(previous_starts_at), fields)
    });
    diesel::insert_into(events::table).values(events.collect::<Vec<_>>()).execute(&mut conn).await?;
    Ok(Some(seeded))
}

async fn has_municipalities(mut conn: &Conn) -> Result<bool> {
    let count: i64 = municipalities::table.count().get_result(&mut conn).await?;
    Ok(count > 0)
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<Vec<T>> {
    serde_json::from_str(json).map_err(|error| Error::Internal(error.into()))
}

impl std::fmt::Display for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { municipalities, themes, tutors, events } = self;
        write!(f, "{municipalities} municipalities, {themes} themes, {tutors} tutors and {events} events")
    }
}
