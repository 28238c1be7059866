//! `kuntatutorit serve`.

use std::io::Write as _;

use kuntatutorit::{
    auth::keys::key_ring::KeyRing,
    clock::Clock,
    config::{Config, LogFormat},
    connection_parameters::ConnectionParameters,
    db::private_postgres::PrivatePostgresError,
    server,
    telemetry::log::{self, log_panics},
};

use tokio::sync::oneshot;

use super::{database::Database, outcome::Outcome};

pub(super) fn run(config: &Config) -> Outcome {
    log::start(config.log_format, &config.log_level)?;
    log_panics();
    server::raise_file_limit();
    server::ports::check(config)?;
    if config.database.is_none() {
        tracing::info!(data_dir = %config.data_dir.display(), "starting the private PostgreSQL");
    }
    // Mistakes in KEY_DIR are found before a database is created. The default is in DATA_DIR, which the private
    // PostgreSQL creates with the rights that it needs.
    let has_keys = config.key_dir.exists() || !config.key_dir.starts_with(&config.data_dir);
    let keys = has_keys.then(|| KeyRing::load_or_generate(&config.key_dir)).transpose()?;
    let mut database = Database::open_for_service(config)?;
    for migration in database.migrate()? {
        tracing::info!(migration, "ran a migration");
    }
    if let Some(seeded) = database.seed()? {
        tracing::info!("loaded {seeded}");
    }
    let keys = keys.map_or_else(|| KeyRing::load_or_generate(&config.key_dir), Ok)?;
    let (give_up, given_up) = oneshot::channel();
    let private = database.private.take().map(|server| {
        server.keep_running(|error| {
            // When nobody receives it any more, the service is stopping.
            let _ = give_up.send(error);
        })
    });
    // It stops PostgreSQL when it is dropped, after the server has stopped.
    let _private = private.transpose()?;
    let system = actix_web::rt::System::new();
    system.block_on(serve(config, keys, &database.parameters.for_requests(), given_up))
}

/// Serves until a signal stops the service or the private PostgreSQL cannot be kept running.
async fn serve(
    config: &Config,
    keys: KeyRing,
    database: &ConnectionParameters,
    given_up: oneshot::Receiver<PrivatePostgresError>,
) -> Outcome {
    let running = server::build(config.clone(), keys, database, Clock::default()).await?;
    if config.database.is_none() {
        // `kuntatutorit token` reads it: a token must name the public URL, and PORT=0 is known only here.
        std::fs::write(config.data_dir.join("public_url"), &running.public_url)?;
    }
    print_welcome(config, &running.public_url);
    let mut server = running.server;
    let handle = server.handle();
    tokio::select! {
        stopped = &mut server => stopped?,
        Ok(error) = given_up => {
            // `stop` sends its command at once.
            drop(handle.stop(false));
            server.await?;
            return Err(error.into());
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Prints the addresses of the service, the place of its data, and a first request to try. With a JSON log, which
/// programs read, it logs the addresses instead.
fn print_welcome(config: &Config, url: &str) {
    let program = std::env::args().next().unwrap_or_else(|| "kuntatutorit".to_owned());
    let is_private = config.database.is_none();
    let data = if is_private {
        format!("{} (private PostgreSQL)", config.data_dir.display())
    } else {
        "the database of DATABASE_URL".to_owned()
    };
    let (api, documentation) = (format!("{url}/v1"), format!("{url}/docs/"));
    if config.log_format == LogFormat::Json {
        tracing::info!(api, documentation, data, "Kuntatutorit serves requests");
        return;
    }
    let read = format!("'{url}/v1/municipalities?sort=name&limit=3'");
    let next = match (is_private, config.public_read) {
        (true, _) => format!(
            "  TOKEN=$({program} token --role coordinator)\n  curl -sS -H \"Authorization: Bearer $TOKEN\" {read}"
        ),
        (false, true) => format!("  curl -sS {read}"),
        (false, false) => format!("  {program} account add --help"),
    };
    let mut out = std::io::stdout().lock();
    // The service runs on when standard output is closed.
    let _ = writeln!(
        out,
        "\nKuntatutorit serves requests.\n  API            {api}\n  documentation  {documentation}\n  \
         data           {data}\n\nTry this in another terminal:\n{next}\n\nPress Ctrl-C to stop the service.\n"
    );
    let _ = out.flush();
}
