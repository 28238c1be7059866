//! The cost of TLS to PostgreSQL: reads one row by key over the socket, over TCP, and over TCP with TLS.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
    process::Command,
};

use kuntatutorit::db::private_postgres::{Options, PrivatePostgres};
use tokio_postgres::NoTls;

use super::{
    cost, load,
    load::{Request, Sample, Target, script},
    report::median,
    start::{Process, first_answer, service},
};

const POSTGRES_PORT: u16 = 18_482;
const SERVICE_PORT: u16 = 18_483;
const CONNECTIONS: u32 = 16;

/// Measures the three links in alternating rounds, and returns the section of the report.
pub(crate) async fn measure(dir: &Path, rounds: u32, seconds: f64) -> String {
    let dir = dir.join("tls");
    fs::create_dir_all(&dir).unwrap();
    let settings = vec!["listen_addresses=127.0.0.1".to_owned(), format!("port={POSTGRES_PORT}")];
    let server = PrivatePostgres::start(&Options { settings, ..Options::new(&dir) }).unwrap();
    let socket = format!("postgres://postgres@/postgres?host={}/socket&port={POSTGRES_PORT}", dir.display());
    serve_certificate(&dir, &socket).await;
    let tcp = format!("postgres://postgres@localhost:{POSTGRES_PORT}/postgres");
    let root = dir.join("server.pem").display().to_string();
    let links = [
        ("a Unix socket", socket),
        ("TCP", format!("{tcp}?sslmode=disable")),
        ("TCP with TLS (`verify-full`)", format!("{tcp}?sslmode=verify-full&sslrootcert={root}")),
    ];
    let paths = ["049", "091", "092", "186"].map(|code| format!("/v1/municipalities/{code}"));
    let requests = paths.map(|path| Request { headers: Vec::new(), ..Request::get(path, "") });
    let mut samples: [Vec<Sample>; 3] = Default::default();
    for _ in 0..rounds {
        for ((_, url), samples) in links.iter().zip(&mut samples) {
            let process = Process::start(service(&dir, url, SERVICE_PORT).env("PUBLIC_READ", "true"));
            first_answer(SERVICE_PORT, "/readyz");
            let target = Target {
                url: format!("http://127.0.0.1:{SERVICE_PORT}"),
                server: process.id(),
                postmaster: cost::postmaster(&dir),
            };
            samples.push(load::run(&target, &script(1, &requests), CONNECTIONS, seconds));
        }
    }
    drop(server);
    section(&links.map(|(name, _)| name), &samples)
}

fn section(links: &[&str; 3], samples: &[Vec<Sample>; 3]) -> String {
    let mut report = format!(
        "\n## TLS to PostgreSQL\n\nOne municipality by key over {CONNECTIONS} connections.\n\n\
         | link | requests/s | service µs | PostgreSQL µs | together ÷ socket |\n|---|--:|--:|--:|--:|\n"
    );
    let together = |samples: &[Sample]| median(samples, |sample| sample.server + sample.postgres);
    for (link, measured) in links.iter().zip(samples) {
        let _ = writeln!(
            report,
            "| {link} | {:.0} | {:.1} | {:.1} | {:.2} |",
            median(measured, |sample| sample.per_second),
            median(measured, |sample| sample.server),
            median(measured, |sample| sample.postgres),
            together(measured) / together(&samples[0]),
        );
    }
    report
}

/// Lets the server offer TLS with a certificate that is its own authority.
async fn serve_certificate(dir: &Path, socket_url: &str) {
    let (cluster, certificate) = (dir.join("cluster"), dir.join("server.pem"));
    let key = cluster.join("server.key");
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "365",
    ]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout"]).arg(&key);
    assert!(openssl.arg("-out").arg(&certificate).output().unwrap().status.success(), "openssl failed");
    fs::copy(&certificate, cluster.join("server.crt")).unwrap();
    let owner = fs::metadata(&cluster).unwrap();
    for file in [&key, &cluster.join("server.crt")] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let (client, connection) = tokio_postgres::connect(socket_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("alter system set ssl = on").await.unwrap();
    client.batch_execute("select pg_reload_conf()").await.unwrap();
}
