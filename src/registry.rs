//! The one list of collections. Scopes, the tags of the API document, the collections of the change ledger and the computed
//! tests are derived from it.

use crate::domain::role::Role::{self, Anonymous, Coordinator, Municipality, Partner, Tutor};

/// A collection of the API. Its name is the segment of its path and the tag of its operations; with `_` for `-` it is also
/// the name of its table.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    /// The name, such as `calendar-links`.
    pub name: &'static str,
    /// The column that identifies a row: `id`, `code` or `slug`.
    pub key: &'static str,
    /// The description of the collection in the API document.
    pub about: &'static str,
    /// The scope that reads it.
    pub read: ScopeRow,
    /// The scope that writes it.
    pub write: ScopeRow,
    /// Whether the change ledger records it.
    pub in_ledger: bool,
    /// Whether a row belongs to the caller that created it, and not to its municipality.
    pub of_creator: bool,
    /// The states in which only some callers see a row.
    pub hidden_states: &'static [&'static str],
    /// The columns with personal data.
    pub personal: &'static [&'static str],
    /// Columns whose names or comments suggest personal data, but which every reader of the collection may see.
    pub public: &'static [&'static str],
    /// The columns that hold a municipality's code. When municipalities merge, each of them must be updated.
    pub municipality_codes: &'static [&'static str],
}

/// A scope: what a token allows, and which roles can hold it.
#[derive(Clone, Copy, Debug)]
pub struct ScopeRow {
    /// The name.
    pub name: &'static str,
    /// The description of the scope in the API document.
    pub description: &'static str,
    /// The roles that can hold it. A partner system holds only the scopes that its client was given.
    pub roles: &'static [Role],
}

const EVERYONE: &[Role] = &[Anonymous, Tutor, Municipality, Partner, Coordinator];
const SIGNED_IN: &[Role] = &[Tutor, Municipality, Partner, Coordinator];
const MUNICIPALITIES: &[Role] = &[Municipality, Partner, Coordinator];
const COORDINATOR: &[Role] = &[Coordinator];

/// Every collection. An entry has at most five lines.
#[rustfmt::skip]
pub const COLLECTIONS: &[Collection] = &[
    collection("municipalities", "code", "The municipalities of the region that the network serves.").in_ledger()
        .read("municipalities:read", EVERYONE, "Read municipalities.")
        .write("municipalities:write", MUNICIPALITIES, "Change the fields that a municipality maintains itself.")
        .with_codes(&["code", "successor_code"]).with_public(&["name", "region_name"]),
    collection("themes", "slug", "Subjects of digital support, and forms in which it is given.").in_ledger()
        .read("themes:read", EVERYONE, "Read themes.")
        .write("themes:write", COORDINATOR, "Write themes.")
        .with_public(&["name"]),
    collection("tutors", "id", "People who give digital support in a municipality and tutor their colleagues in others.").in_ledger()
        .read("tutors:read", EVERYONE, "Read tutors.")
        .write("tutors:write", SIGNED_IN, "Write tutors.")
        .with_codes(&["municipality_code"]).with_personal(&["name", "contact"]).with_public(&["external_id"]),
    collection("events", "id", "Events at which tutors share what works in digital support.").in_ledger().hidden_in(&["draft"])
        .read("events:read", EVERYONE, "Read events.")
        .write("events:write", SIGNED_IN, "Write events.")
        .with_codes(&["host_municipality_code", "venue", "audience"])
        .with_personal(&["online_url"]).with_public(&["external_id"]),
    collection("feedback", "id", "What participants say about the tutors, and tutors about the participants.").in_ledger().of_creator()
        .read("feedback:read", SIGNED_IN, "Read feedback.")
        .write("feedback:write", SIGNED_IN, "Give feedback, and change your own.")
        .with_codes(&["municipality_code"]).with_personal(&["respondent", "comment", "external_id"]),
    collection("calendar-links", "id", "Secret addresses that show events in calendar programs.").of_creator()
        .read("calendar-links:read", SIGNED_IN, "Read your own calendar links.")
        .write("calendar-links:write", SIGNED_IN, "Create and revoke your own calendar links.")
        .with_codes(&["municipality_code"]).with_personal(&["name"]),
    collection("accounts", "id", "The accounts of people. Only the coordinator manages them.")
        .read("accounts:read", COORDINATOR, "Read the accounts of people.")
        .write("accounts:write", COORDINATOR, "Invite people, change and disable their accounts.")
        .with_codes(&["municipality_code"]).with_personal(&["email"]),
    collection("clients", "id", "The clients of partner systems. Only the coordinator manages them.")
        .read("clients:read", COORDINATOR, "Read the clients of partner systems.")
        .write("clients:write", COORDINATOR, "Create, change and revoke the clients of partner systems.")
        .with_codes(&["municipality_code"]).with_personal(&["name"]),
];

/// The scopes that belong to no collection.
const OTHER_SCOPES: &[ScopeRow] = &[
    scope("summaries:read", EVERYONE, "Read summaries of feedback."),
    scope("changes:read", SIGNED_IN, "Follow the changes of the resources that you may read."),
    scope("contacts:read", SIGNED_IN, "See names and contacts as their visibility allows."),
];

/// A table without a collection of its own.
#[derive(Clone, Copy, Debug)]
pub struct ServiceTable {
    /// The name.
    pub name: &'static str,
    /// Why the table has no collection.
    pub reason: &'static str,
    /// The columns with personal data.
    pub personal: &'static [&'static str],
    /// Columns whose names or comments suggest personal data, but which hold none.
    pub public: &'static [&'static str],
    /// The columns that hold a municipality's code.
    pub municipality_codes: &'static [&'static str],
}

