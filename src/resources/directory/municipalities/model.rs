//! The shapes of a municipality.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        LocalizedDescription, LocalizedName, MunicipalityCode, RegionCode, WebAddress,
        jsonb::jsonb_column,
        time,
        words::{column_words, words},
    },
    http::{Body, Filter, MergePatch, Resource, examples},
    schema::municipalities,
};

column_words! {
    /// The official languages, the majority's first.
    pub enum LanguageStatus {
        /// Finnish.
        Finnish = "fi",
        /// Both, with a Finnish-speaking majority.
        FinnishSwedish = "fi-sv",
        /// Both, with a Swedish-speaking majority.
        SwedishFinnish = "sv-fi",
        /// Swedish.
        Swedish = "sv",
    }
}

column_words! {
    /// How far along a municipality's digital support is.
    pub enum SupportStage {
        /// Nobody has said.
        Unknown = "unknown",
        /// It is being planned.
        Planning = "planning",
        /// It has just begun.
        Starting = "starting",
        /// It is growing.
        Developing = "developing",
        /// It stands, and can help others.
        Established = "established",
    }
}

/// Where a municipality's centre is, in WGS 84 degrees.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    ToSchema,
    Validate,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
pub struct Location {
    /// Latitude, in degrees north.
    #[garde(range(min = -90.0, max = 90.0))]
    #[schema(minimum = -90, maximum = 90)]
    pub lat: f64,
    /// Longitude, in degrees east.
    #[garde(range(min = -180.0, max = 180.0))]
    #[schema(minimum = -180, maximum = 180)]
    pub lon: f64,
}
jsonb_column!(Location);

/// The fields of a municipality that are written.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = municipalities, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "code": "091", "name": {"fi": "Helsinki", "sv": "Helsingfors"}, "region_code": "01",
    "region_name": {"fi": "Uusimaa", "sv": "Nyland", "en": "Uusimaa"}, "language_status": "fi-sv",
    "population": 664_028, "population_on": "2022-12-31", "support_stage": "established", "support_since": null,
    "location": {"lat": 60.16825, "lon": 24.95291}, "website": "https://www.hel.fi",
    "profile": {"fi": "Helsinki on antanut digitukea jo kahden vuosikymmenen ajan."}
}))]
pub struct MunicipalityInput {
    /// Statistics Finland's code: three digits, fixed for good.
    #[garde(dive)]
    pub code: MunicipalityCode,
    /// The official names.
    #[garde(dive)]
    pub name: LocalizedName,
    /// Statistics Finland's code of the region: two digits; Uusimaa is `01`.
    #[garde(dive)]
    pub region_code: RegionCode,
    /// The region's names.
    #[garde(dive)]
    pub region_name: LocalizedName,
    /// The official languages, the majority's first.
    #[garde(skip)]
    pub language_status: LanguageStatus,
    /// Inhabitants on `population_on`.
    #[garde(range(min = 0, max = 10_000_000))]
    #[schema(minimum = 0, maximum = 10_000_000)]
    pub population: i32,
    /// The day that the population is of, from 1900 to 2199.
    #[garde(custom(day_in_range))]
    pub population_on: NaiveDate,
    /// How far along its digital support is.
    #[serde(default = "unknown")]
    #[garde(skip)]
    pub support_stage: SupportStage,
    /// The year in which its digital support began.
    #[garde(inner(range(min = 1980, max = 2199)))]
    #[schema(minimum = 1980, maximum = 2199)]
    pub support_since: Option<i32>,
    /// Its centre.
    #[garde(dive)]
    pub location: Location,
    /// An http or https address of 2,000 characters at most.
    #[garde(dive)]
    pub website: Option<WebAddress>,
    /// Its own angle on digital support.
    #[garde(dive)]
    pub profile: Option<LocalizedDescription>,
}

fn unknown() -> SupportStage {
    SupportStage::Unknown
}

fn day_in_range(day: &NaiveDate, _: &()) -> garde::Result {
    use chrono::Datelike as _;
    if (1900..=2199).contains(&day.year()) {
        Ok(())
    } else {
        Err(garde::Error::new("out_of_range|must be a day from 1900 to 2199"))
    }
}

/// What may change of it.
pub type MunicipalityPatch = MergePatch<MunicipalityInput>;

impl Body for MunicipalityInput {
    const OBJECTS: &'static [&'static str] = &["/name", "/region_name", "/location", "/profile"];
    const SET_BY_SERVICE: &'static [&'static str] = &["version", "created_at", "updated_at"];
}

/// A municipality.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = municipalities)]
#[schema(example = json!(examples::stored::<MunicipalityInput>(&serde_json::json!({}))))]
pub struct Municipality {
    /// What is written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: MunicipalityInput,
    /// Another one after every write.
    #[schema(example = 42)]
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
}

impl Resource for Municipality {
    const COLLECTION: &'static str = "/v1/municipalities";

    fn key(&self) -> String {
        self.fields.code.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }
}

impl Municipality {
    /// What a list in this order is sorted by.
    pub fn sort_key(&self, sort: MunicipalitySort) -> serde_json::Value {
        let MunicipalityInput { code, name, population, .. } = &self.fields;
        match sort {
            MunicipalitySort::Code | MunicipalitySort::CodeDescending => json!(code),
            MunicipalitySort::Name | MunicipalitySort::NameDescending => json!([name.first_part(), code]),
            MunicipalitySort::Population | MunicipalitySort::PopulationDescending => json!([population, code]),
        }
    }
}

words! {
    /// The order of a list of municipalities.
    #[derive(Default)]
    pub enum MunicipalitySort {
        /// By code.
        #[default]
        Code = "code",
        /// By code, the last first.
        CodeDescending = "-code",
        /// By name, as Finnish sorts.
        Name = "name",
        /// By name, the last first.
        NameDescending = "-name",
        /// By population, the smallest first.
        Population = "population",
        /// By population, the largest first.
        PopulationDescending = "-population",
    }
}

/// Which municipalities, in which order.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MunicipalityFilter {
    /// How far along; repeat it for any of several.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub support_stage: Vec<SupportStage>,
    /// The official languages; repeat it for any of several.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub language_status: Vec<LanguageStatus>,
    /// The code of the region; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub region: Vec<RegionCode>,
    /// At least this many inhabitants.
    #[garde(inner(range(min = 0, max = 10_000_000)))]
    #[param(minimum = 0, maximum = 10_000_000)]
    pub population_min: Option<i32>,
    /// At most this many inhabitants.
    #[garde(inner(range(min = 0, max = 10_000_000)))]
    #[param(minimum = 0, maximum = 10_000_000)]
    pub population_max: Option<i32>,
    /// Words in names and profiles, in any of the three languages; the best match comes first unless
    /// `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` turns it round. By `code` unless there is a `q`.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<MunicipalitySort>,
}

impl Filter for MunicipalityFilter {}
