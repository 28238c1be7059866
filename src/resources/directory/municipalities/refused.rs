//! The codes of municipalities that a write cannot name: those of no municipality, and those of municipalities that
//! have ended. Triggers of the tables refuse them too, when a municipality ends at the same time.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::{
    db::{Conn, sql_functions::current_municipality},
    domain::MunicipalityCode,
    problem::{Result, Violation, constraints},
    schema::municipalities::{self, dsl},
};

/// The codes in a body that a write cannot name.
#[derive(Debug, Default)]
pub struct Refused {
    unknown: Vec<MunicipalityCode>,
    ended: Vec<Ended>,
}

/// A municipality that has ended.
#[derive(Debug, Queryable)]
struct Ended {
    code: MunicipalityCode,
    on: Option<NaiveDate>,
    current: MunicipalityCode,
}

impl Refused {
    /// Returns the codes among these that a write cannot name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn among(mut conn: &Conn, codes: &[MunicipalityCode]) -> Result<Self> {
        if codes.is_empty() {
            return Ok(Self::default());
        }
        let query =
            municipalities::table.filter(dsl::code.eq_any(codes)).select((dsl::code, dsl::ended_on.is_not_null()));
        let found: Vec<(MunicipalityCode, bool)> = query.load(&mut conn).await?;
        let is_known = |code: &&MunicipalityCode| found.iter().any(|(known, _)| known == *code);
        let unknown = codes.iter().filter(|code| !is_known(code)).cloned().collect();
        let ended: Vec<_> = found.into_iter().filter(|(_, has_ended)| *has_ended).map(|(code, _)| code).collect();
        let ended = if ended.is_empty() {
            Vec::new()
        } else {
            let query = municipalities::table.filter(dsl::code.eq_any(ended));
            query.select((dsl::code, dsl::ended_on, current_municipality(dsl::code))).load(&mut conn).await?
        };
        Ok(Self { unknown, ended })
    }

    /// Returns the violation of a field with this code, if the code is refused. `exists` is the rule that the
    /// municipality must exist, which also names the field.
    pub fn violation(&self, code: Option<&MunicipalityCode>, exists: &str) -> Option<Violation> {
        let code = code?;
        if self.unknown.contains(code) {
            return Violation::of_rule(exists);
        }
        let pointer = &*constraints::find(exists)?.pointer;
        self.ended.iter().find(|ended| ended.code == *code).map(|ended| ended.violation_at(pointer))
    }

    /// Returns a violation for each refused item of a list.
    pub fn violations_of_items(&self, items: &[MunicipalityCode], exist: &str) -> Vec<Violation> {
        let unknown = Violation::of_items(exist, items, &self.unknown);
        let pointer = constraints::find(exist).map_or("", |rule| &*rule.pointer);
        let ended = items.iter().enumerate().filter_map(|(index, code)| {
            let ended = self.ended.iter().find(|ended| ended.code == *code)?;
            Some(ended.violation_at(&format!("{pointer}/{index}")))
        });
        unknown.chain(ended).collect()
    }
}

impl Ended {
    fn violation_at(&self, pointer: &str) -> Violation {
        let Self { code, on, current } = self;
        let on = on.map(|on| format!(" on {on}")).unwrap_or_default();
        let detail = format!("the municipality {code} ended{on}; use {current}, which it has merged into");
        Violation::at(pointer, constraints::MUNICIPALITY_ENDED, detail)
    }
}
