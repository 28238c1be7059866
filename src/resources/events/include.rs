//! What comes with events when it is asked for: their tutors, themes and hosts, each once and by its key.

use std::collections::BTreeMap;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::{
    ToSchema,
    openapi::{
        Type,
        path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
        schema::{ArrayBuilder, ObjectBuilder},
    },
};
use uuid::Uuid;

use super::{filter::EventFilter, list, model::Event, store};
use crate::{
    auth::{
        Caller,
        reach::Reach,
        scopes::{MunicipalitiesRead, Scope, ThemesRead, TutorsRead},
    },
    db::{Conn, Db},
    http::{
        List, Page, Resource,
        cache::Versions,
        document,
        list::{INCLUDE, pairs},
        parameters::ReadLater,
        respond::WrittenPage,
    },
    problem::{Error, Result},
    resources::{
        municipalities::{self, model::Municipality},
        themes::{self, model::Theme},
        tutors::{self, model::Tutor},
    },
};

/// What can come with an event.
const NAMES: [&str; 3] = ["tutors", "themes", "host"];

/// What the request asks for beside the events.
#[derive(Debug)]
pub(super) struct Include([bool; 3]);

/// What is asked for, each with the reach that the caller has for it.
#[derive(Debug)]
pub(super) struct Wanted {
    tutors: Option<Reach>,
    themes: Option<Reach>,
    host: Option<Reach>,
}

impl FromRequest for Include {
    type Error = Error;
    type Future = ReadLater<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ReadLater::new(request, |request| {
            let pairs = pairs(request.query_string())?;
            let values = pairs.iter().filter(|(name, _)| name == INCLUDE).flat_map(|(_, value)| value.split(','));
            let names: Vec<_> = values.collect();
            match names.iter().find(|name| !NAMES.contains(name)) {
                None if names.len() <= NAMES.len() => Ok(Self(NAMES.map(|name| names.contains(&name)))),
                _ => Err(Error::Malformed {
                    code: "unknown_include",
                    detail: format!("`{INCLUDE}` takes {}, each once, separated by commas", NAMES.join(", ")),
                }),
            }
        })
    }
}

impl Include {
    /// The caller's reach for each thing that is asked for.
    ///
    /// # Errors
    /// [`Error::MissingScope`] when it may not read one of them.
    pub(super) fn by<S: Scope>(self, caller: &Caller<S>) -> Result<Wanted> {
        let [tutors, themes, host] = self.0;
        Ok(Wanted {
            tutors: tutors.then(|| caller.reach_for::<TutorsRead>()).transpose()?,
            themes: themes.then(|| caller.reach_for::<ThemesRead>()).transpose()?,
            host: host.then(|| caller.reach_for::<MunicipalitiesRead>()).transpose()?,
        })
    }
}

/// What comes with events, each thing once, by its key; only what was asked for with `include`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Included {
    /// The events' tutors, as you see them, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tutors: Option<BTreeMap<Uuid, Tutor>>,
    /// The events' themes, by slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub themes: Option<BTreeMap<String, Theme>>,
    /// The events' hosts, by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub municipalities: Option<BTreeMap<String, Municipality>>,
}

/// An event, and what was asked for with it. Its `ETag` changes with either; `If-Match` heeds the event alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(document::example_of::<Event>()))]
pub struct EventAnswer {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// What was asked for with `include`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub included: Option<Included>,
}

/// A page of events, and what was asked for with them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [document::example_of::<Event>()], "next": null}))]
pub struct EventPage {
    /// The events, in the order that was asked for.
    pub items: Vec<Event>,
    /// The `cursor` of the next page; null on the last one.
    pub next: Option<String>,
    /// What was asked for with `include`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub included: Option<Included>,
}

impl Resource for EventAnswer {
    const COLLECTION: &'static str = Event::COLLECTION;

    fn key(&self) -> String {
        self.event.key()
    }

    fn version(&self) -> i64 {
        self.event.version()
    }

    fn view(&self) -> &'static str {
        self.event.view()
    }

    fn embedded(&self) -> Option<String> {
        let json = serde_json::to_vec(self.included.as_ref()?).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(json)[..9]))
    }
}

/// One event, and what is wanted with it.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find(db: &Db, reach: &Reach, wanted: &Wanted, id: Uuid) -> Result<EventAnswer> {
    let event = store::look_up(db, reach, id).await?;
    let included = if wanted.nothing_else() {
        None
    } else {
        db.read(async |conn| wanted.with(conn, std::slice::from_ref(&event)).await).await?
    };
    Ok(EventAnswer { event, included })
}

/// A page of events, and what is wanted with them; and the versions of the events.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that is not of this list.
pub(super) async fn list(
    conn: &Conn,
    reach: &Reach,
    wanted: &Wanted,
    list: &List<EventFilter>,
) -> Result<(Versions, WrittenPage)> {
    let (versions, Page { items, next }) = list::list(conn, reach, list).await?;
    let included = wanted.with(conn, &items).await?;
    let count = items.len();
    Ok((versions, WrittenPage::of(&EventPage { items, next, included }, count)?))
}

impl Wanted {
    /// Whether nothing is wanted but the events.
    pub(super) fn nothing_else(&self) -> bool {
        matches!(self, Self { tutors: None, themes: None, host: None })
    }

    /// What is wanted with these events: one statement for each kind of thing.
    async fn with(&self, conn: &Conn, events: &[Event]) -> Result<Option<Included>> {
        if self.nothing_else() {
            return Ok(None);
        }
        let Self { tutors, themes, host } = self;
        let fields = || events.iter().map(|event| &event.fields);
        let (tutors, themes, municipalities) = tokio::try_join!(
            async {
                let Some(reach) = tutors else { return Ok(None) };
                let ids = distinct(fields().flat_map(|fields| &fields.tutors));
                tutors::store::with_ids(conn, reach, ids).await.map(|found| Some(by(found, |tutor| tutor.id)))
            },
            async {
                let Some(reach) = themes else { return Ok(None) };
                let slugs = distinct(fields().flat_map(|fields| &fields.themes));
                themes::store::with_slugs(conn, reach, slugs).await.map(|found| Some(by(found, Theme::key)))
            },
            async {
                let Some(reach) = host else { return Ok(None) };
                let codes = distinct(fields().filter_map(|fields| fields.host_municipality_code.as_ref()));
                let found = municipalities::store::with_codes(conn, reach, codes).await;
                found.map(|found| Some(by(found, Municipality::key)))
            },
        )?;
        Ok(Some(Included { tutors, themes, municipalities }))
    }
}

fn distinct<'a, K: Ord + Clone + 'a>(keys: impl Iterator<Item = &'a K>) -> Vec<K> {
    let mut keys: Vec<K> = keys.cloned().collect();
    keys.sort();
    keys.dedup();
    keys
}

fn by<T, K: Ord>(things: Vec<T>, key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    things.into_iter().map(|thing| (key(&thing), thing)).collect()
}

impl utoipa::IntoParams for Include {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(NAMES));
        let description = "What to send along, separated by commas: the events' tutors, themes and host municipalities \
                           come in `included`, each once, by its key. It needs the scope to read them.";
        vec![
            ParameterBuilder::new()
                .name(INCLUDE)
                .parameter_in(ParameterIn::Query)
                .required(utoipa::openapi::Required::False)
                .description(Some(description))
                .style(Some(ParameterStyle::Form))
                .explode(Some(false))
                .schema(Some(ArrayBuilder::new().items(name).min_items(Some(1)).max_items(Some(NAMES.len()))))
                .example(Some(serde_json::json!(["tutors", "host"])))
                .build(),
        ]
    }
}