/// The tables that belong to no collection.
pub const SERVICE_TABLES: &[ServiceTable] = &[
    table("changes", "the change ledger").with_public(&["actor"]),
    table("ledger_epochs", "the epochs of the change ledger"),
    table("event_tutors", "links of events, maintained by triggers"),
    table("event_themes", "links of events, maintained by triggers"),
    table("event_languages", "links of events, maintained by triggers"),
    table("event_audience", "links of events, maintained by triggers").with_codes(&["municipality_code"]),
    table("tutor_themes", "links of tutors, maintained by triggers"),
    table("tutor_languages", "links of tutors, maintained by triggers"),
    table("feedback_themes_wanted", "links of feedback, maintained by triggers"),
    table("feedback_summaries", "roll-ups of feedback, maintained by triggers"),
    table("feedback_tallies", "roll-ups of feedback, maintained by triggers").with_codes(&["municipality_code"]),
    table("feedback_tally_states", "roll-ups of feedback, maintained by triggers").with_codes(&["municipality_code"]),
    table("feedback_comments", "comments that are published in summaries").with_codes(&["municipality_code"]),
    table("client_secrets", "secrets of clients, stored as hashes"),
    table("sessions", "sessions of accounts"),
    table("refresh_tokens", "refresh tokens, stored as hashes"),
    table("invitations", "invitations of accounts, stored as hashes"),
    table("sign_in_failures", "throttling of sign-in").with_personal(&["subject", "address"]),
    table("known_addresses", "addresses from which accounts have signed in, stored as hashes")
        .with_personal(&["address_hash"]),
    table("idempotency_keys", "responses that are replayed until their keys expire").with_personal(&["body"]),
    table("written_bytes", "the quota of written bytes"),
    table("search_synonym", "synonyms for the search"),
    table("__diesel_schema_migrations", "the applied migrations"),
];

/// Every scope.
pub const SCOPES: [ScopeRow; 2 * COLLECTIONS.len() + OTHER_SCOPES.len()] = all_scopes();

/// Returns the collections that the change ledger records.
pub fn ledger_collections() -> impl Iterator<Item = &'static Collection> {
    COLLECTIONS.iter().filter(|collection| collection.in_ledger)
}

/// Returns the collection with this name.
pub fn find(name: &str) -> Option<&'static Collection> {
    COLLECTIONS.iter().find(|collection| collection.name == name)
}

/// Returns the collection of a path such as `/v1/events/{id}`.
pub fn of_path(path: &str) -> Option<&'static Collection> {
    find(path.strip_prefix("/v1/")?.split(['/', '.', '?']).next()?)
}

impl Collection {
    /// Returns the name of the table.
    pub fn table(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Returns the path of the collection.
    pub fn path(&self) -> String {
        format!("/v1/{}", self.name)
    }

    const fn read(self, name: &'static str, roles: &'static [Role], description: &'static str) -> Self {
        Self { read: scope(name, roles, description), ..self }
    }

    const fn write(self, name: &'static str, roles: &'static [Role], description: &'static str) -> Self {
        Self { write: scope(name, roles, description), ..self }
    }

    const fn in_ledger(self) -> Self {
        Self { in_ledger: true, ..self }
    }

    const fn of_creator(self) -> Self {
        Self { of_creator: true, ..self }
    }

    const fn hidden_in(self, states: &'static [&'static str]) -> Self {
        Self { hidden_states: states, ..self }
    }

    const fn with_codes(self, columns: &'static [&'static str]) -> Self {
        Self { municipality_codes: columns, ..self }
    }

    const fn with_personal(self, columns: &'static [&'static str]) -> Self {
        Self { personal: columns, ..self }
    }

    const fn with_public(self, columns: &'static [&'static str]) -> Self {
        Self { public: columns, ..self }
    }
}

impl ServiceTable {
    const fn with_codes(self, columns: &'static [&'static str]) -> Self {
        Self { municipality_codes: columns, ..self }
    }

    const fn with_personal(self, columns: &'static [&'static str]) -> Self {
        Self { personal: columns, ..self }
    }

    const fn with_public(self, columns: &'static [&'static str]) -> Self {
        Self { public: columns, ..self }
    }
}

const fn collection(name: &'static str, key: &'static str, about: &'static str) -> Collection {
    let none = scope("", &[], "");
    Collection {
        name,
        key,
        about,
        read: none,
        write: none,
        in_ledger: false,
        of_creator: false,
        hidden_states: &[],
        personal: &[],
        public: &[],
        municipality_codes: &[],
    }
}

const fn scope(name: &'static str, roles: &'static [Role], description: &'static str) -> ScopeRow {
    ScopeRow { name, description, roles }
}

const fn table(name: &'static str, reason: &'static str) -> ServiceTable {
    ServiceTable { name, reason, personal: &[], public: &[], municipality_codes: &[] }
}

const fn all_scopes() -> [ScopeRow; 2 * COLLECTIONS.len() + OTHER_SCOPES.len()] {
    let mut all = [scope("", &[], ""); 2 * COLLECTIONS.len() + OTHER_SCOPES.len()];
    let mut index = 0;
    while index < COLLECTIONS.len() {
        all[2 * index] = COLLECTIONS[index].read;
        all[2 * index + 1] = COLLECTIONS[index].write;
        index += 1;
    }
    let mut other = 0;
    while other < OTHER_SCOPES.len() {
        all[2 * COLLECTIONS.len() + other] = OTHER_SCOPES[other];
        other += 1;
    }
    all
}
