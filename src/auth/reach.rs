//! How far a caller reaches: what it sees and what it may change.
//!
//! Reading is network-wide, writing is bound. A reach is an argument of every query, so that a handler
//! that forgot it would not compile.

use uuid::Uuid;

use crate::{
    db::types::words,
    problem::{Error, Result},
};

/// The `source` of what people write through the service itself.
pub const OWN_SOURCE: &str = "kuntatutorit";

words! {
    /// What a caller is to the network.
    pub enum Role {
        /// Nobody in particular: reads published, non-personal data where `PUBLIC_READ` is on.
        Anonymous = "anonymous",
        /// A tutor: writes its own profile, its municipality's events, feedback as a tutor.
        Tutor = "tutor",
        /// A municipality: writes its own fields, its tutors and events, feedback as a participant.
        Municipality = "municipality",
        /// A partner system: writes within its scopes, for its municipality or for the whole region.
        Partner = "partner",
        /// The coordinator: reads and writes everything.
        Coordinator = "coordinator",
    }
}

/// Who the caller is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Not signed in.
    Anonymous,
    /// A person's account.
    Account(Uuid),
    /// A partner system, with the source of all that it makes.
    Client {
        /// Its client id.
        id: Uuid,
        /// Fixed for each client, never chosen by it.
        source: String,
    },
}

impl Identity {
    /// The `source` of what this caller makes.
    pub fn source(&self) -> &str {
        match self {
            Self::Client { source, .. } => source,
            Self::Account(_) | Self::Anonymous => OWN_SOURCE,
        }
    }

    /// As the ledger of changes and the log name it; nothing personal.
    pub fn actor(&self) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::Account(id) => Some(format!("account:{id}")),
            Self::Client { id, .. } => Some(format!("client:{id}")),
        }
    }
}

/// How far a caller reaches with the scope that it called with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    /// What the caller is to the network.
    pub role: Role,
    /// Who the caller is.
    pub identity: Identity,
    /// The municipality that it acts for; none for the coordinator and for a partner of the whole region.
    pub municipality: Option<String>,
    /// The tutor that it is.
    pub tutor: Option<Uuid>,
    /// Whether it holds `contacts:read`.
    pub contacts: bool,
    /// Whether it holds the scope to change the kind of thing that it called for.
    pub writes: bool,
}

impl Reach {
    /// Of the command line: whoever can start it reaches the database anyhow.
    pub fn of_command_line() -> Self {
        Self {
            role: Role::Coordinator,
            identity: Identity::Anonymous,
            municipality: None,
            tutor: None,
            contacts: true,
            writes: true,
        }
    }

    /// The caller with all that decides what it sees and changes: another text as soon as its rights change.
    pub fn key(&self) -> String {
        let Self { role, identity, municipality, tutor, contacts, writes } = self;
        let (actor, municipality) = (identity.actor().unwrap_or_default(), municipality.as_deref().unwrap_or_default());
        let (tutor, role) = (tutor.map(|id| id.to_string()).unwrap_or_default(), role.as_str());
        format!("{actor} {role} {municipality} {tutor} {contacts} {writes}")
    }

    /// Whether the caller is the coordinator.
    pub fn is_coordinator(&self) -> bool {
        self.role == Role::Coordinator
    }

    /// Whether the caller may write what belongs to this municipality; `None` is the network itself.
    pub fn writes_for(&self, owner: Option<&str>) -> bool {
        self.writes
            && match self.role {
                Role::Coordinator => true,
                Role::Anonymous => false,
                Role::Partner if self.municipality.is_none() => owner.is_some(),
                Role::Partner | Role::Municipality | Role::Tutor => {
                    owner.is_some() && owner == self.municipality.as_deref()
                }
            }
    }

    /// Passes when the caller may write what belongs to this municipality.
    ///
    /// # Errors
    /// [`Error::OutOfReach`], which names the municipality.
    pub fn require_writes_for(&self, owner: Option<&str>) -> Result<()> {
        if self.writes_for(owner) {
            return Ok(());
        }
        Err(Error::OutOfReach(match owner {
            Some(code) => format!("this belongs to the municipality {code}, which you do not write for"),
            None => "this belongs to the network itself, which only the coordinator writes for".to_owned(),
        }))
    }

    /// Passes for the coordinator.
    ///
    /// # Errors
    /// [`Error::OutOfReach`], which says what is the coordinator's.
    pub fn require_coordinator(&self, what: &str) -> Result<()> {
        if self.is_coordinator() { Ok(()) } else { Err(Error::OutOfReach(format!("{what} is the coordinator's"))) }
    }
}
