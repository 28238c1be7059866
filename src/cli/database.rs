//! Opens the database for the commands.

use std::future::Future;

use diesel_async::RunQueryDsl as _;
use kuntatutorit::{
    config::Config,
    db::{
        Author, Conn, Db, connection, establish, migrations,
        private_postgres::{Options, PrivatePostgres},
    },
    problem::Result,
    seed::{self, Seeded},
};

use super::outcome::{Outcome, describe};

/// The name of the database in the private PostgreSQL.
const NAME: &str = "kuntatutorit";

/// A database that accepts connections.
pub(super) struct Database {
    pub(super) url: String,
    /// The private PostgreSQL, if this command started it. It stops when this value is dropped.
    pub(super) private: Option<PrivatePostgres>,
}

impl Database {
    /// Opens the database for the service: the database of `DATABASE_URL`, or else the private PostgreSQL, which it starts.
    pub(super) fn open_for_service(config: &Config) -> Outcome<Self> {
        if let Some(url) = &config.database_url {
            return Ok(Self { url: url.expose().to_owned(), private: None });
        }
        let server =
            PrivatePostgres::start(&Options { bin_dir: config.pg_bin_dir.clone(), ..Options::new(&config.data_dir) })?;
        block_on(create_if_missing(server.url("postgres")))?.map_err(describe)?;
        Ok(Self { url: server.url(NAME), private: Some(server) })
    }

    /// Opens the database for another command. The private PostgreSQL may be running already, for the service.
    pub(super) fn open(config: &Config) -> Outcome<Self> {
        match (&config.database_url, PrivatePostgres::running(&config.data_dir, NAME)) {
            (None, Some(url)) => Ok(Self { url, private: None }),
            _ => Self::open_for_service(config),
        }
    }

    /// Opens the database for a command that needs every migration.
    pub(super) fn open_migrated(config: &Config) -> Outcome<Self> {
        let database = Self::open(config)?;
        database.migrate()?;
        Ok(database)
    }

    /// Migrates the database, and returns the migrations that ran.
    pub(super) fn migrate(&self) -> Outcome<Vec<String>> {
        Ok(block_on(migrations::run(&self.url))??)
    }

    /// Runs one transaction.
    pub(super) fn write<T: 'static>(&self, work: impl AsyncFnOnce(&Conn) -> Result<T> + 'static) -> Outcome<T> {
        let system = actix_web::rt::System::new();
        let outcome = system.block_on(async {
            let db = Db::new(&self.url, connection::pool(&self.url, 1)?);
            db.write(Author::default(), work).await
        });
        outcome.map_err(describe)
    }

    /// Loads the reference data if the database is empty.
    pub(super) fn seed(&self) -> Outcome<Option<Seeded>> {
        self.write(async |conn| seed::load(conn).await)
    }
}

/// Runs a future on a runtime with several threads, which Diesel's migrations need.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(work))
}

async fn create_if_missing(admin_url: String) -> Result<()> {
    let mut conn = establish(admin_url).await?;
    let query = format!("select from pg_database where datname = '{NAME}'");
    if diesel::sql_query(query).execute(&mut conn).await? == 0 {
        diesel::sql_query(format!("create database {NAME}")).execute(&mut conn).await?;
    }
    Ok(())
}
