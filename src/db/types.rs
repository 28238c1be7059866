//! Types that several tables share: texts in three languages, words of a closed list, JSON columns.

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Jsonb,
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, io::Write as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema, Type,
        schema::{AdditionalProperties, SchemaType},
    },
};

/// A localised text: Finnish, Swedish and English, each part optional, at least one present, none blank,
/// each at most `MAX` characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct Localized<const MAX: usize> {
    /// Finnish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fi: Option<String>,
    /// Swedish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sv: Option<String>,
    /// English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

/// A name or a title: at most 200 characters in each language.
pub type LocalizedName = Localized<200>;
/// A reason: at most 1,000 characters in each language.
pub type LocalizedReason = Localized<1000>;
/// A longer text: at most 10,000 characters in each language.
pub type LocalizedText = Localized<10_000>;

impl<const MAX: usize> Localized<MAX> {
    /// The part in this language: `fi`, `sv` or `en`.
    pub fn part(&self, language: &str) -> Option<&str> {
        match language {
            "fi" => self.fi.as_deref(),
            "sv" => self.sv.as_deref(),
            "en" => self.en.as_deref(),
            _ => None,
        }
    }

    /// The Finnish part, else the Swedish, else the English: what a list by name is sorted by.
    pub fn sort_key(&self) -> &str {
        self.fi.as_deref().or(self.sv.as_deref()).or(self.en.as_deref()).unwrap_or_default()
    }
}

impl<const MAX: usize> garde::Validate for Localized<MAX> {
    type Context = ();

    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
        let parts = [("fi", &self.fi), ("sv", &self.sv), ("en", &self.en)];
        if parts.iter().all(|(_, part)| part.is_none()) {
            report.append(parent(), garde::Error::new("required|must have at least one of fi, sv and en"));
        }
        for (language, part) in parts {
            let Some(text) = part else { continue };
            if text.trim().is_empty() {
                report.append(
                    parent().join(language),
                    garde::Error::new("blank|must not be blank; leave it out instead"),
                );
            } else if text.chars().count() > MAX {
                let message = format!("too_long|must have at most {MAX} characters");
                report.append(parent().join(language), garde::Error::new(message));
            }
        }
    }
}

impl<const MAX: usize> PartialSchema for Localized<MAX> {
    fn schema() -> RefOr<Schema> {
        let part = |language: &str| {
            ObjectBuilder::new()
                .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
                .description(Some(language))
                .min_length(Some(1))
                .max_length(Some(MAX))
                .pattern(Some(r"\S"))
        };
        ObjectBuilder::new()
            .description(Some("A localised text: at least one of the parts, none of them blank; null is as left out."))
            .property("fi", part("Finnish"))
            .property("sv", part("Swedish"))
            .property("en", part("English"))
            .min_properties(Some(1))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .into()
    }
}

impl<const MAX: usize> ToSchema for Localized<MAX> {
    fn name() -> Cow<'static, str> {
        match MAX {
            200 => "LocalizedName".into(),
            1000 => "LocalizedReason".into(),
            _ => "LocalizedText".into(),
        }
    }
}

impl<const MAX: usize> ToSql<Jsonb, Pg> for Localized<MAX> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        write_jsonb(self, out)
    }
}

impl<const MAX: usize> FromSql<Jsonb, Pg> for Localized<MAX> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        read_jsonb(&value)
    }
}

/// Writes a value as PostgreSQL's jsonb, version 1 of its binary form.
///
/// # Errors
/// When the value is not JSON.
pub fn write_jsonb<T: Serialize>(value: &T, out: &mut Output<'_, '_, Pg>) -> serialize::Result {
    out.write_all(&[1])?;
    serde_json::to_writer(out, value)?;
    Ok(IsNull::No)
}

/// Reads a value from PostgreSQL's jsonb, version 1 of its binary form.
///
/// # Errors
/// When the JSON is not such a value.
pub fn read_jsonb<T: for<'de> Deserialize<'de>>(value: &PgValue<'_>) -> deserialize::Result<T> {
    match value.as_bytes().split_first() {
        Some((1, json)) => Ok(serde_json::from_slice(json)?),
        _ => Err("unsupported version of jsonb".into()),
    }
}

/// Makes a struct the value of a jsonb column.
macro_rules! jsonb_column {
    ($type:ty) => {
        impl diesel::serialize::ToSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $type {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                $crate::db::types::write_jsonb(self, out)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $type {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                $crate::db::types::read_jsonb(&value)
            }
        }
    };
}

/// Makes an enum whose values are words: in JSON, in the document and in a text column alike. (`$word` is a `tt`: utoipa
/// does not see through a `literal`, and would document the names of the variants.)
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// The word, as in JSON and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                std::io::Write::write_all(out, self.as_str().as_bytes())?;
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                match value.as_bytes() {
                    $(word if word == $word.as_bytes() => Ok(Self::$variant),)+
                    _ => Err(concat!("not a ", stringify!($name)).into()),
                }
            }
        }
    };
}

pub(crate) use {jsonb_column, words};
