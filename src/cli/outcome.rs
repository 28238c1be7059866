//! The outcome of a command.

use kuntatutorit::problem::Error;

/// The outcome of a command. An error is printed, and the process exits with 1.
pub(super) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Describes a failure of the library in one sentence: a terminal shows no list of errors and no `request_id`.
pub(super) fn describe(error: Error) -> Box<dyn std::error::Error> {
    match error {
        Error::Invalid(violations) => {
            let rules = violations.iter().map(|violation| {
                let field = violation.pointer.as_deref().unwrap_or_default().trim_start_matches('/');
                format!("{field}: {}", violation.detail)
            });
            rules.collect::<Vec<_>>().join("; ").into()
        }
        Error::NotFound => {
            "no client or secret has this id; `kuntatutorit client list` shows the clients and the ids of their secrets"
                .into()
        }
        Error::Unavailable => {
            "the database cannot be reached, or does not answer in time; check DATABASE_URL, and that PostgreSQL runs and \
             accepts this user, then try again"
                .into()
        }
        Error::Internal(cause) => cause,
        other => other.into(),
    }
}
