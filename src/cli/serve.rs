//! `kuntatutorit serve`.

use std::io::Write as _;

use kuntatutorit::{
    auth::keys::key_ring::KeyRing, clock::Clock, config::Config, server as app, telemetry::log as telemetry,
};

use super::{database::Database, outcome::Outcome};

pub(super) fn run(config: &Config) -> Outcome {
    telemetry::start(config.log_format, &config.log_level)?;
    telemetry::log_panics();
    app::raise_file_limit();
    if config.database_url.is_none() {
        tracing::info!(data_dir = %config.data_dir.display(), "starting the private PostgreSQL");
    }
    let database = Database::open(config)?;
    for migration in database.migrate()? {
        tracing::info!(migration, "migrated");
    }
    if let Some(seeded) = database.seed()? {
        tracing::info!("loaded {seeded}");
    }
    let keys = KeyRing::load_or_generate(&config.key_dir)?;
    let system = actix_web::rt::System::new();
    system.block_on(async {
        let running = app::build(config.clone(), keys, &database.url, Clock::default()).await?;
        if database.private.is_some() {
            // The private instance's tokens are made by another process, which needs the issuer's name.
            std::fs::write(config.data_dir.join("public_url"), &running.public_url)?;
        }
        welcome(config, &database, &running.public_url);
        running.server.await?;
        tracing::info!("stopped");
        Ok(())
    })
}

/// For a person at a terminal: where everything is and what to paste next.
fn welcome(config: &Config, database: &Database, base: &str) {
    let mut out = std::io::stdout().lock();
    let data = match &database.private {
        Some(_) => format!("{} (private PostgreSQL)", config.data_dir.display()),
        None => "the database of DATABASE_URL".to_owned(),
    };
    let next = match (&database.private, config.public_read) {
        (Some(_), _) => format!(
            "  TOKEN=$(make -s token ROLE=coordinator)\n  curl -s -H \"Authorization: Bearer $TOKEN\" '{base}/v1/municipalities?sort=name&limit=3'"
        ),
        (None, true) => format!("  curl -s '{base}/v1/municipalities?sort=name&limit=3'"),
        (None, false) => "  kuntatutorit account add --help".to_owned(),
    };
    // A closed standard output does not stop the service.
    let _ = writeln!(
        out,
        "\nKuntatutorit serves.\n  API            {base}/v1\n  documentation  {base}/docs/\n  data           {data}\n\nTry, in another terminal:\n{next}\n\nCtrl-C stops it.\n"
    );
    let _ = out.flush();
}
