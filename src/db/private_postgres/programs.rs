//! Finding PostgreSQL's programs.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{data_directory::DataDirectory, error::PrivatePostgresError};

/// The oldest major version that is supported.
const OLDEST: u32 = 15;

/// Where packages install one directory for each version: the parent directory, the prefix of the version directories, and
/// the path from there to the programs.
const VERSIONED: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// One installation of PostgreSQL.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) dir: PathBuf,
    pub(super) version: u32,
}

impl Programs {
    /// Returns the programs in `bin_dir`, or else the first suitable installation. An existing cluster needs programs of
    /// the version that created it.
    pub(super) fn find(bin_dir: Option<&Path>, directory: &DataDirectory) -> Result<Self, PrivatePostgresError> {
        let cluster_version = directory.cluster_version()?;
        let found = match bin_dir {
            Some(dir) => installations(&[dir.to_owned()]),
            None => installations(&usual_dirs()),
        };
        if found.is_empty() {
            return Err(PrivatePostgresError::NoPrograms {
                searched: bin_dir.map_or_else(describe_usual_dirs, |dir| format!("PG_BIN_DIR={}", dir.display())),
                minimum: OLDEST,
            });
        }
        let descriptions = found.iter().map(Self::description).collect::<Vec<_>>().join(", ");
        let suits = |programs: &Self| match cluster_version {
            Some(version) => programs.version == version,
            None => programs.version >= OLDEST,
        };
        found.into_iter().find(suits).ok_or_else(|| match cluster_version {
            Some(version) => {
                PrivatePostgresError::OtherVersion { cluster: directory.cluster.clone(), version, found: descriptions }
            }
            None => PrivatePostgresError::TooOld { found: descriptions, minimum: OLDEST },
        })
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    fn description(&self) -> String {
        format!("{} in {}", self.version, self.dir.display())
    }
}

/// Returns the installations in these directories, each once.
fn installations(dirs: &[PathBuf]) -> Vec<Programs> {
    let mut found: Vec<Programs> = Vec::new();
    for dir in dirs.iter().filter_map(|dir| real_program_dir(dir)) {
        if found.iter().all(|programs| programs.dir != dir)
            && let Some(version) = version_of(&dir.join("postgres"))
        {
            found.push(Programs { dir, version });
        }
    }
    found
}

/// Returns the directory in which the programs of `dir` are really installed. `dir` may contain links to the programs, or
/// wrappers that do not work without a package's other tools.
fn real_program_dir(dir: &Path) -> Option<PathBuf> {
    let is_complete = |dir: &Path| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    let real = fs::canonicalize(dir.join("postgres")).ok()?;
    let home = real.parent()?;
    if is_complete(home) {
        return Some(home.to_owned());
    }
    is_complete(dir).then(|| fs::canonicalize(dir).ok())?
}

/// Returns the major version from a line such as `postgres (PostgreSQL) 15.18 (Debian)`.
fn version_of(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    leading_number(line.split_whitespace().nth(2)?)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// Returns the directories of `PATH`, and those where packages install PostgreSQL.
fn usual_dirs() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    for (parent, prefix, rest) in VERSIONED {
        dirs.extend(newest_first(Path::new(parent), prefix).into_iter().map(|dir| dir.join(rest)));
    }
    dirs
}

/// Returns the directories of all versions in `parent`, the newest first.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut dirs: Vec<(Option<u32>, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.trim_start_matches('@');
            Some((leading_number(version), entry.path()))
        })
        .collect();
    dirs.sort();
    dirs.into_iter().rev().map(|(_, dir)| dir).collect()
}

/// Describes the [`usual_dirs`] for an error message.
fn describe_usual_dirs() -> String {
    let versioned = VERSIONED.map(|(parent, prefix, rest)| format!("{parent}/{prefix}*/{rest}"));
    format!("the directories of PATH, {}", versioned.join(", "))
}
