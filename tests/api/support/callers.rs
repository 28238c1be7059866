//! The kinds of callers. Those that act for a municipality act for Espoo (049).

use kuntatutorit::{auth::scopes, domain::Role};

use super::{Server, client::Client, rows::ID};

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Caller {
    Anonymous,
    Tutor,
    Municipality,
    /// A partner system that acts for a municipality.
    BoundPartner,
    /// A partner system that acts for the whole region.
    RegionalPartner,
    Coordinator,
}

impl Caller {
    pub(crate) const ALL: [Self; 6] = [
        Self::Anonymous,
        Self::Tutor,
        Self::Municipality,
        Self::BoundPartner,
        Self::RegionalPartner,
        Self::Coordinator,
    ];

    pub(crate) fn role(self) -> Role {
        match self {
            Self::Anonymous => Role::Anonymous,
            Self::Tutor => Role::Tutor,
            Self::Municipality => Role::Municipality,
            Self::BoundPartner | Self::RegionalPartner => Role::Partner,
            Self::Coordinator => Role::Coordinator,
        }
    }

    /// Returns such a caller with every scope of its role. The tutor's profile does not exist.
    pub(crate) fn client(self, server: &Server) -> Client {
        self.client_without(server, "")
    }

    /// Returns such a caller, and of the partner systems one without this scope.
    pub(crate) fn client_without(self, server: &Server, scope: &str) -> Client {
        let held = scopes::of_role(Role::Partner).filter(|held| *held != scope).collect::<Vec<_>>().join(" ");
        match self {
            Self::Anonymous => server.anonymous(),
            Self::Tutor => server.tutor("049", ID),
            Self::Municipality => server.municipality("049"),
            Self::BoundPartner => server.partner("espoo-calendar", &held, Some("049")),
            Self::RegionalPartner => server.partner("whole-region", &held, None),
            Self::Coordinator => server.coordinator(),
        }
    }
}
