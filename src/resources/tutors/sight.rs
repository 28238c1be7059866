//! Whose name and contact a caller sees: the one rule, for a row and for a search.

use diesel::{
    dsl::sql,
    pg::Pg,
    prelude::*,
    sql_types::{Bool, Float4, Nullable, Text},
};
use uuid::Uuid;

use super::model::{StoredTutor, Tutor, Visibility};
use crate::{
    auth::reach::{Reach, Role},
    schema::tutors::{self, dsl},
};

/// SQL about a row of the table.
pub(super) type OnTutors<ST> = Box<dyn BoxableExpression<tutors::table, Pg, SqlType = ST>>;

/// The tutors whose name and contact a caller sees: those with any of these visibilities, of this municipality, or
/// with this id.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    visibilities: &'static [Visibility],
    municipality: Option<String>,
    tutor: Option<Uuid>,
}

impl Sight {
    /// Of a caller: as `visibility` says, and all of those that it may write.
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

    /// What the caller sees of a tutor: the only way from the table to an answer.
    pub(super) fn show(&self, stored: StoredTutor) -> Tutor {
        let shown = self.visibilities.contains(&stored.fields.visibility)
            || self.municipality.as_ref() == Some(&stored.fields.municipality_code)
            || self.tutor == Some(stored.id);
        let StoredTutor { id, source, fields, version, created_at, updated_at } = stored;
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

    /// As [`Sight::show`] decides, in SQL.
    fn shown(&self) -> OnTutors<Nullable<Bool>> {
        let visible = dsl::visibility.eq_any(self.visibilities).nullable();
        let own = dsl::municipality_code.nullable().eq(self.municipality.clone());
        Box::new(visible.or(own).or(dsl::id.nullable().eq(self.tutor)))
    }

    /// Whether a row is among those that match in what the caller sees of them.
    ///
    /// The array is made once and first, as in [`crate::db::search::found`].
    pub(super) fn found(&self, q: &str) -> OnTutors<Bool> {
        Box::new(
            sql::<Bool>("id = any(array(with asked as materialized (select search_query(")
                .bind::<Text, _>(q.to_owned())
                .sql(") as q) select id from tutors where search @@ (select q from asked) or (")
                .sql("search_with_name @@ (select q from asked) and (")
                .bind::<Nullable<Bool>, _>(self.shown())
                .sql("))))"),
        )
    }

    /// How well what the caller sees of a row matches: more is better.
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
