//! Every block of the guides is pasted into an interactive shell, in order, against the service as `make run` starts it.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{ROOT, text};
use crate::support::process::free_port;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kuntatutorit");

/// What a reader of the guides pastes; all of it can be pasted again.
const WALKS: [&str; 4] = [
    include_str!("../../../README.md"),
    include_str!("../../../docs/front-ends.md"),
    include_str!("../../../docs/partner-systems.md"),
    include_str!("../../../docs/coordinator.md"),
];
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// The shells that people use, as they read what is pasted: without the user's own files, interactive, from standard input.
/// In an interactive zsh a `#` begins no comment.
const SHELLS: [(&str, &[&str]); 2] = [("bash", &["--norc", "--noprofile", "-is"]), ("zsh", &["-fis"])];

/// Stops the shell at the first failure, and logs the status of each answer.
const BEFORE: &str = r#"
set -euo pipefail
PS1= PS2=
trap 'kill "${restored-}" 2> /dev/null || true' EXIT
curl() { command curl -w '%{stderr}%{http_code} %{method} %{url}\n' "$@" 2>> "$STATUSES"; }
"#;

/// The service with a private PostgreSQL; both end with the test.
struct Private {
    data_dir: PathBuf,
    directory: TempDir,
    process: Child,
    base: String,
}

impl Private {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        // When the tests run as root, PostgreSQL runs as another user, who must be able to enter the directory.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o711)).unwrap();
        let data_dir = directory.path().join("data");
        let mut command = Command::new(PROGRAM);
        command.arg("serve").env("DATA_DIR", &data_dir).env("PORT", "0").env_remove("DATABASE_URL");
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let base = lines.find_map(|line| Some(line.trim().strip_prefix("API")?.trim().strip_suffix("/v1")?.to_owned()));
        Self { data_dir, directory, process, base: base.unwrap() }
    }

    fn restored(&self) -> PathBuf {
        self.directory.path().join("data.restored")
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The shell blocks of a document, except those of the README that start the service and the tests.
fn blocks(document: &str) -> String {
    let sections = document.split("\n## ").filter(|section| !section.starts_with("Run it"));
    let fenced = sections.flat_map(|section| section.split("```sh\n").skip(1));
    fenced.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Pastes this into a shell; gives its output and the status of each answer.
fn paste(shell: &str, arguments: &[&str], script: &str, service: &Private) -> (String, String) {
    let statuses = service.directory.path().join(format!("{shell}-statuses"));
    let script = script.replace("http://127.0.0.1:8080", &service.base).replace("8081", &free_port());
    let script = script.replace("target/debug/kuntatutorit", PROGRAM).replace("sleep 1", "sleep 0.1");
    let mut command = Command::new(shell);
    command.args(arguments).current_dir(ROOT).env_remove("DATABASE_URL");
    command.env("DATA_DIR", &service.data_dir).env("STATUSES", &statuses).env("DRAIN_SECONDS", "0");
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut process = spawned.unwrap_or_else(|error| panic!("{shell}: {error}; `scripts/prepare test` installs it"));
    let mut input = process.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(format!("{BEFORE}{script}").as_bytes()));
    let output = process.wait_with_output().unwrap();
    // A shell that has failed reads no further.
    let _ = writer.join().unwrap();
    let statuses = fs::read_to_string(statuses).unwrap_or_default();
    assert!(output.status.success(), "{shell}: {}\n{statuses}", text(&output));
    (text(&output), statuses)
}

#[test]
fn every_block_can_be_pasted_twice_into_bash_and_zsh() {
    let walk: String = WALKS.map(blocks).concat();
    let script = format!("{walk}{walk}{}", blocks(OPERATIONS));
    let service = Private::start();
    for (shell, arguments) in SHELLS {
        let (output, statuses) = paste(shell, arguments, &script, &service);
        assert!(statuses.lines().count() > 50, "{shell}: {statuses}");
        let failures: Vec<_> = statuses.lines().filter(|line| !line.starts_with('2')).map(|line| &line[..3]).collect();
        let shown = ["422", "400", "422", "422", "400", "422"];
        assert_eq!(failures, shown, "{shell}: only what is shown to fail fails:\n{statuses}\n{output}");
        for expected in [
            "1733033",
            "}\ntrue\n",
            "Signed in as municipality of 049",
            "created kurssi-1",
            "BEGIN:VCALENDAR",
            "use 638, which it has merged into",
        ] {
            assert!(output.contains(expected), "{shell}: no {expected} in\n{output}");
        }
    }
    let mut accounts = Command::new(PROGRAM);
    accounts.args(["account", "list"]).env("DATA_DIR", service.restored()).env_remove("DATABASE_URL");
    let accounts = text(&accounts.output().unwrap());
    assert!(accounts.contains("digituki@example.org"), "{accounts}");
    let keys = |data_dir: &Path| -> BTreeSet<_> {
        fs::read_dir(data_dir.join("keys")).unwrap().map(|file| file.unwrap().file_name()).collect()
    };
    assert!(keys(&service.restored()).is_subset(&keys(&service.data_dir)), "{:?}", keys(&service.restored()));
}
