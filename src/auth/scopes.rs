//! Scopes: what a token allows. The registry lists them; a resource declares a type for each of its own with `scope!`, and
//! the handlers name that type in their signatures.

use serde::{Deserialize, Serialize};

use crate::{
    domain::Role,
    registry::{SCOPES, ScopeRow},
};

/// A scope as a type. It appears in the signature of a handler and in the handler's documentation.
pub trait Scope: 'static {
    /// The name of the scope; empty when any valid token is accepted.
    const NAME: &'static str;
    /// The name of the write scope of the same collection; empty when there is none.
    const WRITE: &'static str;
    /// Whether callers without a token hold it when `PUBLIC_READ` is on.
    const PUBLIC: bool;
}

/// Declares the type of a scope. A scope that is not in the registry does not compile.
macro_rules! scope {
    ($(#[doc = $doc:literal])+ $name:ident = $scope:literal, writes with $write:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub struct $name;

        impl $crate::auth::scopes::Scope for $name {
            const NAME: &'static str = $scope;
            const WRITE: &'static str = $write;
            const PUBLIC: bool = $crate::auth::scopes::is_public($scope);
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($scope)
            }
        }
    };
}

pub(crate) use scope;

/// Any valid token is accepted.
#[derive(Debug)]
pub struct AnyScope;

impl Scope for AnyScope {
    const NAME: &'static str = "";
    const WRITE: &'static str = "";
    const PUBLIC: bool = false;
}

/// Any valid token is accepted, and none is needed when `PUBLIC_READ` is on.
#[derive(Debug)]
pub struct Anyone;

impl Scope for Anyone {
    const NAME: &'static str = "";
    const WRITE: &'static str = "";
    const PUBLIC: bool = true;
}

/// Returns whether anonymous callers can hold this scope.
pub const fn is_public(name: &str) -> bool {
    let roles = SCOPES[index_of(name)].roles;
    let mut index = 0;
    while index < roles.len() {
        if matches!(roles[index], Role::Anonymous) {
            return true;
        }
        index += 1;
    }
    false
}

const fn index_of(name: &str) -> usize {
    let mut index = 0;
    while index < SCOPES.len() {
        if equal(SCOPES[index].name.as_bytes(), name.as_bytes()) {
            return index;
        }
        index += 1;
    }
    panic!("src/registry.rs does not have this scope")
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Returns the scopes that a role can hold; for a partner system, those that its client can be given.
pub fn of_role(role: Role) -> impl Iterator<Item = &'static str> {
    SCOPES.iter().filter(move |scope| scope.roles.contains(&role)).map(|scope: &'static ScopeRow| scope.name)
}

/// Returns whether this is the name of a scope that this role can hold.
pub fn can_hold(role: Role, name: &str) -> bool {
    of_role(role).any(|held| held == name)
}

/// The scopes of a token. They are parsed once for all requests with the token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ScopeSet {
    /// The names, separated by single spaces (RFC 8693, section 4.2).
    names: String,
    /// One bit for each scope of the registry.
    bits: u128,
}

const _: () = assert!(SCOPES.len() <= u128::BITS as usize, "a scope set has one bit for each scope");

impl ScopeSet {
    /// Returns whether the set has this scope.
    pub fn has(&self, name: &str) -> bool {
        self.bits & bit(name) != 0
    }
}

fn bit(name: &str) -> u128 {
    SCOPES.iter().position(|scope| scope.name == name).map_or(0, |index| 1 << index)
}

impl From<String> for ScopeSet {
    fn from(names: String) -> Self {
        let bits = names.split(' ').fold(0, |bits, name| bits | bit(name));
        Self { names, bits }
    }
}

impl From<ScopeSet> for String {
    fn from(set: ScopeSet) -> Self {
        set.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_a_scope_only_as_a_whole_word() {
        for names in ["events:read", "a events:read", "events:read a", "x:events:read events:read events:reads"] {
            assert!(ScopeSet::from(names.to_owned()).has("events:read"), "{names}");
        }
        for names in
            ["", "events:rea", "events:reads", "x:events:read", "events:read-more", "events: read", "events:read\t"]
        {
            assert!(!ScopeSet::from(names.to_owned()).has("events:read"), "{names}");
        }
    }

    #[test]
    fn a_set_of_one_scope_has_no_other() {
        for held in SCOPES {
            let set = ScopeSet::from(held.name.to_owned());
            for other in SCOPES {
                assert_eq!(set.has(other.name), other.name == held.name, "{} {}", held.name, other.name);
            }
        }
    }

    #[test]
    fn a_set_never_has_an_unknown_scope() {
        let set = ScopeSet::from(" unknown  events:read".to_owned());
        assert!(!set.has("unknown") && !set.has(""));
    }
}
