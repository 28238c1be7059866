//! The shapes of a municipality.

use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use diesel::{deserialize::FromSqlRow, expression::AsExpression, prelude::*};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::{
    db::row_limit::Weighed,
    domain::{
        LocalizedDescription, LocalizedName, MunicipalityCode, RegionCode, WebAddress,
        jsonb::jsonb_column,
        rules::distinct,
        time,
        words::{column_words, words},
    },
    http::{Body, Filter, MergePatch, Resource, examples, output::json::RESOURCE_SIZE},
    schema::municipalities,
};

column_words! {
    /// Which of Finnish and Swedish are official languages of a municipality, the majority's language first.
    pub enum LanguageStatus {
        /// Finnish only.
        Finnish = "fi",
        /// Both, with a Finnish-speaking majority.
        FinnishSwedish = "fi-sv",
        /// Both, with a Swedish-speaking majority.
        SwedishFinnish = "sv-fi",
        /// Swedish only.
        Swedish = "sv",
    }
}

column_words! {
    /// A Sámi language: `se` is Northern Sámi, `smn` is Inari Sámi, `sms` is Skolt Sámi.
    pub enum SamiLanguage {
        /// Northern Sámi.
        Northern = "se",
        /// Inari Sámi.
        Inari = "smn",
        /// Skolt Sámi.
        Skolt = "sms",
    }
}

impl fmt::Display for SamiLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

column_words! {
    /// The stage of a municipality's digital support.
    #[derive(Default)]
    pub enum SupportStage {
        /// Not known.
        #[default]
        Unknown = "unknown",
        /// Support is being planned.
        Planning = "planning",
        /// Support has just started.
        Starting = "starting",
        /// Support is growing.
        Developing = "developing",
        /// Support is well established, and the municipality can help others.
        Established = "established",
    }
}

/// The centre of a municipality, in WGS 84 degrees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, AsExpression, FromSqlRow)]
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

/// The fields of a municipality that callers write.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
// An update leaves out the key: an UPDATE that names it locks out the foreign keys that refer to the row.
#[diesel(table_name = municipalities, primary_key(code))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "code": "091", "name": {"fi": "Helsinki", "sv": "Helsingfors"}, "region_code": "01",
    "region_name": {"fi": "Uusimaa", "sv": "Nyland", "en": "Uusimaa"}, "language_status": "fi-sv", "sami_languages": [],
    "population": 664_028, "population_on": "2022-12-31", "support_stage": "established", "support_since": null,
    "location": {"lat": 60.16825, "lon": 24.95291}, "website": "https://www.hel.fi",
    "profile": {"fi": "Helsinki on antanut digitukea jo kahden vuosikymmenen ajan."}
}))]
pub struct MunicipalityInput {
    /// Statistics Finland's code of the municipality: three digits. It never changes.
    #[garde(dive)]
    pub code: MunicipalityCode,
    /// The official names.
    #[garde(dive)]
    pub name: LocalizedName,
    /// Statistics Finland's code of the region: two digits. Uusimaa is `01`.
    #[garde(dive)]
    pub region_code: RegionCode,
    /// The names of the region.
    #[garde(dive)]
    pub region_name: LocalizedName,
    /// Which of Finnish and Swedish are official languages, the majority's language first.
    #[garde(skip)]
    pub language_status: LanguageStatus,
    /// Which Sámi languages are official languages, each once: `se` (Northern), `smn` (Inari) and `sms` (Skolt). A `PUT`
    /// without this field leaves it unchanged.
    #[serde(default)]
    #[garde(length(max = 3), custom(distinct))]
    #[schema(value_type = BTreeSet<SamiLanguage>, max_items = 3)]
    pub sami_languages: Vec<SamiLanguage>,
    /// The number of inhabitants on the day `population_on`.
    #[garde(range(min = 0, max = 10_000_000))]
    #[schema(minimum = 0, maximum = 10_000_000)]
    pub population: i32,
    /// The day on which the population was counted, from 1900 to 2199.
    #[garde(custom(day_in_range))]
    pub population_on: NaiveDate,
    /// The stage of its digital support.
    #[serde(default)]
    #[garde(skip)]
    pub support_stage: SupportStage,
    /// The year in which its digital support began.
    #[garde(inner(range(min = 1980, max = 2199)))]
    #[schema(minimum = 1980, maximum = 2199)]
    pub support_since: Option<i32>,
    /// The centre of the municipality.
    #[garde(dive)]
    pub location: Location,
    /// The website: an http or https address of at most 2,000 characters.
    #[garde(dive)]
    pub website: Option<WebAddress>,
    /// How the municipality gives digital support, in its own words.
    #[garde(dive)]
    pub profile: Option<LocalizedDescription>,
}

