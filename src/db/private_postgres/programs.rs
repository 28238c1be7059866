use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::data_directory::DataDirectory;
use super::error::LocalError;

const OLDEST: u32 = 15;

/// Where packages put one directory for each version: the parent, what the
/// names in it begin with, and the path from there to the programs.
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
    /// The programs in `bin_dir`, or the first that suit among all that are
    /// installed: of the version that made the cluster if there is one.
    pub(super) fn find(bin_dir: Option<&Path>, place: &DataDirectory) -> Result<Self, LocalError> {
        let made_by = place.cluster_version()?;
        let found = match bin_dir {
            Some(dir) => installations(&[dir.to_owned()]),
            None => installations(&usual_dirs()),
        };
        if found.is_empty() {
            return Err(LocalError::NoPrograms {
                looked: bin_dir.map_or_else(looked, |dir| format!("PG_BIN_DIR={}", dir.display())),
                minimum: OLDEST,
            });
        }
        let names = found.iter().map(Self::name).collect::<Vec<_>>().join(", ");
        let suits = |programs: &Self| match made_by {
            Some(version) => programs.version == version,
            None => programs.version >= OLDEST,
        };
        found.into_iter().find(suits).ok_or_else(|| match made_by {
            Some(version) => LocalError::OtherVersion { cluster: place.cluster.clone(), version, found: names },
            None => LocalError::TooOld { found: names, minimum: OLDEST },
        })
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    fn name(&self) -> String {
        format!("{} in {}", self.version, self.dir.display())
    }
}

fn installations(dirs: &[PathBuf]) -> Vec<Programs> {
    let mut found: Vec<Programs> = Vec::new();
    for dir in dirs.iter().filter_map(|dir| home_of_programs(dir)) {
        if found.iter().all(|programs| programs.dir != dir)
            && let Some(version) = version_of(&dir.join("postgres"))
        {
            found.push(Programs { dir, version });
        }
    }
    found
}

/// The directory that really holds the programs that `dir` offers: it may hold
/// links to them, or only wrappers of some that are of no use to us.
fn home_of_programs(dir: &Path) -> Option<PathBuf> {
    let whole = |dir: &Path| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    let real = fs::canonicalize(dir.join("postgres")).ok()?;
    let home = real.parent()?;
    if whole(home) {
        return Some(home.to_owned());
    }
    whole(dir).then(|| fs::canonicalize(dir).ok())?
}

/// The major version in a line such as `postgres (PostgreSQL) 15.18 (Debian)`.
fn version_of(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    leading_number(line.split_whitespace().nth(2)?)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

fn usual_dirs() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    for (parent, prefix, rest) in VERSIONED {
        dirs.extend(newest_first(Path::new(parent), prefix).into_iter().map(|dir| dir.join(rest)));
    }
    dirs
}

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

fn looked() -> String {
    let versioned = VERSIONED.map(|(parent, prefix, rest)| format!("{parent}/{prefix}*/{rest}"));
    format!("the directories of PATH, {}", versioned.join(", "))
}
