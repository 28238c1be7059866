//! Reading rows up to a number of bytes, so that no result takes more memory, however long the texts are.

use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use diesel::QueryResult;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::Semaphore;

use crate::problem::{Error, Result};

/// A row whose texts can be long.
pub trait Weighed {
    /// Returns about how many bytes the row takes as JSON.
    fn weight(&self) -> usize;
}

/// A row with its rank in a search.
impl<T: Weighed> Weighed for (f32, T) {
    fn weight(&self) -> usize {
        self.1.weight()
    }
}

/// A result of more bytes than this is read with a permit.
const LARGE: usize = 1024 * 1024;
/// Limits how many large results are read at the same time. Short reads share the connection with them, and would otherwise
/// queue behind all of them.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// The mean weight of the rows that were last read from a table. It tells how many rows to request, because PostgreSQL reads
/// all rows of a statement, also those that would be too many.
#[derive(Debug)]
pub struct MeanWeight(AtomicUsize);

impl MeanWeight {
    /// Nothing was read yet.
    pub const fn unknown() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Loads at most `limit` rows with at most `most` bytes. `load` does it with a limit of rows.
    pub async fn load<T: Weighed>(
        &self,
        limit: usize,
        most: usize,
        load: impl AsyncFn(i64) -> Result<Rows<T>>,
    ) -> Result<Rows<T>> {
        let mean = self.0.load(Relaxed);
        let _permit = if mean == 0 || mean.saturating_mul(limit) > LARGE {
            Some(PERMITS.acquire().await.map_err(|error| Error::Internal(error.into()))?)
        } else {
            None
        };
        let fitting = most.checked_div(mean).unwrap_or(limit) + 1;
        let first = limit.min(fitting);
        let mut found = load(i64::try_from(first).unwrap_or(i64::MAX)).await?;
        if found.rows.len() == first && first < limit {
            // These rows are shorter than the last ones.
            drop(found);
            found = load(i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        }
        if let Some(mean) = found.rows.iter().map(Weighed::weight).sum::<usize>().checked_div(found.rows.len()) {
            self.0.store(mean, Relaxed);
        }
        Ok(found)
    }
}

/// The first rows of a result.
#[derive(Debug)]
pub struct Rows<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// True when rows are missing because all together would have too many bytes.
    pub is_cut: bool,
}

impl<T: Weighed> Rows<T> {
    /// Returns about how many bytes the rows take together.
    pub fn weight(&self) -> usize {
        self.rows.iter().map(Weighed::weight).sum()
    }

    /// Adds the rows that follow.
    pub fn extend(&mut self, following: Self) {
        self.rows.extend(following.rows);
        self.is_cut |= following.is_cut;
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, is_cut: false }
    }
}

/// Collects rows while they have at most `most` bytes together. The first row is always taken. The connection discards the
/// rows that are not read.
pub async fn rows_within<T: Weighed>(rows: impl Stream<Item = QueryResult<T>>, most: usize) -> Result<Rows<T>> {
    let mut rows = pin!(rows);
    let (mut taken, mut left) = (Vec::new(), most);
    while let Some(row) = rows.next().await {
        let row = row?;
        let weight = row.weight();
        if weight > left && !taken.is_empty() {
            return Ok(Rows { rows: taken, is_cut: true });
        }
        left = left.saturating_sub(weight);
        taken.push(row);
    }
    Ok(taken.into())
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    impl Weighed for usize {
        fn weight(&self) -> usize {
            *self
        }
    }

    async fn taken(weights: &[usize]) -> (Vec<usize>, bool) {
        let Rows { rows, is_cut } = rows_within(stream::iter(weights.iter().copied().map(Ok)), 10).await.unwrap();
        (rows, is_cut)
    }

    #[tokio::test]
    async fn rows_are_taken_up_to_the_limit_and_the_first_always() {
        assert_eq!(taken(&[]).await, (vec![], false));
        assert_eq!(taken(&[4, 6]).await, (vec![4, 6], false));
        assert_eq!(taken(&[4, 7, 1]).await, (vec![4], true));
        assert_eq!(taken(&[11]).await, (vec![11], false));
        assert_eq!(taken(&[11, 1]).await, (vec![11], true));
    }
}
