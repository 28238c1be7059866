//! Search with the SQL functions `search_query` and `search_rank` of the migration `search`.
//!
//! Both are asked in a subquery of their own, so that PostgreSQL evaluates them once and not for each row.

use diesel::{
    ExpressionMethods as _,
    dsl::{AsExprOf, Desc, sql},
    expression::{SqlLiteral, UncheckedBind},
    sql_types::{Bool, Float4, SingleValue, SqlType, Text},
};

/// SQL around one bound text.
pub(crate) type Asked<ST> = SqlLiteral<ST, UncheckedBind<SqlLiteral<ST>, AsExprOf<String, Text>>>;

/// Whether a row is among those that match: `keys` is such as
/// `code = any(array(select code from municipalities where search @@`, and ends with the query's place.
///
/// The array is made once and first. Without that fence PostgreSQL may walk an index in the order of the page
/// and search each row on its way.
pub(crate) fn found(keys: &'static str, q: &str) -> Asked<Bool> {
    asked(keys, q, "))))")
}

/// How well a row's `search` matches: more is better.
pub(crate) fn rank(document: &'static str, q: &str) -> Asked<Float4> {
    asked(document, q, ")))")
}

/// The best match first, of a query whose first column is the [`rank`]: to name it again would be to search again.
pub(crate) fn by_first_column() -> Desc<SqlLiteral<Float4>> {
    sql::<Float4>("1").desc()
}

fn asked<ST: SqlType + SingleValue>(before: &str, q: &str, after: &str) -> Asked<ST> {
    sql::<ST>(&format!("{before} (select search_query(")).bind::<Text, _>(q.to_owned()).sql(after)
}
