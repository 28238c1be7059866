//! The query parameter `include`: it adds the tutors, themes and hosts of events to a response, each once and by its key.

use std::collections::BTreeMap;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::{
    ToSchema,
    openapi::{
        Type,
        path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
        schema::{ArrayBuilder, ObjectBuilder},
    },
};
use uuid::Uuid;

use super::{filter::EventFilter, list::list, model::Event, store};
use crate::{
    auth::{reach::Reach, scopes::Scope},
    db::{Conn, Db, row_limit::Rows},
    http::{
        Caller, List, Page, Resource, examples,
        input::{
            query::{INCLUDE, pairs},
            read_later::ReadLater,
        },
    },
    problem::{Error, Result},
    resources::directory::{
        municipalities,
        municipalities::{model::Municipality, scopes::MunicipalitiesRead},
        themes,
        themes::{model::Theme, scopes::ThemesRead},
        tutors,
        tutors::{model::Tutor, scopes::TutorsRead},
    },
};

/// The values of `include`.
const NAMES: [&str; 3] = ["tutors", "themes", "host"];

/// The most bytes of included resources of one kind.
const INCLUDED_BYTES: usize = 2 * 1024 * 1024;
/// Lets one request at a time load included resources. It keeps its events in memory until PostgreSQL has
/// answered the requests before it.
static PERMITS: Semaphore = Semaphore::const_new(1);

/// The parameter `include` of a request.
#[derive(Debug)]
pub(super) struct Include([bool; 3]);

/// The resources to include, each with the caller's reach for it.
#[derive(Debug)]
pub(super) struct IncludedReaches {
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
                    detail: format!("`{INCLUDE}` takes {}, each at most once, separated by commas", NAMES.join(", ")),
                }),
            }
        })
    }
}

impl Include {
    /// Returns the caller's reach for each resource to include.
    ///
    /// # Errors
    /// [`Error::MissingScope`] when the caller may not read one of them.
    pub(super) fn reaches<S: Scope>(self, caller: &Caller<S>) -> Result<IncludedReaches> {
        let [tutors, themes, host] = self.0;
        Ok(IncludedReaches {
            tutors: tutors.then(|| caller.reach_for::<TutorsRead>()).transpose()?,
            themes: themes.then(|| caller.reach_for::<ThemesRead>()).transpose()?,
            host: host.then(|| caller.reach_for::<MunicipalitiesRead>()).transpose()?,
        })
    }
}

/// The resources that `include` requested, each once, by key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Included {
    /// The tutors of the events as you see them, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tutors: Option<BTreeMap<Uuid, Tutor>>,
    /// The themes of the events, by slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub themes: Option<BTreeMap<String, Theme>>,
    /// The hosts of the events, by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub municipalities: Option<BTreeMap<String, Municipality>>,
}

/// An event, and the resources that `include` requested. The `ETag` covers both; `If-Match` compares the event alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(examples::example_of::<Event>()))]
pub(super) struct EventResponse {
    #[serde(flatten)]
    pub event: Event,
    /// The resources that `include` requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub included: Option<Included>,
}

/// A page of events, and the resources that `include` requested.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [examples::example_of::<Event>()], "next": null}))]
pub(super) struct EventPage {
    /// The events, in the requested order.
    pub items: Vec<Event>,
    /// The `cursor` of the next page; null on the last page.
    pub next: Option<String>,
    /// The resources that `include` requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub included: Option<Included>,
}

impl Resource for EventResponse {
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

/// Returns one event with the resources to include.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find_with(db: &Db, reach: &Reach, included: &IncludedReaches, id: Uuid) -> Result<EventResponse> {
    let event = store::look_up(db, reach, id).await?;
    if included.is_empty() {
        return Ok(EventResponse { event, included: None });
    }
    let _permit = permit().await?;
    let included = db.read(async |conn| included.load(conn, std::slice::from_ref(&event)).await).await?;
    Ok(EventResponse { event, included: Some(included) })
}

/// Returns a page of events with the resources to include.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that belongs to another list.
pub(super) async fn list_with(
    conn: &Conn,
    reach: &Reach,
    included: &IncludedReaches,
    query: &List<EventFilter>,
) -> Result<EventPage> {
    if included.is_empty() {
        let Page { items, next } = list(conn, reach, query).await?;
        return Ok(EventPage { items, next, included: None });
    }
    let _permit = permit().await?;
    let Page { items, next } = list(conn, reach, query).await?;
    let included = Some(included.load(conn, &items).await?);
    Ok(EventPage { items, next, included })
}

impl IncludedReaches {
    /// Returns whether nothing is to be included.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self { tutors: None, themes: None, host: None })
    }

    /// Loads the resources that these events refer to, with one statement for each kind.
    async fn load(&self, conn: &Conn, events: &[Event]) -> Result<Included> {
        let Self { tutors, themes, host } = self;
        let fields = || events.iter().map(|event| &event.fields);
        let (tutors, themes, municipalities) = tokio::try_join!(
            async {
                let Some(reach) = tutors else { return Ok(None) };
                let ids = distinct(fields().flat_map(|fields| &fields.tutors));
                let found = whole(tutors::store::with_ids(conn, reach, ids, INCLUDED_BYTES).await?)?;
                Ok(Some(by_key(found, |tutor| tutor.id)))
            },
            async {
                if themes.is_none() {
                    return Ok(None);
                }
                let slugs = distinct(fields().flat_map(|fields| &fields.themes));
                themes::store::with_slugs(conn, slugs).await.map(|found| Some(by_key(found, Theme::key)))
            },
            async {
                if host.is_none() {
                    return Ok(None);
                }
                let codes = distinct(fields().filter_map(|fields| fields.host_municipality_code.as_ref()));
                let found = whole(municipalities::store::with_codes(conn, codes, INCLUDED_BYTES).await?)?;
                Ok(Some(by_key(found, Municipality::key)))
            },
        )?;
        Ok(Included { tutors, themes, municipalities })
    }
}

async fn permit() -> Result<SemaphorePermit<'static>> {
    PERMITS.acquire().await.map_err(|error| Error::Internal(error.into()))
}

/// Returns the rows if none is missing.
fn whole<T>(Rows { rows, is_cut }: Rows<T>) -> Result<Vec<T>> {
    if is_cut {
        return Err(Error::Malformed {
            code: "include_too_large",
            detail: format!(
                "the resources to include have more than {} MiB; request fewer events with `limit`, or read the \
                 resources at their own addresses",
                INCLUDED_BYTES >> 20
            ),
        });
    }
    Ok(rows)
}

fn distinct<'a, K: Ord + Clone + 'a>(keys: impl Iterator<Item = &'a K>) -> Vec<K> {
    let mut keys: Vec<K> = keys.cloned().collect();
    keys.sort();
    keys.dedup();
    keys
}

fn by_key<T, K: Ord>(resources: Vec<T>, key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    resources.into_iter().map(|resource| (key(&resource), resource)).collect()
}

impl utoipa::IntoParams for Include {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(NAMES));
        let description = "The resources to include, separated by commas: the tutors, the themes and the host municipalities \
                           of the events. `included` has each of them once, by key. You need the scopes that read them. Resources of more than 2 MiB of one kind are refused.";
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
