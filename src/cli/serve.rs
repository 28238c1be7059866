//! `kuntatutorit serve`.

use std::io::Write as _;

use kuntatutorit::{
    auth::keys::key_ring::KeyRing,
    clock::Clock,
    config::Config,
    server,
    telemetry::log::{self, log_panics},
};

use super::{database::Database, outcome::Outcome};

pub(super) fn run(config: &Config) -> Outcome {
    log::start(config.log_format, &config.log_level)?;
    log_panics();
    server::raise_file_limit();
    if config.database.is_none() {
        tracing::info!(data_dir = %config.data_dir.display(), "starting the private PostgreSQL");
    }
    let database = Database::open_for_service(config)?;
    if let Some(weakness) = database.parameters.weakness() {
        tracing::warn!("the link to PostgreSQL is not safe: {weakness}; set sslmode=verify-full and sslrootcert");
    }
    for migration in database.migrate()? {
        tracing::info!(migration, "ran a migration");
    }
    if let Some(seeded) = database.seed()? {
        tracing::info!("loaded {seeded}");
    }
    let keys = KeyRing::load_or_generate(&config.key_dir)?;
    let system = actix_web::rt::System::new();
    system.block_on(async {
        let running = server::build(config.clone(), keys, &database.parameters, Clock::default()).await?;
        if database.private.is_some() {
            // `kuntatutorit token` reads it: a token must name the public URL, and PORT=0 is known only here.
            std::fs::write(config.data_dir.join("public_url"), &running.public_url)?;
        }
        print_welcome(config, &database, &running.public_url);
        running.server.await?;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Prints the addresses of the service, the place of its data, and a first request to try.
fn print_welcome(config: &Config, database: &Database, url: &str) {
    let program = std::env::args().next().unwrap_or_else(|| "kuntatutorit".to_owned());
    let data = match &database.private {
        Some(_) => format!("{} (private PostgreSQL)", config.data_dir.display()),
        None => "the database of DATABASE_URL".to_owned(),
    };
    let read = format!("'{url}/v1/municipalities?sort=name&limit=3'");
    let next = match (&database.private, config.public_read) {
        (Some(_), _) => format!(
            "  TOKEN=$({program} token --role coordinator)\n  curl -sS -H \"Authorization: Bearer $TOKEN\" {read}"
        ),
        (None, true) => format!("  curl -sS {read}"),
        (None, false) => format!("  {program} account add --help"),
    };
    let mut out = std::io::stdout().lock();
    // The service runs on when standard output is closed.
    let _ = writeln!(
        out,
        "\nKuntatutorit serves requests.\n  API            {url}/v1\n  documentation  {url}/docs/\n  \
         data           {data}\n\nTry this in another terminal:\n{next}\n\nPress Ctrl-C to stop the service.\n"
    );
    let _ = out.flush();
}
