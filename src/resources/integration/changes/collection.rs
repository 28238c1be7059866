//! The collections that the change ledger records. They follow from the registry.

use std::borrow::Cow;

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Text,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use crate::registry::{self, ledger_collections};

/// A collection that the change ledger records.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct LedgerCollection(&'static registry::Collection);

impl LedgerCollection {
    /// Returns every collection that the ledger records.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        ledger_collections().map(Self)
    }

    /// Returns the name of the collection, as in its path.
    pub(super) fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the scope that a caller needs to see the changes: the one that reads the collection.
    pub(super) fn scope(self) -> &'static str {
        self.0.read.name
    }

    fn named(name: &str) -> Option<Self> {
        Self::all().find(|collection| collection.name() == name)
    }
}

impl PartialEq for LedgerCollection {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Serialize for LedgerCollection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for LedgerCollection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let names = Self::all().map(Self::name).collect::<Vec<_>>().join(", ");
            D::Error::custom(format!("invalid_value|must be one of {names}"))
        })
    }
}

impl PartialSchema for LedgerCollection {
    fn schema() -> RefOr<Schema> {
        let text = "A collection that the change ledger records, as in its path.";
        let names: Vec<_> = Self::all().map(Self::name).collect();
        ObjectBuilder::new().schema_type(Type::String).description(Some(text)).enum_values(Some(names)).into()
    }
}

impl ToSchema for LedgerCollection {
    fn name() -> Cow<'static, str> {
        "Collection".into()
    }
}

impl ToSql<Text, Pg> for LedgerCollection {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Text, Pg>::to_sql(self.0.name, out)
    }
}

impl FromSql<Text, Pg> for LedgerCollection {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let name = <String as FromSql<Text, Pg>>::from_sql(value)?;
        Self::named(&name).ok_or_else(|| format!("the ledger has the unknown collection {name}").into())
    }
}
