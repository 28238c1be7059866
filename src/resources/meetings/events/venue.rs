//! The place of an event.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{LocalizedName, MunicipalityCode, jsonb::jsonb_column, rules::not_blank};

/// The place of an event. At least one field must have a value.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    Validate,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
pub struct Venue {
    /// The name of the place.
    #[garde(dive)]
    pub name: Option<LocalizedName>,
    /// The street address and the town.
    #[garde(inner(length(chars, min = 1, max = 500), custom(not_blank)))]
    #[schema(min_length = 1, max_length = 500)]
    pub address: Option<String>,
    /// The code of the municipality that the place is in.
    #[garde(dive)]
    pub municipality_code: Option<MunicipalityCode>,
}
jsonb_column!(Venue);

#[expect(clippy::ref_option, reason = "garde passes the field by reference")]
pub(super) fn has_location(venue: &Option<Venue>, _: &()) -> garde::Result {
    if *venue == Some(Venue { name: None, address: None, municipality_code: None }) {
        return Err(garde::Error::new("required|must have a name, an address or a municipality_code; or be null"));
    }
    Ok(())
}
