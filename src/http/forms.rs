//! Forms of text, for the document: what the rules of input ask of a code, a slug, a tag. No value has these types.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

macro_rules! forms {
    ($($(#[doc = $doc:literal])+ $name:ident = $least:literal to $most:literal, $pattern:expr, $example:literal;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug)]
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .description(Some(concat!($($doc),+).trim_start()))
                        .min_length(Some($least))
                        .max_length(Some($most))
                        .pattern($pattern)
                        .examples([$example])
                        .into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )+
    };
}

const ANY: Option<&str> = None;

forms! {
    /// Statistics Finland's code of a municipality.
    MunicipalityCode = 3 to 3, Some("^[0-9]{3}$"), "049";
    /// Statistics Finland's code of a region.
    RegionCode = 2 to 2, Some("^[0-9]{2}$"), "01";
    /// The slug of a theme.
    ThemeSlug = 1 to 100, Some("^[a-z0-9]+(-[a-z0-9]+)*$"), "email";
    /// A BCP 47 tag of a language.
    LanguageTag = 2 to 15, Some("^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"), "fi";
    /// The system that made it.
    SourceName = 1 to 50, ANY, "espoo-calendar";
    /// The key in the system that made it.
    ExternalId = 1 to 200, ANY, "order-4711";
    /// An e-mail address, in any case.
    EmailAddress = 3 to 254, ANY, "digituki@example.org";
    /// The code of a municipality, or `region` for what is for all of them.
    Audience = 3 to 6, Some("^([0-9]{3}|region)$"), "region";
}
