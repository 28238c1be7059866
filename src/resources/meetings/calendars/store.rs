//! Calendars: taken from the cache, or rendered from the events.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{Data, block},
};
use tokio::sync::Semaphore;

use super::{
    icalendar::{self, Contents},
    model::{Calendar, Language},
};
use crate::{
    auth::reach::Reach,
    config::Config,
    db::{
        Db,
        batching::response_cache::{CacheKey, CachedAnswer, ResponseCache},
        time_limit::within_limit,
    },
    domain::MunicipalityCode,
    problem::{Error, Result},
    resources::{
        directory::municipalities,
        meetings::events::calendar_window::{CalendarWindow, calendar_window},
    },
};

/// How many calendars are rendered at the same time: one of a thousand events takes some megabytes.
static RENDERING: Semaphore = Semaphore::const_new(4);

/// What it takes to answer with calendars.
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
        ready(calendars().ok_or_else(|| Error::Internal("no ResponseCache, Config or Db".into())))
    }
}

impl Calendars {
    /// Returns the calendar of the region or of a municipality, as this caller sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a municipality that does not exist; [`Error::Unavailable`] when too many requests wait for
    /// calendars to be rendered.
    pub(super) async fn get(
        &self,
        reach: &Reach,
        municipality: Option<&MunicipalityCode>,
        language: Language,
    ) -> Result<Calendar> {
        within_limit(async {
            let name = self.name(municipality, language).await?;
            let code = municipality.map_or("", MunicipalityCode::as_str);
            let request = format!("calendar {code} {} {name}", language.as_str());
            let key = CacheKey { caller: reach.key(), request };
            if let Some(cached) = self.cache.get(&self.db, "events", &key).await? {
                return Ok(Calendar(cached));
            }
            // A request that waited while another one rendered the same calendar then finds it in the cache.
            let _permit = RENDERING.acquire().await.map_err(|error| Error::Internal(error.into()))?;
            let render = async || self.render(reach, municipality, language, name).await;
            Box::pin(self.cache.answer(&self.db, "events", key, render)).await.map(Calendar)
        })
        .await
    }

    /// Returns the name that calendar programs show.
    async fn name(&self, municipality: Option<&MunicipalityCode>, language: Language) -> Result<String> {
        let Some(code) = municipality else { return Ok("Kuntatutorit".to_owned()) };
        let municipality = self.db.read(async |conn| municipalities::store::find(conn, code).await).await?;
        let name = language.of(&municipality.fields.name).map_or("", |(_, name)| name);
        Ok(format!("Kuntatutorit: {name}"))
    }

    async fn render(
        &self,
        reach: &Reach,
        municipality: Option<&MunicipalityCode>,
        language: Language,
        name: String,
    ) -> Result<CachedAnswer> {
        let window = self.db.read_long(async |conn| calendar_window(conn, reach, municipality).await);
        let CalendarWindow { events, next_start } = window.await?;
        let contents = Contents { name, language, public_url: self.config.public_url.clone(), events };
        // On a thread of its own: writing a calendar takes milliseconds, and the worker serves other requests meanwhile.
        let text = block(move || icalendar::write(&contents)).await.map_err(|error| Error::Internal(error.into()))?;
        Ok(Calendar::render(text, next_start))
    }
}