fn day_in_range(day: &NaiveDate, _: &()) -> garde::Result {
    if (1900..=2199).contains(&day.year()) {
        Ok(())
    } else {
        Err(garde::Error::new("out_of_range|must be a day from 1900 to 2199"))
    }
}

/// A merge patch of a municipality.
pub type MunicipalityPatch = MergePatch<MunicipalityInput>;

impl Body for MunicipalityInput {
    const OBJECTS: &'static [&'static str] = &["/name", "/region_name", "/location", "/profile"];
    const SET_BY_SERVICE: &'static [&'static str] =
        &["successor_code", "ended_on", "version", "created_at", "updated_at"];
    const LATER: &'static [&'static str] = &["sami_languages"];
}

/// A municipality.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = municipalities)]
#[schema(example = json!(examples::stored::<MunicipalityInput>(&json!({"successor_code": null, "ended_on": null}))))]
pub struct Municipality {
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: MunicipalityInput,
    /// The code of the municipality that this one has merged into. A merger sets it.
    pub successor_code: Option<MunicipalityCode>,
    /// The day from which this municipality no longer exists. A merger sets it.
    pub ended_on: Option<NaiveDate>,
    /// The version. Every write changes it.
    #[schema(example = 42)]
    pub version: i64,
    /// When the municipality was created.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When the municipality was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
}

impl Weighed for Municipality {
    fn weight(&self) -> usize {
        let MunicipalityInput { name, region_name, profile, website, .. } = &self.fields;
        RESOURCE_SIZE
            + name.json_length()
            + region_name.json_length()
            + profile.as_ref().map_or(0, LocalizedDescription::json_length)
            + website.as_ref().map_or(0, |url| url.as_str().len())
    }
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
    /// Returns the sort key of the municipality in a list of this order.
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
        /// By code, the highest first.
        CodeDescending = "-code",
        /// By name, in Finnish alphabetical order.
        Name = "name",
        /// By name, in reverse alphabetical order.
        NameDescending = "-name",
        /// By population, the smallest first.
        Population = "population",
        /// By population, the largest first.
        PopulationDescending = "-population",
    }
}

/// The filters of a list of municipalities. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MunicipalityFilter {
    /// The stage of digital support.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub support_stage: Vec<SupportStage>,
    /// Which of Finnish and Swedish are official languages.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub language_status: Vec<LanguageStatus>,
    /// The code of the region.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub region: Vec<RegionCode>,
    /// The minimum number of inhabitants.
    #[garde(inner(range(min = 0, max = 10_000_000)))]
    #[param(minimum = 0, maximum = 10_000_000)]
    pub population_min: Option<i32>,
    /// The maximum number of inhabitants.
    #[garde(inner(range(min = 0, max = 10_000_000)))]
    #[param(minimum = 0, maximum = 10_000_000)]
    pub population_max: Option<i32>,
    /// The code of the municipality that it has merged into.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub successor: Vec<MunicipalityCode>,
    /// Whether the municipality has merged into another.
    #[garde(skip)]
    pub ended: Option<bool>,
    /// Words in names, names of regions and profiles, in any language and inflected form. The best match comes first,
    /// unless `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` reverses it. Without `q` the default is `code`.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<MunicipalitySort>,
}

impl Filter for MunicipalityFilter {}
