//! Keyset paging: the rows after the last one of the page before, found in an index and never counted.

/// Orders a boxed query by one or two columns and starts it after the page's cursor.
///
/// Two columns are compared as `a >= x AND (a > x OR b > y)`, which an index on both finds at once; a plain
/// `OR` would scan up to the cursor.
macro_rules! keyset {
    ($query:expr, $page:expr, ascending, $a:path: $A:ty) => {{
        let query = $query.order($a.asc());
        match $page.after::<$A>()? {
            Some(a) => query.filter($a.gt(a)),
            None => query,
        }
    }};
    ($query:expr, $page:expr, descending, $a:path: $A:ty) => {{
        let query = $query.order($a.desc());
        match $page.after::<$A>()? {
            Some(a) => query.filter($a.lt(a)),
            None => query,
        }
    }};
    ($query:expr, $page:expr, ascending, $a:path: $A:ty, $b:path: $B:ty) => {{
        let query = $query.order(($a.asc(), $b.asc()));
        match $page.after::<($A, $B)>()? {
            Some((a, b)) => query.filter($a.ge(a.clone())).filter($a.gt(a).or($b.gt(b))),
            None => query,
        }
    }};
    ($query:expr, $page:expr, descending, $a:path: $A:ty, $b:path: $B:ty) => {{
        let query = $query.order(($a.desc(), $b.desc()));
        match $page.after::<($A, $B)>()? {
            Some((a, b)) => query.filter($a.le(a.clone())).filter($a.lt(a).or($b.lt(b))),
            None => query,
        }
    }};
}

/// Filters a boxed query by any of these values, unless there are none.
///
/// One value is asked for with `=`: an index on the column and the sort key then has the rows in the page's order,
/// which it has not for `= any`.
macro_rules! any_of {
    ($query:expr, $column:path, $values:expr) => {
        match &$values[..] {
            [] => $query,
            [one] => $query.filter($column.eq(one.clone())),
            several => $query.filter($column.eq_any(several.to_vec())),
        }
    };
}

pub(crate) use {any_of, keyset};
