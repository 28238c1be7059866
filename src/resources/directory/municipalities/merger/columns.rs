//! What a merger does with each column that holds the code of a municipality. A test compares this list with the
//! registry.

use Treatment::{Follows, Kept, Moved};

/// A column that holds the code of a municipality.
#[derive(Clone, Copy, Debug)]
pub struct MergedColumn {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What a merger does with it.
    pub treatment: Treatment,
}

/// What a merger does with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// A step writes the successor's code into the rows that are in use. The condition, in SQL, is that of the rows
    /// that keep the old code.
    Moved(&'static str),
    /// A trigger copies the column from another table.
    Follows(&'static str),
    /// Every row keeps the old code, for this reason.
    Kept(&'static str),
}

/// Every column that holds the code of a municipality.
pub const COLUMNS: &[MergedColumn] = &[
    column("accounts", "municipality_code", Moved("false")),
    column("calendar_links", "municipality_code", Moved("false")),
    column("clients", "municipality_code", Moved("false")),
    column("event_audience", "municipality_code", Follows("events")),
    column("events", "audience", Moved(HELD)),
    column("events", "host_municipality_code", Moved(HELD)),
    column("events", "venue", Moved(HELD)),
    column("feedback", "municipality_code", Kept("feedback is history")),
    column("feedback_comments", "municipality_code", Kept("feedback is history")),
    column(
        "feedback_tallies",
        "municipality_code",
        Kept("feedback is history; steps count merged municipalities as one"),
    ),
    column("feedback_tally_states", "municipality_code", Kept("feedback is history")),
    column("municipalities", "code", Kept("the row of the municipality itself")),
    column("municipalities", "successor_code", Kept("earlier mergers are history; the successors form a chain")),
    column("tutors", "municipality_code", Moved("status = 'ended'")),
];

/// The condition of the events that keep the old code.
const HELD: &str = "is_event_held(status, ends_at)";

const fn column(table: &'static str, column: &'static str, treatment: Treatment) -> MergedColumn {
    MergedColumn { table, column, treatment }
}
