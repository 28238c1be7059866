//! Reach: what a caller sees and what it may change.
//!
//! Reading covers the whole network, writing only the caller's municipality. The reach is an argument of every query, so a
//! handler that forgets it does not compile.

use uuid::Uuid;

use super::tokens::claims::Claims;
use crate::{
    domain::{MunicipalityCode, Role, names::OWN_SOURCE},
    problem::{Error, Result},
};

/// The identity of a caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The caller has no token.
    Anonymous,
    /// A person's account.
    Account(Uuid),
    /// A partner system.
    Client {
        /// The id of the client.
        id: Uuid,
        /// The source of everything that the client creates. It is fixed for each client, which never chooses it.
        source: String,
    },
}

impl Identity {
    /// Returns the identity that the claims of a token name; none when its subject is not an id.
    pub fn of(claims: &Claims) -> Option<Self> {
        let id = Uuid::try_parse(&claims.sub).ok()?;
        Some(match &claims.source {
            Some(source) => Self::Client { id, source: source.clone() },
            None => Self::Account(id),
        })
    }

    /// Returns the `source` of what this caller creates.
    pub fn source(&self) -> &str {
        match self {
            Self::Client { source, .. } => source,
            Self::Account(_) | Self::Anonymous => OWN_SOURCE,
        }
    }

    /// Returns the name of the caller in the change ledger and in the log. It has no personal data.
    pub fn actor(&self) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::Account(id) => Some(format!("account:{id}")),
            Self::Client { id, .. } => Some(format!("client:{id}")),
        }
    }
}

/// The rows that a caller sees and may change in an operation, under the scope of that operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    /// The role of the caller in the network.
    pub role: Role,
    /// The identity of the caller.
    pub identity: Identity,
    /// The municipality that the caller acts for; none for the coordinator and for a partner system of the whole
    /// region.
    pub municipality: Option<MunicipalityCode>,
    /// The tutor whose account the caller uses.
    pub tutor: Option<Uuid>,
    /// Whether the caller holds `contacts:read`.
    pub contacts: bool,
    /// Whether the caller also holds the write scope of the collection.
    pub writes: bool,
}

impl Reach {
    /// Returns the reach of the command line, which may do everything: anyone who can run it can also access the
    /// database.
    pub fn of_command_line() -> Self {
        Self { role: Role::Coordinator, contacts: true, writes: true, ..Self::anonymous() }
    }

    /// Returns the reach of a caller without a token.
    pub fn anonymous() -> Self {
        Self {
            role: Role::Anonymous,
            identity: Identity::Anonymous,
            municipality: None,
            tutor: None,
            contacts: false,
            writes: false,
        }
    }

    /// Returns a text that identifies the caller and everything that determines what it sees and may change.
    pub fn key(&self) -> String {
        let Self { role, identity, municipality, tutor, contacts, writes } = self;
        let actor = identity.actor().unwrap_or_default();
        let municipality = municipality.as_ref().map_or("", MunicipalityCode::as_str);
        let tutor = tutor.map(|id| id.to_string()).unwrap_or_default();
        format!("{actor} {} {municipality} {tutor} {contacts} {writes}", role.as_str())
    }

    /// Returns whether the caller is the coordinator.
    pub fn is_coordinator(&self) -> bool {
        self.role == Role::Coordinator
    }

    /// Returns whether the caller may write resources of this municipality, or of the network itself when there is
    /// none.
    pub fn writes_for(&self, owner: Option<&MunicipalityCode>) -> bool {
        self.writes
            && match self.role {
                Role::Coordinator => true,
                Role::Anonymous => false,
                Role::Partner if self.municipality.is_none() => owner.is_some(),
                Role::Partner | Role::Municipality | Role::Tutor => {
                    owner.is_some() && owner == self.municipality.as_ref()
                }
            }
    }

    /// Refuses a caller that may not write for this municipality, or for the network itself when there is none.
    ///
    /// # Errors
    /// [`Error::OutOfReach`], which names the municipality.
    pub fn require_writes_for(&self, owner: Option<&MunicipalityCode>) -> Result<()> {
        if self.writes_for(owner) {
            return Ok(());
        }
        Err(Error::OutOfReach(match owner {
            Some(code) => format!(
                "this belongs to the municipality {code}, for which you may not write; ask that municipality or the coordinator"
            ),
            None => "this belongs to the network itself, for which only the coordinator may write".to_owned(),
        }))
    }

    /// Refuses every caller but the coordinator; `action` completes "only the coordinator may ...".
    ///
    /// # Errors
    /// [`Error::OutOfReach`].
    pub fn require_coordinator(&self, action: &str) -> Result<()> {
        if self.is_coordinator() {
            return Ok(());
        }
        Err(Error::OutOfReach(format!("only the coordinator may {action}")))
    }
}
