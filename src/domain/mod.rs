//! Values that several resources share. Each type owns its validation rule and its schema. PostgreSQL repeats the rule in a
//! function that its constraints use.

pub mod codes;
pub mod contact;
pub(crate) mod jsonb;
pub mod language;
pub mod lifetimes;
pub mod localized_text;
pub mod names;
pub mod role;
pub mod rules;
pub(crate) mod text_value;
pub mod time;
pub mod transitions;
pub mod unique_keys;
pub(crate) mod words;

pub use self::{
    codes::{MunicipalityCode, RegionCode},
    contact::{EmailAddress, PhoneNumber, WebAddress},
    language::LanguageTag,
    localized_text::{LocalizedDescription, LocalizedName, LocalizedReason},
    names::{ExternalId, SourceName, ThemeSlug},
    role::Role,
};
