//! Calendars from the response cache, or rendered from the events.

use std::{
    collections::{HashMap, HashSet},
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{Data, block},
};
use diesel::{QueryableByName, sql_types::Text};
use diesel_async::RunQueryDsl as _;
use futures_util::future::{try_join, try_join3};
use tokio::sync::Semaphore;

use super::{
    icalendar::{self, Contents},
    language::Language,
    model::Calendar,
};
use crate::{
    auth::reach::Reach,
    config::Config,
    db::{
        Conn, Db,
        batching::response_cache::{CacheKey, CachedResponse, ResponseCache},
        time_limit::within_limit,
    },
    domain::{LocalizedName, MunicipalityCode, RegionCode, ThemeSlug},
    problem::{Error, Result},
    resources::{
        directory::{municipalities, municipalities::store::Place, themes},
        meetings::events::{
            calendar_window::{CalendarWindow, Coverage, calendar_window},
            model::Event,
        },
    },
};

/// Lets one calendar be rendered at a time, because the events of a calendar can take 16 MiB.
static RENDER_PERMITS: Semaphore = Semaphore::const_new(1);

/// Which calendar is asked for.
pub(super) enum CalendarOf {
    /// The calendar of the events that the municipalities of these regions host, or of all events when there are none.
    Regions(Vec<RegionCode>),
    /// The calendar of the events that a municipality hosts, and of those that are tailored to it.
    Municipality(MunicipalityCode),
}

/// Access to calendars.
pub(super) struct Calendars {
    cache: Data<ResponseCache>,
    config: Data<Config>,
    db: Data<Db>,
}

impl FromRequest for Calendars {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let calendars = || {
            let cache = request.app_data().cloned()?;
            Some(Self { cache, config: request.app_data().cloned()?, db: request.app_data().cloned()? })
        };
        ready(calendars().ok_or_else(|| Error::Internal("the application has no ResponseCache, Config or Db".into())))
    }
}

impl Calendars {
    /// Returns the calendar of all events, of some regions or of a municipality, as this caller sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a municipality that does not exist, and [`Error::Unavailable`] when it does not get a permit
    /// to render in time.
    pub(super) async fn get(&self, reach: &Reach, of: &CalendarOf, language: Language) -> Result<Calendar> {
        within_limit(async {
            let (name, coverage, names) =
                try_join3(self.name(of, language), self.coverage(of), self.db.read(version_of_names)).await?;
            // What the calendar covers and its names are part of the key: the cache notices changes of events, but not
            // of municipalities and themes.
            let request = format!("calendar {coverage:?} {} {names} {name}", language.as_str());
            let key = CacheKey { caller: reach.key(), request };
            if let Some(cached) = self.cache.get(&self.db, "events", &key).await? {
                return Ok(Calendar(cached));
            }
            // While this request waits for a permit, another one may render the same calendar: `answer` checks the cache
            // again.
            let _permit = RENDER_PERMITS.acquire().await.map_err(|error| Error::Internal(error.into()))?;
            let render = async || self.render(reach, &coverage, language, name).await;
            Box::pin(self.cache.answer(&self.db, "events", key, render)).await.map(Calendar)
        })
        .await
    }

    /// Returns what the calendar covers. That of a municipality also covers all that have merged into it, and that of a
    /// municipality that has ended is the calendar of its successor: an address that a program knows keeps its events.
    async fn coverage(&self, of: &CalendarOf) -> Result<Coverage> {
        Ok(match of {
            CalendarOf::Regions(regions) if regions.is_empty() => Coverage::All,
            CalendarOf::Regions(regions) => {
                let read = async |conn: &Conn| municipalities::store::in_regions(conn, &[], regions).await;
                Coverage::Hosts(self.db.read(read).await?.unwrap_or_default())
            }
            CalendarOf::Municipality(code) => {
                let line = self.db.read(async |conn| municipalities::store::line_of(conn, code).await);
                Coverage::Municipalities(line.await?)
            }
        })
    }

    /// Returns the name of the calendar, which calendar programs show.
    async fn name(&self, of: &CalendarOf, language: Language) -> Result<String> {
        let CalendarOf::Municipality(code) = of else { return Ok("Kuntatutorit".to_owned()) };
        let municipality = self.db.read(async |conn| municipalities::store::find(conn, code).await).await?;
        let name = language.part_of(&municipality.fields.name).map_or("", |(_, name)| name);
        Ok(format!("Kuntatutorit: {name}"))
    }

    async fn render(
        &self,
        reach: &Reach,
        coverage: &Coverage,
        language: Language,
        name: String,
    ) -> Result<CachedResponse> {
        let window = self.db.read_long(async |conn| calendar_window(conn, reach, coverage).await);
        let CalendarWindow { events, next_start, is_cut } = window.await?;
        let (municipalities, themes) = self.db.read(async |conn| referenced(conn, &events).await).await?;
        let public_url = self.config.public_url.clone();
        let contents = Contents { name, language, public_url, events, municipalities, themes, is_cut };
        // Writing takes milliseconds of CPU time. In a separate thread, it does not hold up the other requests of the
        // worker.
        let text = block(move || icalendar::write(&contents)).await.map_err(|error| Error::Internal(error.into()))?;
        Ok(Calendar::response(text, next_start))
    }
}

/// Returns a text that changes with every change of a municipality or a theme.
async fn version_of_names(mut conn: &Conn) -> Result<String> {
    let query = "select concat((select (count(*), max(version)) from municipalities), \
                 (select (count(*), max(version)) from themes)) as text";
    Ok(diesel::sql_query(query).get_result::<Version>(&mut conn).await?.text)
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Returns the municipalities and the names of the themes that these events name, by code and slug.
async fn referenced(
    conn: &Conn,
    events: &[Event],
) -> Result<(HashMap<MunicipalityCode, Place>, HashMap<ThemeSlug, LocalizedName>)> {
    let venues = |event: &Event| event.fields.venue.as_ref().and_then(|venue| venue.municipality_code.clone());
    let codes: HashSet<_> = events
        .iter()
        .flat_map(|event| event.fields.host_municipality_code.clone().into_iter().chain(venues(event)))
        .collect();
    let slugs: HashSet<_> = events.iter().flat_map(|event| event.fields.themes.iter().cloned()).collect();
    let (municipalities, themes) = try_join(
        municipalities::store::places(conn, codes.into_iter().collect()),
        themes::store::with_slugs(conn, slugs.into_iter().collect()),
    )
    .await?;
    let by_slug = themes.into_iter().map(|theme| (theme.fields.slug, theme.fields.name));
    Ok((municipalities, by_slug.collect()))
}
