//! The reference data: the real municipalities, themes, tutors and events of the programme.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::de::DeserializeOwned;

use crate::{
    db::Conn,
    problem::{Error, Result},
    resources::municipalities::model::MunicipalityInput,
    schema::municipalities,
};

/// How many of each the data set has.
#[derive(Debug)]
pub struct Seeded {
    /// Municipalities.
    pub municipalities: usize,
}

/// Loads the reference data into an empty database; does nothing in another one. Call it in a transaction.
///
/// # Errors
/// When the database is away.
pub async fn load(mut conn: &Conn) -> Result<Option<Seeded>> {
    let rows: i64 = municipalities::table.count().get_result(&mut conn).await?;
    if rows > 0 {
        return Ok(None);
    }
    let municipalities: Vec<MunicipalityInput> = parse(include_str!("../data/municipalities.json"))?;
    let seeded = Seeded { municipalities: municipalities.len() };
    diesel::insert_into(municipalities::table).values(municipalities).execute(&mut conn).await?;
    Ok(Some(seeded))
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<Vec<T>> {
    serde_json::from_str(json).map_err(|error| Error::Internal(error.into()))
}

impl std::fmt::Display for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} municipalities", self.municipalities)
    }
}
