//! What can be wrong with connection parameters.

/// What is wrong with connection parameters: a clause that follows the name of the setting. It contains no secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ParameterError(pub(super) String);
