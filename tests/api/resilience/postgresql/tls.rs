//! The meaning of `sslmode`, compared with psql for each kind of server.

use std::process::Command;

use diesel_async::RunQueryDsl as _;
use kuntatutorit::{connection_parameters::ConnectionParameters, db::establish};

use crate::support::{
    certificates::{Certificates, Dates},
    soak::report,
    tcp_postgres::TcpPostgres,
};

const FOR_LOCALHOST: &str = "subjectAltName=DNS:localhost";

/// Certificates of every kind. The authority is in `ca.pem`.
fn certificates() -> Certificates {
    let certificates = Certificates::with_authority("Authority");
    certificates.issue("good", "ca", "/CN=localhost", FOR_LOCALHOST, Dates::Valid);
    certificates.issue("expired", "ca", "/CN=localhost", FOR_LOCALHOST, Dates::Expired);
    certificates.issue("wrong_name", "ca", "/CN=db.example", "subjectAltName=DNS:db.example", Dates::Valid);
    certificates.issue("only_cn", "ca", "/CN=localhost", "keyUsage=digitalSignature", Dates::Valid);
    certificates.self_signed("self_signed", "/CN=localhost", FOR_LOCALHOST);
    certificates.self_signed("other_ca", "/CN=Other authority", "basicConstraints=critical,CA:TRUE");
    certificates.issue("wrong_ca", "other_ca", "/CN=localhost", FOR_LOCALHOST, Dates::Valid);
    let authority = "basicConstraints=critical,CA:TRUE";
    certificates.issue("intermediate", "ca", "/CN=Intermediate", authority, Dates::Valid);
    certificates.issue("leaf", "intermediate", "/CN=localhost", FOR_LOCALHOST, Dates::Valid);
    certificates.join("ca_and_intermediate", &["ca", "intermediate"]);
    certificates
}

#[derive(diesel::QueryableByName)]
struct Encrypted {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    ssl: bool,
}

const IS_ENCRYPTED: &str = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

/// Returns whether psql's connection is encrypted; none if it is refused. It has no root certificate of its own.
fn psql(url: &str, home: &str) -> Option<bool> {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", IS_ENCRYPTED, url]);
    let output = psql.env_clear().env("HOME", home).env("PATH", std::env::var("PATH").unwrap()).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim() == "t")
}

/// Returns whether the service's connection is encrypted, or why it is refused.
async fn service(url: &str) -> Result<bool, String> {
    let parameters = ConnectionParameters::parse(url).map_err(|error| error.to_string())?;
    let mut conn = establish(&parameters.for_commands()).await.map_err(|error| error.to_string())?;
    let encrypted: Encrypted = diesel::sql_query(IS_ENCRYPTED).get_result(&mut conn).await.unwrap();
    Ok(encrypted.ssl)
}

#[tokio::test]
async fn every_sslmode_accepts_the_servers_that_psql_accepts() {
    let (certificates, server) = (certificates(), TcpPostgres::start());
    let path = |file: &str| certificates.path(file).display().to_string();
    let with_root = |mode: &str, root: &str| format!("sslmode={mode}&sslrootcert={}", path(root));
    let mut modes: Vec<_> = ["disable", "prefer", "require"].map(|mode| format!("sslmode={mode}")).into();
    modes.extend(["require", "verify-ca", "verify-full"].map(|mode| with_root(mode, "ca.pem")));
    let mut cells = Vec::new();
    for kind in ["good", "wrong_ca", "wrong_name", "expired", "self_signed"] {
        cells.extend(modes.iter().map(|mode| (Some(kind), mode.clone())));
    }
    cells.extend(modes.iter().map(|mode| (None, mode.clone())));
    // Without a file of roots, nothing can be verified.
    cells.extend(["verify-ca", "verify-full"].map(|mode| (Some("good"), format!("sslmode={mode}"))));
    for (kind, root) in [
        ("self_signed", "self_signed.pem"),
        ("leaf", "ca_and_intermediate.pem"),
        ("leaf", "ca.pem"),
        ("leaf", "intermediate.pem"),
    ] {
        cells.extend(["verify-ca", "verify-full"].map(|mode| (Some(kind), with_root(mode, root))));
    }
    let mut served = Some("");
    let (mut accepted, mut differences) = (0, Vec::new());
    for (kind, mode) in &cells {
        if served != *kind {
            server.serve_certificate(&certificates, *kind).await;
            served = *kind;
        }
        let url = server.url("postgres", mode);
        let (expected, actual) = (psql(&url, certificates.directory().to_str().unwrap()), service(&url).await);
        accepted += usize::from(expected.is_some());
        if expected != actual.clone().ok() {
            differences.push(format!("{kind:?} {mode}: psql {expected:?}, the service {actual:?}"));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(accepted >= 20 && cells.len() - accepted >= 15, "psql accepted {accepted} of {}", cells.len());
    report(&format!("TLS: {} combinations, {accepted} of them accepted, by psql and by the service", cells.len()));
}

#[tokio::test]
async fn a_refused_certificate_says_what_to_do() {
    let (certificates, server) = (certificates(), TcpPostgres::start());
    let url =
        server.url("postgres", &format!("sslmode=verify-full&sslrootcert={}", certificates.path("ca.pem").display()));
    for (kind, advice) in [
        (Some("expired"), "renew PostgreSQL's certificate"),
        (Some("wrong_ca"), "set sslrootcert to the certificate of the authority"),
        (Some("wrong_name"), "connect to PostgreSQL by a name that its certificate has"),
        (Some("only_cn"), "has no subject alternative name"),
        (None, "server does not support TLS"),
    ] {
        server.serve_certificate(&certificates, kind).await;
        let refused = service(&url).await.unwrap_err();
        assert!(refused.contains(advice), "{kind:?}: {refused}");
        assert!(refused.starts_with("localhost:"), "{refused}");
    }
}

#[tokio::test]
async fn a_client_can_sign_in_by_certificate_and_bind_its_password_to_the_channel() {
    let (certificates, server) = (certificates(), TcpPostgres::start());
    certificates.issue("client", "ca", "/CN=kunta", "keyUsage=digitalSignature", Dates::Valid);
    server.serve_certificate(&certificates, Some("good")).await;
    server.run_commands("create role kunta login; create role bound login password 'sana'").await;
    let lines = "hostssl all kunta 127.0.0.1/32 cert\nhost all bound 127.0.0.1/32 scram-sha-256";
    server.authenticate(lines).await;
    let path = |file: &str| certificates.path(file).display().to_string();
    let roots = format!("sslmode=verify-full&sslrootcert={}", path("ca.pem"));
    let with_certificate = format!("{roots}&sslcert={}&sslkey={}", path("client.pem"), path("client.key"));
    let as_user = |user: &str, parameters: &str| server.url("postgres", parameters).replace("postgres@", user);
    assert_eq!(service(&as_user("kunta@", &with_certificate)).await, Ok(true));
    let refused = service(&as_user("kunta@", &roots)).await.unwrap_err();
    assert!(refused.contains("valid client certificate"), "{refused}");
    let bound = format!("{roots}&channel_binding=require");
    assert_eq!(service(&as_user("bound:sana@", &bound)).await, Ok(true));
    let unbound = service(&as_user("bound:sana@", "sslmode=disable&channel_binding=require")).await.unwrap_err();
    assert!(unbound.contains("channel binding"), "{unbound}");
}
