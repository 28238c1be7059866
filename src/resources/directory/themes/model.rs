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
    /// The kind of a theme.
    pub enum ThemeKind {
        /// A form in which support is given.
        Form = "form",
        /// A subject of support.
        Theme = "theme",
    }
}

/// The fields of a theme that callers write.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
// An update leaves out the key: an UPDATE that names it locks out the foreign keys that refer to the row.
#[diesel(table_name = themes, primary_key(slug))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "slug": "adult-education-centres", "kind": "form",
    "name": {"fi": "Kansalaisopistot", "sv": "Medborgarinstitut", "en": "Adult education centres"}, "parent": "training"
}))]
pub struct ThemeInput {
    /// Lower-case letters, digits and single hyphens, at most 100 characters. It never changes.
    #[garde(dive)]
    pub slug: ThemeSlug,
    /// `form` for a form in which support is given, `theme` for a subject of support.
    #[garde(skip)]
    pub kind: ThemeKind,
    /// The name.
    #[garde(dive)]
    pub name: LocalizedName,
    /// The slug of the wider theme that this theme is part of.
    #[garde(dive)]
    pub parent: Option<ThemeSlug>,
}

/// A merge patch of a theme.
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
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ThemeInput,
    /// The version. Every write changes it.
    #[schema(example = 42)]
    pub version: i64,
    /// When the theme was created.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When the theme was last written.
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
    /// Returns the sort key of the theme in a list of this order.
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
        /// By slug, in reverse order.
        SlugDescending = "-slug",
        /// By name, in Finnish alphabetical order.
        Name = "name",
        /// By name, in reverse alphabetical order.
        NameDescending = "-name",
    }
}

/// The filters of a list of themes. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ThemeFilter {
    /// The kind.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub kind: Vec<ThemeKind>,
    /// The slug of the wider theme.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub parent: Vec<ThemeSlug>,
    /// Words in names, in any language and any inflected form. The best match comes first, unless `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` reverses it. Without `q` the default is `slug`.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<ThemeSort>,
}

impl Filter for ThemeFilter {}
