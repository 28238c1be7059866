//! Which tutors' names and contacts a caller sees: one rule, for rows and for searches.

use diesel::{
    dsl::sql,
    pg::Pg,
    prelude::*,
    sql_types::{Bool, Float4, Nullable, Text},
};
use uuid::Uuid;

use super::model::{Tutor, TutorRow, Visibility};
use crate::{
    auth::reach::Reach,
    domain::{MunicipalityCode, Role},
    schema::tutors::{self, dsl},
};

/// An SQL expression on a row of `tutors`.
pub(super) type OnTutors<ST> = Box<dyn BoxableExpression<tutors::table, Pg, SqlType = ST>>;

/// The tutors whose name and contact a caller sees: those with one of these visibilities, those of this municipality, and
/// the tutor with this id. Every caller sees the other fields of all tutors.
#[derive(Clone, Debug)]
pub(super) struct ContactVisibility {
    visibilities: &'static [Visibility],
    municipality: Option<MunicipalityCode>,
    tutor: Option<Uuid>,
}

impl ContactVisibility {
    /// Returns the tutors whose name and contact this caller sees: those that `visibility` allows, and those that the
    /// caller may write.
    pub(super) fn of(reach: &Reach) -> Self {
        let writes_all = reach.writes && reach.role == Role::Partner && reach.municipality.is_none();
        let visibilities: &[_] = if reach.is_coordinator() || writes_all {
            &[Visibility::Public, Visibility::Network, Visibility::Coordinator]
        } else if reach.contacts {
            &[Visibility::Public, Visibility::Network]
        } else {
            &[Visibility::Public]
        };
        let (municipality, tutor) = match reach.role {
            Role::Municipality | Role::Partner if reach.writes => (reach.municipality.clone(), None),
            Role::Tutor => (None, reach.tutor),
            _ => (None, None),
        };
        Self { visibilities, municipality, tutor }
    }

    /// Returns a tutor as the caller sees it. No other function creates a [`Tutor`] from a stored row.
    pub(super) fn view(&self, row: TutorRow) -> Tutor {
        let shown = self.visibilities.contains(&row.fields.visibility)
            || self.municipality.as_ref() == Some(&row.fields.municipality_code)
            || self.tutor == Some(row.id);
        let TutorRow { id, source, fields, version, created_at, updated_at } = row;
        Tutor {
            id,
            source,
            external_id: fields.external_id,
            name: shown.then_some(fields.name),
            title: fields.title,
            municipality_code: fields.municipality_code,
            perspective: fields.perspective,
            themes: fields.themes,
            languages: fields.languages,
            status: fields.status,
            contact: fields.contact.filter(|_| shown),
            visibility: fields.visibility,
            version,
            created_at,
            updated_at,
        }
    }

    /// Returns the rule of [`Self::view`] as SQL.
    fn shown(&self) -> OnTutors<Nullable<Bool>> {
        let visible = dsl::visibility.eq_any(self.visibilities).nullable();
        let own = dsl::municipality_code.nullable().eq(self.municipality.clone());
        Box::new(visible.or(own).or(dsl::id.nullable().eq(self.tutor)))
    }

    /// Returns the condition that a row matches a search in the fields that the caller sees of it.
    ///
    /// The array makes PostgreSQL run the search once and first, as in [`crate::db::search::found`].
    pub(super) fn found(&self, q: &str) -> OnTutors<Bool> {
        Box::new(
            sql::<Bool>("id = any(array(with query as materialized (select search_query(")
                .bind::<Text, _>(q.to_owned())
                .sql(") as q) select id from tutors where search @@ (select q from query) or (")
                .sql("search_with_name @@ (select q from query) and (")
                .bind::<Nullable<Bool>, _>(self.shown())
                .sql("))))"),
        )
    }

    /// Returns how well the fields that the caller sees of a row match a search. A better match has a higher rank.
    pub(super) fn rank(&self, q: &str) -> OnTutors<Float4> {
        Box::new(
            sql::<Float4>("search_rank(case when ")
                .bind::<Nullable<Bool>, _>(self.shown())
                .sql(" then search_with_name else search end, (select search_query(")
                .bind::<Text, _>(q.to_owned())
                .sql(")))"),
        )
    }
}
