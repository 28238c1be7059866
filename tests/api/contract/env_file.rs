//! The file `.env`: whose file is read, and that no failure quotes it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use crate::support::{process::program, skipped::skipped};

/// A setting that every command refuses, which shows that the file was read.
const MARK: &str = "PORT=not-a-port\n";
const SECRET: &str = "salainen";

/// Runs a command in this directory. Returns whether it succeeded, and its output.
fn run_in(directory: &Path, command: &str) -> (bool, String) {
    let output = program().current_dir(directory).args(command.split(' ')).env_remove("PORT").output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

/// Makes a directory with this file `.env`.
fn with_file(content: impl AsRef<[u8]>) -> TempDir {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join(".env");
    fs::write(&file, content).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    directory
}

#[track_caller]
fn refused(directory: &Path, reason: &str) {
    let (succeeded, text) = run_in(directory, "healthcheck");
    assert!(!succeeded && text.contains(reason), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn only_the_file_in_the_working_directory_is_read() {
    let directory = with_file(MARK);
    let (_, text) = run_in(directory.path(), "healthcheck");
    assert!(text.contains("PORT must be a port number"), "{text}");
    let below = directory.path().join("below");
    fs::create_dir(&below).unwrap();
    let (_, text) = run_in(&below, "healthcheck");
    assert!(!text.contains("PORT must be"), "{text}");
}

#[test]
fn a_file_that_others_can_change_is_refused() {
    let directory = with_file(MARK);
    let file = directory.path().join(".env");
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        refused(directory.path(), &format!("has mode {mode:04o}, so other users can change it; run `chmod go-w .env`"));
    }
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    refused_setting(directory.path());
}

#[track_caller]
fn refused_setting(directory: &Path) {
    let (succeeded, text) = run_in(directory, "healthcheck");
    assert!(!succeeded && text.contains("PORT must be"), "{text}");
}

#[test]
fn a_file_or_a_link_of_another_user_is_refused() {
    let directory = with_file(MARK);
    let file = directory.path().join(".env");
    if chown(&file, Some(12345), None).is_err() {
        return skipped("a test of files of other users", "only root can make such files");
    }
    refused(directory.path(), "belongs to the user with the id 12345");
    let linked = TempDir::new().unwrap();
    symlink(&file, linked.path().join(".env")).unwrap();
    refused(linked.path(), "belongs to the user with the id 12345");

    // A file of root is read by another user, and a link of another user is not.
    chown(&file, Some(0), None).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    refused_setting(linked.path());
    std::os::unix::fs::lchown(linked.path().join(".env"), Some(12345), None).unwrap();
    refused(linked.path(), "belongs to the user with the id 12345");
}

#[test]
fn a_mistake_is_told_by_the_number_of_its_line() {
    let first = format!("HOST=127.0.0.1\n\n# a comment\nDATABASE_URL=postgres://u:{SECRET} word@db/x\nPORT=80\n");
    let cases: [(Vec<u8>, &str); 6] = [
        (first.into_bytes(), "line 4 of the file .env is not NAME=value"),
        (format!("A=b\n{SECRET}\n").into_bytes(), "line 2 of the file .env is not NAME=value"),
        (format!("A=b\nPASSWORD='{SECRET}\nsecond\nthird\n").into_bytes(), "line 2 of the file .env is not"),
        (format!("A='one\ntwo'\nB={SECRET} word").into_bytes(), "line 3 of the file .env is not NAME=value"),
        ([b"A=b\nB=", SECRET.as_bytes(), b"\xff\n"].concat(), "line 2 of the file .env is not NAME=value"),
        (format!("A=b\nC=d\nB={SECRET}\0\n").into_bytes(), "line 3 of the file .env has a NUL character"),
    ];
    for (content, reason) in cases {
        refused(with_file(content).path(), reason);
    }
}

#[test]
fn help_is_printed_although_the_file_cannot_be_read() {
    let directory = with_file("not a setting\n");
    let (succeeded, text) = run_in(directory.path(), "--help");
    assert!(succeeded && text.contains("a file .env in this directory;"), "{text}");
    fs::remove_file(directory.path().join(".env")).unwrap();
    fs::create_dir(directory.path().join(".env")).unwrap();
    refused(directory.path(), "the file .env in this directory cannot be read");
}

/// A line that `scripts/prepare` takes for a setting is one for the program.
#[test]
fn the_check_of_the_machine_finds_the_same_settings() {
    let script = include_str!("../../../scripts/prepare");
    let function = script.split("\nis_set() {").nth(1).unwrap().split("\n}").next().unwrap();
    let directory = with_file("  export DATABASE_URL=postgres://db/x\nPG_BIN_DIR=\n");
    let script = format!("is_set() {{{function}\n}}\nis_set DATABASE_URL && ! is_set PG_BIN_DIR && ! is_set PORT");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(directory.path());
    shell.env_remove("DATABASE_URL").env_remove("PG_BIN_DIR").env_remove("PORT");
    assert!(shell.status().unwrap().success());
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let (_, text) = run_in(with_file(format!("\u{feff}{MARK}")).path(), "healthcheck");
    assert!(text.contains("PORT must be a port number"), "{text}");
    let directory = with_file("");
    let url = directory.path().join("url");
    fs::write(&url, "\u{feff}postgres://kunta@127.0.0.1:1/kunta?sslmode=disable\r\n").unwrap();
    let mut command = program();
    command.current_dir(directory.path()).arg("migrate").env("DATABASE_URL_FILE", url).env_remove("DATABASE_URL");
    let told = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(told.contains("127.0.0.1:1: "), "{told}");
}
