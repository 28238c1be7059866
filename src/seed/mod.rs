//! The reference data: the real municipalities, themes, tutors and events of the programme.

pub mod generated;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    db::connection::Conn,
    domain::names::OWN_SOURCE,
    problem::error::{Error, Result},
    resources::{
        directory::{municipalities::model::MunicipalityInput, themes::model::ThemeInput, tutors::model::TutorInput},
        meetings::events::model::EventInput,
    },
    schema::{events, municipalities, themes, tutors},
};

/// How many of each the data set has.
#[derive(Debug)]
pub struct Seeded {
    /// Municipalities.
    pub municipalities: usize,
    /// Themes.
    pub themes: usize,
    /// Tutors.
    pub tutors: usize,
    /// Events.
    pub events: usize,
}

/// An event of the data set: what was announced before it moved is no longer the service's to notice.
#[derive(Deserialize)]
struct HeldEvent {
    previous_starts_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    event: Identified<EventInput>,
}

/// Something of the data set whose id is fixed.
#[derive(Deserialize)]
struct Identified<T> {
    id: Uuid,
    #[serde(flatten)]
    fields: T,
}

/// Loads the reference data into an empty database; does nothing in another one. Call it in a transaction.
///
/// # Errors
/// When the database is away.
pub async fn load(mut conn: &Conn) -> Result<Option<Seeded>> {
    let rows: i64 = municipalities::table.count().get_result(&mut conn).await?;
    if rows > 0 {
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

fn parse<T: DeserializeOwned>(json: &str) -> Result<Vec<T>> {
    serde_json::from_str(json).map_err(|error| Error::Internal(error.into()))
}

impl std::fmt::Display for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { municipalities, themes, tutors, events } = self;
        write!(f, "{municipalities} municipalities, {themes} themes, {tutors} tutors and {events} events")
    }
}
