//! Calendars from the response cache, or rendered from the events.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{Data, block},
};
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
        Db,
        batching::response_cache::{CacheKey, CachedResponse, ResponseCache},
        time_limit::within_limit,
    },
    domain::MunicipalityCode,
    problem::{Error, Result},
    resources::{
        directory::municipalities,
        meetings::events::calendar_window::{CalendarWindow, calendar_window},
    },
};

/// Lets one calendar be rendered at a time, because the events of a calendar can take 16 MiB.
static RENDER_PERMITS: Semaphore = Semaphore::const_new(1);

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
    /// Returns the calendar of the region or of a municipality, as this caller sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a municipality that does not exist, and [`Error::Unavailable`] when it does not get a permit
    /// to render in time.
    pub(super) async fn get(
        &self,
        reach: &Reach,
        municipality: Option<&MunicipalityCode>,
        language: Language,
    ) -> Result<Calendar> {
        within_limit(async {
            let name = self.name(municipality, language).await?;
            let code = municipality.map_or("", MunicipalityCode::as_str);
            // The name is part of the key: the cache notices changes of events, but not of the municipality.
            let request = format!("calendar {code} {} {name}", language.as_str());
            let key = CacheKey { caller: reach.key(), request };
            if let Some(cached) = self.cache.get(&self.db, "events", &key).await? {
                return Ok(Calendar(cached));
            }
            // While this request waits for a permit, another one may render the same calendar: `answer` checks the cache
            // again.
            let _permit = RENDER_PERMITS.acquire().await.map_err(|error| Error::Internal(error.into()))?;
            let render = async || self.render(reach, municipality, language, name).await;
            Box::pin(self.cache.answer(&self.db, "events", key, render)).await.map(Calendar)
        })
        .await
    }

    /// Returns the name of the calendar, which calendar programs show.
    async fn name(&self, municipality: Option<&MunicipalityCode>, language: Language) -> Result<String> {
        let Some(code) = municipality else { return Ok("Kuntatutorit".to_owned()) };
        let municipality = self.db.read(async |conn| municipalities::store::find(conn, code).await).await?;
        let name = language.part_of(&municipality.fields.name).map_or("", |(_, name)| name);
        Ok(format!("Kuntatutorit: {name}"))
    }

    async fn render(
        &self,
        reach: &Reach,
        municipality: Option<&MunicipalityCode>,
        language: Language,
        name: String,
    ) -> Result<CachedResponse> {
        let window = self.db.read_long(async |conn| calendar_window(conn, reach, municipality).await);
        let CalendarWindow { events, next_start, is_cut } = window.await?;
        let contents = Contents { name, language, public_url: self.config.public_url.clone(), events, is_cut };
        // Writing takes milliseconds of CPU time. In a separate thread, it does not hold up the other requests of the
        // worker.
        let text = block(move || icalendar::write(&contents)).await.map_err(|error| Error::Internal(error.into()))?;
        Ok(Calendar::response(text, next_start))
    }
}
