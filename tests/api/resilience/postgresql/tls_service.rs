//! The service over TLS: every connection is encrypted, and a certificate that expires is mended without a restart.

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use kuntatutorit::{db::migrations, seed};

use crate::support::{
    certificates::{Certificates, Dates},
    databases::{parameters, run},
    process::{Service, outcome, program_on},
    sql::query_lines_at,
    tcp_postgres::TcpPostgres,
};

const FOR_LOCALHOST: &str = "subjectAltName=DNS:localhost";

fn certificates() -> Certificates {
    let certificates = Certificates::with_authority("Authority");
    certificates.issue("good", "ca", "/CN=localhost", FOR_LOCALHOST, Dates::Valid);
    certificates.issue("expired", "ca", "/CN=localhost", FOR_LOCALHOST, Dates::Expired);
    certificates
}

/// A server with the reference data.
fn seeded() -> TcpPostgres {
    let server = TcpPostgres::start();
    run(async {
        migrations::run(&parameters(&server.socket_url())).await.unwrap();
        seed::load(&AsyncPgConnection::establish(&server.socket_url()).await.unwrap()).await.unwrap();
    });
    server
}

#[tokio::test]
async fn a_certificate_that_expires_gives_503_until_it_is_renewed() {
    let (certificates, server) = (certificates(), seeded());
    server.serve_certificate(&certificates, Some("good")).await;
    let root = certificates.path("ca.pem").display().to_string();
    let url = server.url("postgres", &format!("sslmode=verify-full&sslrootcert={root}"));
    let mut program = program_on(&url);
    program.env("PUBLIC_READ", "true");
    let service = Service::start(program);
    let anonymous = service.anonymous();
    anonymous.get("/v1/events").await.expect(200);
    anonymous.get("/readyz").await.expect(200);
    let encrypted = "select format('%s of %s', count(*) filter (where ssl), count(*)) as line from pg_stat_ssl join \
                     pg_stat_activity using (pid) where application_name = 'kuntatutorit'";
    let connections = query_lines_at(&server.socket_url(), encrypted).await.remove(0);
    let (with_tls, all) = connections.split_once(" of ").unwrap();
    assert!(with_tls == all && all.parse::<u32>().unwrap() >= 3, "{connections}");

    server.serve_certificate(&certificates, Some("expired")).await;
    let end =
        "select pg_terminate_backend(pid)::text as line from pg_stat_activity where application_name = 'kuntatutorit'";
    query_lines_at(&server.socket_url(), end).await;
    let unavailable = anonymous.until_status("/v1/events?limit=3", 503).await;
    assert!(unavailable.headers.contains_key("retry-after"));
    while !service.log().contains("renew PostgreSQL's certificate") {
        anonymous.get("/v1/events?limit=3").await.expect(503);
    }

    server.serve_certificate(&certificates, Some("good")).await;
    anonymous.until_status("/v1/events?limit=3", 200).await;
    assert!(!service.log().contains("\"status\":500"), "{}", service.log());
}

#[tokio::test]
async fn the_platforms_certificates_can_be_trusted() {
    let (certificates, server) = (certificates(), TcpPostgres::start());
    server.serve_certificate(&certificates, Some("good")).await;
    let url = server.url("postgres", "sslrootcert=system");
    let mut program = program_on(&url);
    let trusted = program.arg("migrate").env("SSL_CERT_FILE", certificates.path("ca.pem")).output().unwrap();
    assert!(trusted.status.success(), "{}", String::from_utf8_lossy(&trusted.stderr));
    let refused = outcome(&url, &["migrate"], "");
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && text.contains("set sslrootcert to the certificate"), "{text}");
}

#[tokio::test]
async fn a_link_that_is_not_verified_is_reported_at_the_start() {
    let server = seeded();
    for (parameters, weakness) in
        [("sslmode=disable", "it is not encrypted"), ("", "it is encrypted only if TLS succeeds")]
    {
        let service = Service::start(program_on(&server.url("postgres", parameters)));
        let log = service.log();
        let warnings = log.lines().filter(|line| line.contains("the link to PostgreSQL is not safe"));
        assert_eq!(warnings.clone().count(), 1, "{log}");
        assert!(warnings.clone().all(|line| line.contains(weakness)), "{log}");
    }
}
