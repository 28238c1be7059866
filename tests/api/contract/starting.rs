//! What the commands tell at their start: mistakes in settings, ports that are taken, a database that cannot be
//! reached; and the form of the log.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use kuntatutorit::server::ports::ListenError;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    databases::fresh_database,
    process::{Service, free_port, outcome, program, program_on},
    skipped::skipped,
};

/// Runs `serve` with a private PostgreSQL in this directory and with these settings. It must fail.
fn fails(data_dir: &TempDir, settings: &[(&str, &str)]) -> String {
    // When the tests run as root, PostgreSQL runs as another user, who must be able to enter the directory.
    fs::set_permissions(data_dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let mut command = program();
    command.arg("serve").env_remove("DATABASE_URL").env("DATA_DIR", data_dir.path().join("data"));
    command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let began = Instant::now();
    while process.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(20) {
            process.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = process.wait_with_output().unwrap();
    let told = text(&output);
    assert!(output.status.code() == Some(1), "{settings:?} must be refused: {told}");
    told
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn settings_are_checked_before_the_database_is_created() {
    let port = free_port();
    for (settings, told) in [
        (&[("LOG_LEVEL", "bogus")][..], "LOG_LEVEL must be"),
        (&[("LOG_LEVEL", "info,bogus")], "LOG_LEVEL must be"),
        (&[("LOG_LEVEL", "kuntatutorit=bogus")], "LOG_LEVEL must be"),
        (&[("LOG_LEVEL", "inf")], "LOG_LEVEL must be"),
        (&[("PORT", &port), ("METRICS_PORT", &port)], "METRICS_PORT must differ from PORT"),
        (&[("PORT", "0"), ("PG_BIN_DIR", "/nowhere")], "PG_BIN_DIR"),
        (&[("PORT", "0"), ("KEY_DIR", "/dev/null/keys")], "/dev/null/keys"),
    ] {
        let data_dir = TempDir::new().unwrap();
        let output = fails(&data_dir, settings);
        assert!(output.contains(told), "{settings:?}: {output}");
        assert!(!data_dir.path().join("data/cluster").exists(), "{settings:?}");
    }
    for level in ["off", "INFO", "warn,kuntatutorit=debug", "kuntatutorit::db=trace", "debug,[request]=info"] {
        let lookup = |name: &str| (name == "LOG_LEVEL").then(|| level.to_owned());
        assert!(kuntatutorit::config::Config::read(&lookup).is_ok(), "{level}");
    }
    let both_free = |name: &str| ["PORT", "METRICS_PORT"].contains(&name).then(|| "0".to_owned());
    assert!(kuntatutorit::config::Config::read(&both_free).is_ok());
}

#[test]
fn a_taken_port_is_noticed_before_the_database_is_created() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (setting, other) in [("PORT", "METRICS_PORT"), ("METRICS_PORT", "PORT")] {
        let data_dir = TempDir::new().unwrap();
        let told = fails(&data_dir, &[(setting, &port), (other, "0")]);
        let expected = format!("set {setting} to another port");
        assert!(told.contains(&port) && told.contains(&expected), "{told}");
        assert!(!data_dir.path().join("data").exists(), "{setting}");
    }
}

#[test]
fn a_privileged_port_is_told_as_such() {
    let address = "127.0.0.1:80".parse().unwrap();
    let told = ListenError::new("PORT", address, std::io::ErrorKind::PermissionDenied.into()).to_string();
    assert!(told.contains("PORT") && told.contains("1024") && !told.contains("stop the process"), "{told}");
}

#[test]
fn every_command_tells_why_the_database_cannot_be_reached() {
    let url = format!("postgres://kunta@127.0.0.1:{}/kunta?sslmode=disable", free_port());
    for command in [
        &["verify"][..],
        &["serve"],
        &["migrate"],
        &["seed"],
        &["account", "list"],
        &["client", "list"],
        &["declare-loss"],
    ] {
        let output = outcome(&url, command, "");
        let told = text(&output);
        assert!(!output.status.success(), "{command:?}: {told}");
        assert!(told.contains("127.0.0.1:") && told.contains("refused"), "{command:?}: {told}");
    }
    // Somebody could stop PostgreSQL between the check of the link and the work.
    let missing = fresh_database().replace("/test", "/no_such_database_test");
    let told = text(&outcome(&missing, &["verify"], ""));
    assert!(told.contains("does not exist"), "{told}");
}

/// A start that logs one line and then fails.
fn failing_start(directory: &TempDir) -> Command {
    let mut command = program();
    command.arg("serve").env_remove("DATABASE_URL").env("DATA_DIR", directory.path().join("data"));
    command.env("PORT", "0").env("PG_BIN_DIR", "/nowhere").env_remove("NO_COLOR").env("LOG_FORMAT", "human");
    command
}

#[test]
fn the_log_has_colours_only_on_a_terminal() {
    const COLOUR: &str = "\u{1b}[";
    let directory = TempDir::new().unwrap();
    let file = text(&failing_start(&directory).output().unwrap());
    assert!(file.contains("starting the private PostgreSQL") && !file.contains(COLOUR), "{file:?}");
    // `script` runs a command on a terminal.
    if Command::new("script").arg("--version").output().is_err() {
        return skipped("the test of colours on a terminal", "`script` is not installed");
    }
    let on_terminal = |no_color: Option<&str>| {
        let plain = failing_start(&directory);
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command"]).arg(format!("{} serve", plain.get_program().display()));
        command.arg("/dev/null").current_dir(directory.path()).stdin(Stdio::null());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        text(&command.output().unwrap())
    };
    assert!(on_terminal(None).contains(COLOUR), "{:?}", on_terminal(None));
    assert!(on_terminal(Some("")).contains(COLOUR), "an empty NO_COLOR means nothing");
    assert!(!on_terminal(Some("1")).contains(COLOUR), "{:?}", on_terminal(Some("1")));
}

#[tokio::test]
async fn a_json_log_has_the_banner_as_a_line() {
    let service = Service::start(program_on(&fresh_database()));
    service.anonymous().get("/livez").await.expect(200);
    let log = service.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let banner = lines.iter().find(|line| line["message"] == "Kuntatutorit serves requests");
    let banner = banner.unwrap_or_else(|| panic!("no banner: {log}"));
    assert_eq!(banner["api"], format!("http://{}/v1", service.address()));
    assert_eq!(banner["documentation"], format!("http://{}/docs/", service.address()));
    assert_eq!(service.printed(), "", "standard output has no banner");
}
