//! The shapes of a theme.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        LocalizedName, ThemeSlug, time,
        words::{column_words, words},
    },
    http::{Body, Filter, MergePatch, Resource, examples},
    schema::themes,
};

column_words! {
    /// Whether it is a way to give support, or what support is about.
    pub enum ThemeKind {
        /// A way to give support.
        Form = "form",
        /// What support is about.
        Theme = "theme",
    }
}

/// The fields of a theme that are written.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = themes, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "slug": "adult-education-centres", "kind": "form",
    "name": {"fi": "Kansalaisopistot", "sv": "Medborgarinstitut", "en": "Adult education centres"}, "parent": "training"
}))]
pub struct ThemeInput {
    /// Lower-case letters, digits and single hyphens, fixed for good.
    #[garde(dive)]
    pub slug: ThemeSlug,
    /// Whether it is a way to give support, or what support is about.
    #[garde(skip)]
    pub kind: ThemeKind,
    /// What it is called.
    #[garde(dive)]
    pub name: LocalizedName,
    /// The slug of the wider theme that it is part of; never of one that is part of it.
    #[garde(dive)]
    pub parent: Option<ThemeSlug>,
}

/// What may change of it.
pub type ThemePatch = MergePatch<ThemeInput>;

impl Body for ThemeInput {
    const OBJECTS: &'static [&'static str] = &["/name"];
    const SET_BY_SERVICE: &'static [&'static str] = &["version", "created_at", "updated_at"];
}

/// A theme.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = themes)]
#[schema(example = json!(examples::stored::<ThemeInput>(&serde_json::json!({}))))]
pub struct Theme {
    /// What is written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ThemeInput,
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

impl Resource for Theme {
    const COLLECTION: &'static str = "/v1/themes";

    fn key(&self) -> String {
        self.fields.slug.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }
}

impl Theme {
    /// What a list in this order is sorted by.
    pub fn sort_key(&self, sort: ThemeSort) -> serde_json::Value {
        let ThemeInput { slug, name, .. } = &self.fields;
        match sort {
            ThemeSort::Slug | ThemeSort::SlugDescending => json!(slug),
            ThemeSort::Name | ThemeSort::NameDescending => json!([name.first_part(), slug]),
        }
    }
}

words! {
    /// The order of a list of themes.
    #[derive(Default)]
    pub enum ThemeSort {
        /// By slug.
        #[default]
        Slug = "slug",
        /// By slug, the last first.
        SlugDescending = "-slug",
        /// By name, as Finnish sorts.
        Name = "name",
        /// By name, the last first.
        NameDescending = "-name",
    }
}

/// Which themes, in which order.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ThemeFilter {
    /// Forms or themes; repeat it for both.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub kind: Vec<ThemeKind>,
    /// Words in names, in any of the three languages; the best match comes first unless `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` turns it round. By `slug` unless there is a `q`.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<ThemeSort>,
}

impl Filter for ThemeFilter {}
