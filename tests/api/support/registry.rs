//! The registry of collections, as the computed tests read it.

/// A collection of the API.
#[allow(dead_code, reason = "x")]
pub(crate) struct Collection {
    /// The path segment, such as `calendar-links`.
    pub(crate) name: &'static str,
    /// The field and column that identifies a row: `id`, `code` or `slug`.
    pub(crate) key: &'static str,
    /// Whether the ledger of changes records its writes.
    pub(crate) in_ledger: bool,
    /// Values of a column with which a row is hidden from other municipalities.
    pub(crate) hidden: &'static [(&'static str, &'static str)],
    /// Columns with personal data.
    pub(crate) personal: &'static [&'static str],
    /// Columns whose names suggest personal data, but which anybody may see.
    pub(crate) public: &'static [&'static str],
    /// Columns that hold codes of municipalities.
    pub(crate) municipality: &'static [&'static str],
}

#[allow(dead_code, reason = "x")]
impl Collection {
    /// The path of its list.
    pub(crate) fn path(&self) -> String {
        format!("/v1/{}", self.name)
    }

    /// Its table in the database.
    pub(crate) fn table(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The scope that reads it.
    pub(crate) fn read(&self) -> String {
        format!("{}:read", self.name)
    }

    /// The scope that writes it.
    pub(crate) fn write(&self) -> String {
        format!("{}:write", self.name)
    }
}

/// Returns the collection that a path is about.
pub(crate) fn of_path(path: &str) -> Option<&'static Collection> {
    let name = path.strip_prefix("/v1/")?.split(['/', '.', '?']).next()?;
    COLLECTIONS.iter().find(|collection| collection.name == name)
}

pub(crate) const COLLECTIONS: &[Collection] = &[
    Collection {
        name: "municipalities",
        key: "code",
        in_ledger: true,
        hidden: &[],
        personal: &[],
        public: &["name", "region_name", "sort_name"],
        municipality: &["code"],
    },
    Collection {
        name: "themes",
        key: "slug",
        in_ledger: true,
        hidden: &[],
        personal: &[],
        public: &["name", "sort_name"],
        municipality: &[],
    },
    Collection {
        name: "tutors",
        key: "id",
        in_ledger: true,
        hidden: &[],
        personal: &["name", "contact"],
        public: &["external_id"],
        municipality: &["municipality_code"],
    },
    Collection {
        name: "events",
        key: "id",
        in_ledger: true,
        hidden: &[("status", "draft")],
        personal: &["online_url"],
        public: &["external_id"],
        municipality: &["host_municipality_code", "audience", "venue_municipality_code", "venue"],
    },
    Collection {
        name: "feedback",
        key: "id",
        in_ledger: true,
        hidden: &[],
        personal: &["respondent", "comment", "external_id"],
        public: &[],
        municipality: &["municipality_code"],
    },
    Collection {
        name: "calendar-links",
        key: "id",
        in_ledger: false,
        hidden: &[],
        personal: &["name"],
        public: &[],
        municipality: &["municipality_code"],
    },
    Collection {
        name: "accounts",
        key: "id",
        in_ledger: false,
        hidden: &[],
        personal: &["email"],
        public: &[],
        municipality: &["municipality_code"],
    },
    Collection {
        name: "clients",
        key: "id",
        in_ledger: false,
        hidden: &[],
        personal: &["name", "source"],
        public: &[],
        municipality: &["municipality_code"],
    },
];
