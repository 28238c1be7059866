//! What messages of PostgreSQL mean that have no constraint.

/// Returns whether the message of PostgreSQL means that the session has not the prepared statements that this
/// connection made (SQLSTATE 26000 and 42P05): a connection pooler runs each transaction in another session.
pub fn is_lost_statement(message: &str) -> bool {
    message.starts_with("prepared statement \"")
        && (message.ends_with("does not exist") || message.ends_with("already exists"))
}

/// Returns whether the message of PostgreSQL means that it cannot answer at the moment: a time-out, a deadlock, a start
/// or a stop, or too many connections.
pub(super) fn is_temporary(message: &str) -> bool {
    [
        "deadlock detected",
        "canceling statement due to",
        "terminating connection",
        "the database system is",
        "sorry, too many clients",
        "remaining connection slots",
    ]
    .iter()
    .any(|start| message.starts_with(start))
}
