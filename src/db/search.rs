//! Full-text search with the SQL functions `search_query` and `search_rank`, which the migration `search` creates.
//!
//! Each statement calls `search_query` in a subquery, so that PostgreSQL evaluates it once and not for each row.

use diesel::{
    ExpressionMethods as _,
    dsl::{AsExprOf, Desc, sql},
    expression::{SqlLiteral, UncheckedBind},
    sql_types::{Bool, Float4, SingleValue, SqlType, Text},
};

/// SQL that contains the text of the search as a bind parameter.
pub(crate) type SearchExpression<ST> = SqlLiteral<ST, UncheckedBind<SqlLiteral<ST>, AsExprOf<String, Text>>>;

/// Returns the condition that a row matches the search `q`. `keys` is SQL up to the search query, such as
/// `code = any(array(select code from municipalities where search @@`.
///
/// PostgreSQL computes the array once, before anything else. Without it, PostgreSQL may walk an index in the order of the
/// page and search each row on the way.
pub(crate) fn found(keys: &'static str, q: &str) -> SearchExpression<Bool> {
    with_search_query(keys, q, "))))")
}

/// Returns how well a row matches the search `q`; a higher rank is better. `document` is SQL up to the search query, such as
/// `search_rank(search,`.
pub(crate) fn rank(document: &'static str, q: &str) -> SearchExpression<Float4> {
    with_search_query(document, q, ")))")
}

/// Orders by the first column of the query, the highest value first. The column is the [`rank`]: PostgreSQL would search
/// again if the order repeated the expression.
pub(crate) fn by_first_column() -> Desc<SqlLiteral<Float4>> {
    sql::<Float4>("1").desc()
}

fn with_search_query<ST: SqlType + SingleValue>(before: &str, q: &str, after: &str) -> SearchExpression<ST> {
    sql::<ST>(&format!("{before} (select search_query(")).bind::<Text, _>(q.to_owned()).sql(after)
}
