//! Localised texts.

use std::{borrow::Cow, fmt};

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Jsonb,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap as _,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema, Type,
        schema::{AdditionalProperties, SchemaType},
    },
};

use super::{
    jsonb::{read_jsonb, write_jsonb},
    language::CONTENT_LANGUAGES,
};

/// A text in one or several of the [`CONTENT_LANGUAGES`]. It has at least one part; no part is blank or has more than `MAX`
/// characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct LocalizedText<const MAX: usize>([Option<Box<str>>; CONTENT_LANGUAGES.len()]);

/// A name or a title: parts of at most 200 characters.
pub type LocalizedName = LocalizedText<200>;
/// A reason: parts of at most 1,000 characters.
pub type LocalizedReason = LocalizedText<1000>;
/// A longer text: parts of at most 10,000 characters.
pub type LocalizedDescription = LocalizedText<10_000>;

impl<const MAX: usize> LocalizedText<MAX> {
    /// Returns the part in this language, if there is one.
    pub fn part(&self, language: &str) -> Option<&str> {
        let index = CONTENT_LANGUAGES.iter().position(|(tag, _)| *tag == language)?;
        self.0[index].as_deref()
    }

    /// Returns the first part in the order of the [`CONTENT_LANGUAGES`]. Lists by name are sorted by it.
    pub fn first_part(&self) -> &str {
        self.parts().next().map_or("", |(_, text)| text)
    }

    /// Returns about how many bytes the text takes as JSON.
    pub fn json_length(&self) -> usize {
        self.parts().map(|(tag, text)| tag.len() + json_length(text) + 4).sum()
    }

    /// Returns the parts with their language tags, in the order of the [`CONTENT_LANGUAGES`].
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tags = CONTENT_LANGUAGES.iter().map(|(tag, _)| *tag);
        tags.zip(&self.0).filter_map(|(tag, part)| Some((tag, part.as_deref()?)))
    }
}

/// Returns how many bytes a text takes as a JSON string, without the quotation marks. A control character takes up to six.
pub fn json_length(text: &str) -> usize {
    let escapes = |byte: u8| if byte < b' ' { 5 } else { usize::from(matches!(byte, b'"' | b'\\')) };
    text.len() + text.bytes().map(escapes).sum::<usize>()
}

impl<const MAX: usize> Serialize for LocalizedText<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (tag, text) in self.parts() {
            map.serialize_entry(tag, text)?;
        }
        map.end()
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for LocalizedText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartsVisitor::<MAX>)
    }
}

struct PartsVisitor<const MAX: usize>;

impl<'de, const MAX: usize> Visitor<'de> for PartsVisitor<MAX> {
    type Value = LocalizedText<MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut text = LocalizedText::default();
        while let Some(PartKey(language)) = map.next_key()? {
            match language {
                Some(index) => text.0[index] = map.next_value::<Option<Box<str>>>()?,
                // The reader of the body reports it as an unknown field.
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(text)
    }
}

/// The key of a part, as an index into [`CONTENT_LANGUAGES`]; none when the key is unknown. A page reads hundreds of keys, and
/// to read them as strings would allocate each of them.
struct PartKey(Option<usize>);

impl<'de> Deserialize<'de> for PartKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(PartKeyVisitor)
    }
}

struct PartKeyVisitor;

impl Visitor<'_> for PartKeyVisitor {
    type Value = PartKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a language tag")
    }

    fn visit_str<E>(self, tag: &str) -> Result<PartKey, E> {
        Ok(PartKey(CONTENT_LANGUAGES.iter().position(|(known, _)| *known == tag)))
    }
}

impl<const MAX: usize> garde::Validate for LocalizedText<MAX> {
    type Context = ();

    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
        if self.parts().next().is_none() {
            let tags = CONTENT_LANGUAGES.map(|(tag, _)| tag).join(", ");
            report.append(parent(), garde::Error::new(format!("required|must have at least one of the parts {tags}")));
        }
        for (tag, text) in self.parts() {
            if text.trim().is_empty() {
                let message = "blank|must not be blank; leave the part out instead";
                report.append(parent().join(tag), garde::Error::new(message));
            } else if text.chars().count() > MAX {
                let message = format!("too_long|must have at most {MAX} characters");
                report.append(parent().join(tag), garde::Error::new(message));
            }
        }
    }
}

impl<const MAX: usize> PartialSchema for LocalizedText<MAX> {
    fn schema() -> RefOr<Schema> {
        let part = |language: &str| {
            ObjectBuilder::new()
                .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
                .description(Some(language))
                .min_length(Some(1))
                .max_length(Some(MAX))
                .pattern(Some(r"\S"))
        };
        let text = "A text in one or several languages. At least one part must be present, and no part may be blank. A part that is \
                    null counts as absent.";
        let object = ObjectBuilder::new().description(Some(text)).min_properties(Some(1));
        CONTENT_LANGUAGES
            .iter()
            .fold(object, |object, (tag, language)| object.property(*tag, part(language)))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .into()
    }
}

impl<const MAX: usize> ToSchema for LocalizedText<MAX> {
    fn name() -> Cow<'static, str> {
        match MAX {
            200 => "LocalizedName".into(),
            1000 => "LocalizedReason".into(),
            _ => "LocalizedText".into(),
        }
    }
}

impl<const MAX: usize> ToSql<Jsonb, Pg> for LocalizedText<MAX> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        write_jsonb(self, out)
    }
}

impl<const MAX: usize> FromSql<Jsonb, Pg> for LocalizedText<MAX> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        read_jsonb(&value)
    }
}
