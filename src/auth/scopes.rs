//! The table of scopes: what can be allowed, and which roles hold it.

use serde::{Deserialize, Serialize};

use super::reach::Role;

/// A scope, as a type: it stands in a handler's signature and in the handler's documentation.
pub trait Scope: 'static {
    /// The scope's name; empty when any valid token will do.
    const NAME: &'static str;
    /// The scope that lets the holder change what this one is about.
    const WRITE: &'static str;
    /// Whether `PUBLIC_READ` opens it to callers without a token.
    const PUBLIC: bool;
}

/// A row of the table, for those who look a scope up by name.
#[derive(Debug)]
pub struct ScopeRow {
    /// The scope's name.
    pub name: &'static str,
    /// What it allows, for the documentation.
    pub description: &'static str,
    /// The roles that hold it; a partner system holds what its client was given of these.
    pub roles: &'static [Role],
}

macro_rules! scopes {
    ($($type:ident = $name:literal, $write:literal, [$($role:ident)+], $description:literal;)+) => {
        $(
            #[doc = $description]
            #[derive(Debug)]
            pub struct $type;

            impl Scope for $type {
                const NAME: &'static str = $name;
                const WRITE: &'static str = $write;
                const PUBLIC: bool = has_anonymous(&[$(Role::$role),+]);
            }

            impl std::fmt::Display for $type {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str($name)
                }
            }
        )+

        /// Every scope.
        pub const SCOPES: &[ScopeRow] = &[$(ScopeRow {
            name: $name,
            description: $description,
            roles: &[$(Role::$role),+],
        }),+];
    };
}

scopes! {
    MunicipalitiesRead = "municipalities:read", "municipalities:write",
        [Anonymous Tutor Municipality Partner Coordinator], "Read municipalities.";
    MunicipalitiesWrite = "municipalities:write", "municipalities:write",
        [Municipality Partner Coordinator], "Change a municipality's own fields.";
    ThemesRead = "themes:read", "themes:write",
        [Anonymous Tutor Municipality Partner Coordinator], "Read themes.";
    ThemesWrite = "themes:write", "themes:write",
        [Coordinator], "Write themes.";
    TutorsRead = "tutors:read", "tutors:write",
        [Anonymous Tutor Municipality Partner Coordinator], "Read tutors.";
    TutorsWrite = "tutors:write", "tutors:write",
        [Tutor Municipality Partner Coordinator], "Write tutors.";
    EventsRead = "events:read", "events:write",
        [Anonymous Tutor Municipality Partner Coordinator], "Read events.";
    EventsWrite = "events:write", "events:write",
        [Tutor Municipality Partner Coordinator], "Write events.";
    FeedbackRead = "feedback:read", "feedback:write",
        [Tutor Municipality Partner Coordinator], "Read feedback.";
    FeedbackWrite = "feedback:write", "feedback:write",
        [Tutor Municipality Partner Coordinator], "Give feedback and change one's own.";
    SummariesRead = "summaries:read", "",
        [Anonymous Tutor Municipality Partner Coordinator], "Read summaries of feedback.";
    CalendarLinksRead = "calendar-links:read", "calendar-links:write",
        [Tutor Municipality Partner Coordinator], "Read one's own links to calendars.";
    CalendarLinksWrite = "calendar-links:write", "calendar-links:write",
        [Tutor Municipality Partner Coordinator], "Make and revoke one's own links to calendars.";
    AccountsRead = "accounts:read", "accounts:write",
        [Coordinator], "Read the accounts of people.";
    AccountsWrite = "accounts:write", "accounts:write",
        [Coordinator], "Invite people, change and disable their accounts.";
    ClientsRead = "clients:read", "clients:write",
        [Coordinator], "Read the clients of partner systems.";
    ClientsWrite = "clients:write", "clients:write",
        [Coordinator], "Make, change and revoke the clients of partner systems.";
    ChangesRead = "changes:read", "",
        [Tutor Municipality Partner Coordinator], "Follow what happens to the resources that one may read.";
    ContactsRead = "contacts:read", "",
        [Tutor Municipality Partner Coordinator], "See names and contacts as their visibility says.";
}

const fn has_anonymous(roles: &[Role]) -> bool {
    let mut index = 0;
    while index < roles.len() {
        if matches!(roles[index], Role::Anonymous) {
            return true;
        }
        index += 1;
    }
    false
}

/// No scope of its own: any valid token will do.
#[derive(Debug)]
pub struct AnyScope;

impl Scope for AnyScope {
    const NAME: &'static str = "";
    const WRITE: &'static str = "";
    const PUBLIC: bool = false;
}

/// No scope of its own, and open where `PUBLIC_READ` is on.
#[derive(Debug)]
pub struct Anyone;

impl Scope for Anyone {
    const NAME: &'static str = "";
    const WRITE: &'static str = "";
    const PUBLIC: bool = true;
}

/// The scopes that a role holds; for a partner system, those that its client may be given.
pub fn of_role(role: Role) -> impl Iterator<Item = &'static str> {
    SCOPES.iter().filter(move |scope| scope.roles.contains(&role)).map(|scope| scope.name)
}

/// Whether this is the name of a scope that this role can hold.
pub fn can_hold(role: Role, name: &str) -> bool {
    of_role(role).any(|held| held == name)
}

/// The scopes of a token, looked up in the table once for all of its requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Held {
    /// Their names, separated by single spaces (RFC 8693, section 4.2).
    names: String,
    /// A bit for each row of the table.
    rows: u32,
}

const _: () = assert!(SCOPES.len() <= u32::BITS as usize, "a bit for each scope");

impl Held {
    /// Whether this scope is among them.
    pub fn has(&self, name: &str) -> bool {
        self.rows & row(name) != 0
    }
}

fn row(name: &str) -> u32 {
    SCOPES.iter().position(|scope| scope.name == name).map_or(0, |index| 1 << index)
}

impl From<String> for Held {
    fn from(names: String) -> Self {
        let rows = names.split(' ').fold(0, |rows, name| rows | row(name));
        Self { names, rows }
    }
}

impl From<Held> for String {
    fn from(held: Held) -> Self {
        held.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_whole_word() {
        for names in ["events:read", "a events:read", "events:read a", "x:events:read events:read events:reads"] {
            assert!(Held::from(names.to_owned()).has("events:read"), "{names}");
        }
        for names in
            ["", "events:rea", "events:reads", "x:events:read", "events:read-more", "events: read", "events:read\t"]
        {
            assert!(!Held::from(names.to_owned()).has("events:read"), "{names}");
        }
    }

    #[test]
    fn each_scope_is_held_alone() {
        for held in SCOPES {
            let alone = Held::from(held.name.to_owned());
            for other in SCOPES {
                assert_eq!(alone.has(other.name), other.name == held.name, "{} {}", held.name, other.name);
            }
        }
    }

    #[test]
    fn what_is_no_scope_is_not_held() {
        let held = Held::from(" unknown  events:read".to_owned());
        assert!(!held.has("unknown") && !held.has(""));
    }
}
