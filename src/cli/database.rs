//! Reaching the database from the command line: the one that is set, the private one that runs, or the
//! private one, started for as long as the command takes.

use std::future::Future;

use clap::Args;
use diesel_async::RunQueryDsl as _;
use kuntatutorit::{
    config::Config,
    db,
    db::{
        Author, Db, migrations,
        private_postgres::{Options, PrivatePostgres},
    },
    problem::{Error, Result},
    seed,
    seed::Seeded,
};

use super::outcome::Outcome;

/// The name of the private database.
const NAME: &str = "kuntatutorit";

/// A database that can be reached; a private PostgreSQL that was started for it stops when this is dropped.
pub(super) struct Database {
    pub(super) url: String,
    pub(super) private: Option<PrivatePostgres>,
}

impl Database {
    /// For the service: starts the private PostgreSQL unless another database is set.
    pub(super) fn open(config: &Config) -> Outcome<Self> {
        if let Some(url) = &config.database_url {
            return Ok(Self { url: url.expose().to_owned(), private: None });
        }
        let server =
            PrivatePostgres::start(&Options { bin_dir: config.pg_bin_dir.clone(), ..Options::new(&config.data_dir) })?;
        block_on(make(server.url("postgres")))??;
        Ok(Self { url: server.url(NAME), private: Some(server) })
    }

    /// For a command: the private PostgreSQL may be running already.
    pub(super) fn reach(config: &Config) -> Outcome<Self> {
        match (&config.database_url, PrivatePostgres::running(&config.data_dir, NAME)) {
            (None, Some(url)) => Ok(Self { url, private: None }),
            _ => Self::open(config),
        }
    }

    /// For a command that needs it up to date.
    pub(super) fn migrated(config: &Config) -> Outcome<Self> {
        let database = Self::reach(config)?;
        database.migrate()?;
        Ok(database)
    }

    /// Brings it up to date and gives what ran.
    pub(super) fn migrate(&self) -> Outcome<Vec<String>> {
        Ok(block_on(migrations::run(&self.url))??)
    }

    /// Runs one transaction.
    pub(super) fn write<T: 'static>(&self, work: impl AsyncFnOnce(&db::Conn) -> Result<T> + 'static) -> Outcome<T> {
        let system = actix_web::rt::System::new();
        let outcome = system.block_on(async {
            let db = Db::new(&self.url, db::connection::pool(&self.url, 1)?);
            db.write(Author::default(), work).await
        });
        outcome.map_err(told)
    }

    /// Loads the reference data if the database is empty.
    pub(super) fn seed(&self) -> Outcome<Option<Seeded>> {
        self.write(async |conn| seed::load(conn).await)
    }
}

/// A terminal has no `errors` to look into and no `request_id` to quote: all is in the sentence.
pub(super) fn told(error: Error) -> Box<dyn std::error::Error> {
    match error {
        Error::Invalid(violations) => {
            let rules = violations.iter().map(|rule| {
                let field = rule.pointer.as_deref().unwrap_or_default().trim_start_matches('/');
                format!("{field}: {}", rule.detail)
            });
            rules.collect::<Vec<_>>().join("; ").into()
        }
        Error::NotFound => "there is nothing with this id or e-mail address; `list` shows what there is".into(),
        Error::Internal(cause) => cause,
        other => other.into(),
    }
}

/// Runs on a multi-thread runtime: diesel's migrations need one.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(work))
}

async fn make(admin_url: String) -> Result<()> {
    let mut conn = db::establish(admin_url).await?;
    let query = format!("select from pg_database where datname = '{NAME}'");
    if diesel::sql_query(query).execute(&mut conn).await? == 0 {
        diesel::sql_query(format!("create database {NAME}")).execute(&mut conn).await?;
    }
    Ok(())
}

pub(super) fn migrate(config: &Config) -> Outcome {
    match Database::reach(config)?.migrate()?.as_slice() {
        [] => println!("The database is up to date."),
        ran => println!("Migrated: {}.", ran.join(", ")),
    }
    Ok(())
}

#[derive(Args)]
pub(crate) struct SeedArguments {
    /// Then generate so many thousand events, with their tutors and as much feedback: for measuring, never for use
    #[arg(long, value_name = "THOUSANDS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    scale: Option<u32>,
}

pub(super) fn seed(config: &Config, arguments: &SeedArguments) -> Outcome {
    let database = Database::reach(config)?;
    database.migrate()?;
    match database.seed()? {
        Some(seeded) => println!("Loaded {seeded}."),
        None => println!("The database has data already; nothing was loaded."),
    }
    if let Some(thousands) = arguments.scale {
        let generated =
            seed::generated::generate(&database.url, thousands, |progress| println!("Generated {progress}."));
        block_on(generated)?.map_err(told)?;
    }
    Ok(())
}
