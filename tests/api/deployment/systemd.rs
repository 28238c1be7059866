//! The systemd unit: it is correct, and the service can do little else than serve.

use std::{fs, process::Command};

use super::{assert_settings, found, number, read};
use crate::support::skipped::skipped;

/// The highest exposure that `systemd-analyze security` may report, in tenths. 0 is the least of 100.
const MOST_EXPOSED: &str = "20";

/// Runs systemd-analyze on the unit. Returns `None` and prints a notice where it is not installed.
fn analyze(arguments: &[&str]) -> Option<(bool, String)> {
    let directory = tempfile::tempdir().unwrap();
    let unit = directory.path().join("kuntatutorit.service");
    let text = read("deploy/kuntatutorit.service");
    // The program must exist where the unit says.
    fs::write(&unit, text.replace("/usr/local/bin/kuntatutorit", env!("CARGO_BIN_EXE_kuntatutorit"))).unwrap();
    let Ok(output) = Command::new("systemd-analyze").args(arguments).arg(&unit).output() else {
        skipped("a test of the systemd unit", "systemd-analyze is not installed");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(text).unwrap()))
}

#[test]
fn systemd_has_no_complaint_about_the_unit() {
    let Some(outcome) = analyze(&["verify", "--man=no"]) else { return };
    assert_eq!(outcome, (true, String::new()));
}

#[test]
fn the_service_is_hardly_exposed() {
    let Some((is_below, text)) = analyze(&["security", "--offline=true", "--threshold", MOST_EXPOSED]) else { return };
    if text.contains("unrecognized option") {
        return skipped("a test of the systemd unit", "this systemd is older than version 250");
    }
    assert!(is_below, "{text}");
}

#[test]
fn the_unit_names_existing_settings_and_gives_the_service_enough_time_to_stop() {
    let unit = read("deploy/kuntatutorit.service");
    let line = unit.lines().find(|line| line.starts_with("Environment=")).unwrap();
    assert_settings(&found(r"[= ]([A-Z_]+)=", line));
    // The default of DRAIN_SECONDS, the time for requests in flight, and the longest stop of the private PostgreSQL.
    assert!(number(r"TimeoutStopSec=(\d+)", &unit) >= 2 + 25 + 12);
    assert!(unit.contains("\nKillMode=mixed\n"));
    // The threads that hash passwords lower their priority. The last line about a system call decides.
    assert!(unit.contains("\nSystemCallFilter=setpriority\n"));
}
