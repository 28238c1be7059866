//! Wrong settings of the database are refused at the start, each with one sentence that names the setting.

use std::{fs, process::Output};

use crate::support::{databases::fresh_database, process::program};

/// Runs `kuntatutorit migrate` with these settings.
fn migrate(settings: &[(&str, &str)]) -> Output {
    let mut program = program();
    program.arg("migrate").env_remove("DATABASE_URL").envs(settings.iter().copied());
    program.output().unwrap()
}

#[track_caller]
fn assert_refused(settings: &[(&str, &str)], sentence: &str) {
    let output = migrate(settings);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{settings:?} is accepted");
    assert!(text.contains(sentence), "{settings:?}: {text}");
    assert!(!text.contains("salasana"), "the password is printed: {text}");
    assert!(text.lines().count() <= 2, "{settings:?}: {text}");
}

#[test]
fn wrong_parameters_of_the_database_are_refused() {
    let scratch = tempfile::TempDir::new().unwrap();
    let empty = scratch.path().join("empty.pem");
    fs::write(&empty, "no certificate").unwrap();
    let empty = empty.display().to_string();
    for (url, sentence) in [
        ("mysql://salasana@db/kunta", "DATABASE_URL must be a URL such as"),
        ("host=db password=salasana", "DATABASE_URL must be a URL such as"),
        ("postgres://kunta:salasana@/kunta", "but it has no host"),
        ("postgres://kunta:salasana@db1,,db2/kunta", "DATABASE_URL"),
        ("postgres://kunta:salasana@db 1/kunta", "has a host that cannot exist: `db 1`"),
        ("postgres://kunta:salasana@db1:x,db2/kunta", "DATABASE_URL must be"),
        (
            "postgres://kunta:salasana@no-host.invalid/kunta",
            "no host has the name `no-host.invalid`; correct it in DATABASE_URL",
        ),
        ("postgres://kunta:salasana@db/kunta?sslmode=allow", "DATABASE_URL has sslmode=allow, which"),
        ("postgres://kunta:salasana@db/kunta?sslmode=always", "DATABASE_URL has sslmode=always, but sslmode must be"),
        ("postgres://kunta:salasana@db/kunta?sslmode=verify-full", "DATABASE_URL needs sslrootcert"),
        ("postgres://kunta:salasana@db/kunta?sslrootcert=/x.pem", "DATABASE_URL has sslrootcert, which sslmode=prefer"),
        ("postgres://kunta:salasana@db/kunta?sslmode=require&sslrootcert=system", "which needs sslmode=verify-full"),
        (
            "postgres://kunta:salasana@db/kunta?sslmode=verify-full&sslrootcert=/no/file.pem",
            "DATABASE_URL has sslrootcert=/no/file.pem, which cannot be used: No such file",
        ),
        (
            &format!("postgres://kunta:salasana@db/kunta?sslmode=verify-ca&sslrootcert={empty}"),
            "which cannot be used: it has no unencrypted PEM block",
        ),
        ("postgres://kunta:salasana@db/kunta?sslmode=require&sslcert=/x.pem", "needs both sslcert and sslkey"),
        (
            "postgres://kunta:salasana@db/kunta?sslcrl=/x.pem",
            "has the parameter sslcrl, which this service does not support",
        ),
        ("postgres://kunta:salasana@db/kunta?target_session_attrs=standby", "needs the primary"),
        ("postgres://kunta:salasana@db/kunta?colour=blue", "unknown option `colour`"),
    ] {
        assert_refused(&[("DATABASE_URL", url)], sentence);
    }
    let url = ("DATABASE_URL", "postgres://kunta:salasana@db/kunta");
    assert_refused(&[url, ("PGSSLMODE", "allow")], "(its parameters include PGSSLMODE)");
    assert_refused(&[url, ("MIGRATION_DATABASE_URL", "salasana")], "MIGRATION_DATABASE_URL must be a URL");
}

#[test]
fn a_secret_can_be_in_a_file() {
    let scratch = tempfile::TempDir::new().unwrap();
    let file = scratch.path().join("url");
    let path = file.display().to_string();
    fs::write(&file, format!("{}\n", fresh_database())).unwrap();
    let output = migrate(&[("DATABASE_URL_FILE", &path)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_refused(&[("DATABASE_URL_FILE", "/no/file")], "DATABASE_URL_FILE names `/no/file`, which cannot be read");
    assert_refused(
        &[("DATABASE_URL_FILE", &path), ("DATABASE_URL", "postgres://db/kunta")],
        "DATABASE_URL and DATABASE_URL_FILE are both set",
    );
    fs::write(&file, " \n").unwrap();
    assert_refused(&[("DATABASE_URL_FILE", &path)], "which is empty");
}
