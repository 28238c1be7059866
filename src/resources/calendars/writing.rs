//! How a calendar comes about: kept as it was written before, or written now.

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
    db::{Db, together},
    http::cache::{Cache, Versions},
    problem::{Error, Result},
    resources::{
        events::{
            LEDGER,
            announced::{Announced, announced, versions},
        },
        municipalities,
    },
};

/// A calendar of a thousand events takes some megabytes to write: so many are in the making at once.
static TURNS: Semaphore = Semaphore::const_new(4);
/// The versions of a thousand events take a tenth of a megabyte: so many calendars are looked at at once.
static LOOKS: Semaphore = Semaphore::const_new(4);

/// What calendars are made with.
pub(super) struct Calendars {
    kept: Data<Cache<Calendar>>,
    config: Data<Config>,
    db: Data<Db>,
}

impl FromRequest for Calendars {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let of_the_app = || {
            let kept = request.app_data().cloned()?;
            Some(Self { kept, config: request.app_data().cloned()?, db: request.app_data().cloned()? })
        };
        ready(of_the_app().ok_or_else(|| Error::Internal("no Cache, Config or Db".into())))
    }
}

impl Calendars {
    /// The calendar of the region or of a municipality, as this reach sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a municipality that does not exist; [`Error::Unavailable`] when too many ask for one.
    pub(super) async fn of(&self, reach: &Reach, municipality: Option<&str>, language: Language) -> Result<Calendar> {
        let db = &self.db;
        together(async {
            let name = self.name(reach, municipality, language).await?;
            let asked = (reach.clone(), format!("{municipality:?} {} {name}", language.as_str()));
            let ledger = async || db.ledger(LEDGER).await;
            let versions = async || {
                let _look = LOOKS.acquire().await.map_err(|error| Error::Internal(error.into()))?;
                db.read_long(async |conn| versions(conn, reach, municipality).await).await
            };
            let write = async || self.write(reach, municipality, language, name).await;
            if let Some(kept) = self.kept.still_good(&asked, ledger, versions).await? {
                return Ok(kept);
            }
            // Whoever waited for the one that wrote it finds it kept then. Boxed, as it is large.
            let _turn = TURNS.acquire().await.map_err(|error| Error::Internal(error.into()))?;
            Box::pin(self.kept.answer(asked, ledger, versions, write)).await
        })
        .await
    }

    /// What programs call it.
    async fn name(&self, reach: &Reach, municipality: Option<&str>, language: Language) -> Result<String> {
        let Some(code) = municipality else { return Ok("Kuntatutorit".to_owned()) };
        let read = self.db.read(async |conn| municipalities::store::find(conn, reach, code).await);
        let municipality = read.await?;
        let name = language.of(&municipality.fields.name).map_or("", |(_, name)| name);
        Ok(format!("Kuntatutorit: {name}"))
    }

    async fn write(
        &self,
        reach: &Reach,
        municipality: Option<&str>,
        language: Language,
        name: String,
    ) -> Result<(Versions, Calendar)> {
        let read = self.db.read_long(async |conn| announced(conn, reach, municipality).await);
        let Announced { versions, events, next } = read.await?;
        let contents = Contents { name, language, public_url: self.config.public_url.clone(), events };
        // That takes a while: other requests of the worker do not wait for it.
        let text = block(move || icalendar::write(&contents)).await.map_err(|error| Error::Internal(error.into()))?;
        Ok((versions, Calendar::of(text, next)))
    }
}
