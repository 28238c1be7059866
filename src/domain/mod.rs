//! Values that several resources share. Each type owns its rule (the validation) and its schema; PostgreSQL has the same
//! rule once more, as a function that the constraints use, and a test compares the two.

pub mod codes;
pub mod contact;
pub(crate) mod jsonb;
pub mod language;
pub mod localized_text;
pub mod names;
pub mod role;
pub mod rules;
pub(crate) mod text_value;
pub mod time;
pub mod transitions;
pub(crate) mod words;

pub use self::{
    codes::{MunicipalityCode, RegionCode},
    contact::{EmailAddress, PhoneNumber, WebAddress},
    language::LanguageTag,
    localized_text::{LocalizedDescription, LocalizedName, LocalizedReason},
    names::{ExternalId, SourceName, ThemeSlug},
    role::Role,
};
