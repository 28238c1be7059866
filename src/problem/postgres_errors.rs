//! What errors of PostgreSQL mean for the caller.

use std::borrow::Cow;

use diesel::result::{
    DatabaseErrorInformation,
    DatabaseErrorKind::{
        self, CheckViolation, ClosedConnection, ForeignKeyViolation, ReadOnlyTransaction, RestrictViolation,
        UnableToSendCommand, UniqueViolation,
    },
    Error::{BrokenTransactionManager, DatabaseError, NotFound},
};

use super::{constraints, error::Error};

impl Error {
    /// Converts the failure of a deletion. A row that other rows refer to is a conflict, not invalid input.
    pub fn on_delete(error: diesel::result::Error) -> Self {
        match &error {
            DatabaseError(ForeignKeyViolation, _) => Self::InUse {
                detail: "delete or change them first, or end or cancel this one instead",
                references: Vec::new(),
            },
            _ => error.into(),
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        match &error {
            NotFound => Self::NotFound,
            BrokenTransactionManager | DatabaseError(ClosedConnection | UnableToSendCommand, _) => Self::Unavailable,
            DatabaseError(ReadOnlyTransaction, _) => {
                tracing::warn!("PostgreSQL accepts only reads; a failover has begun, or its disk is full");
                Self::Unavailable
            }
            DatabaseError(kind, info) => match of_constraint(kind, &**info) {
                Some(broken) => broken,
                None if is_temporary(info.message()) => Self::Unavailable,
                None if is_lost_statement(info.message()) => {
                    tracing::error!(
                        "a connection pooler between the service and PostgreSQL lost a prepared statement; set its \
                         pool_mode to session"
                    );
                    Self::Unavailable
                }
                None => Self::Internal(error.into()),
            },
            _ => Self::Internal(error.into()),
        }
    }
}

/// Returns the failure when a caller broke this constraint; none when it is not the caller's.
fn of_constraint(kind: &DatabaseErrorKind, info: &dyn DatabaseErrorInformation) -> Option<Error> {
    let rule = constraints::find(info.constraint_name()?)?;
    match kind {
        UniqueViolation | RestrictViolation => {
            Some(Error::Conflict { code: rule.constraint.into(), detail: (&*rule.detail).into() })
        }
        CheckViolation | ForeignKeyViolation => {
            // A trigger that several columns use tells the column and what to do.
            let is_shared = rule.constraint == constraints::MUNICIPALITY_ENDED;
            let column = info.column_name().filter(|_| is_shared).map(|column| format!("/{column}"));
            let detail = info.details().filter(|_| is_shared).map(|detail| Cow::Owned(detail.to_owned()));
            Some(Error::at(
                column.unwrap_or_else(|| rule.pointer.to_string()),
                rule.constraint,
                detail.unwrap_or_else(|| (&*rule.detail).into()),
            ))
        }
        _ => None,
    }
}

/// Returns whether the message of PostgreSQL means that the session does not have the prepared statements that this
/// connection made (SQLSTATE 26000 and 42P05): a connection pooler runs each transaction in another session.
pub fn is_lost_statement(message: &str) -> bool {
    message.starts_with("prepared statement \"")
        && (message.ends_with("does not exist") || message.ends_with("already exists"))
}

/// Returns whether the message of PostgreSQL means that it cannot answer at the moment: a time-out, a deadlock, a start
/// or a stop, or too many connections.
fn is_temporary(message: &str) -> bool {
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
