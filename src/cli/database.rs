//! Opens the database for the commands.

use std::future::Future;

use diesel_async::RunQueryDsl as _;
use kuntatutorit::{
    config::Config,
    connection_parameters::ConnectionParameters,
    db::{
        Author, Conn, Db,
        connection::{self, require_session_pooling},
        epoch, establish,
        migrations::{self, MigrateError},
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
    pub(super) parameters: ConnectionParameters,
    /// The same database as a role that may change its tables, if it is another role.
    migration_parameters: Option<ConnectionParameters>,
    /// The private PostgreSQL, if this command started it. It stops when this value is dropped.
    pub(super) private: Option<PrivatePostgres>,
}

impl Database {
    /// Opens the database for the service: the database of `DATABASE_URL`, or else the private PostgreSQL, which it starts.
    pub(super) fn open_for_service(config: &Config) -> Outcome<Self> {
        if let Some(parameters) = &config.database {
            let migration_parameters = config.migration_database.as_ref().map(ConnectionParameters::for_commands);
            let database = Self { parameters: parameters.for_commands(), migration_parameters, private: None };
            database.warn_of_weak_links();
            block_on(database.require_usable())??;
            return Ok(database);
        }
        let server =
            PrivatePostgres::start(&Options { bin_dir: config.pg_bin_dir.clone(), ..Options::new(&config.data_dir) })?;
        let admin = ConnectionParameters::parse(&server.url("postgres"))?.for_commands();
        block_on(create_if_missing(&admin))?.map_err(describe)?;
        Self::of_private(&server.url(NAME), Some(server))
    }

    fn of_private(url: &str, private: Option<PrivatePostgres>) -> Outcome<Self> {
        let parameters = ConnectionParameters::parse(url)?.for_commands();
        Ok(Self { parameters, migration_parameters: None, private })
    }

    /// Opens the database for another command. The private PostgreSQL may be running already, for the service.
    pub(super) fn open(config: &Config) -> Outcome<Self> {
        match (&config.database, PrivatePostgres::running(&config.data_dir, NAME)) {
            (None, Some(url)) => Self::of_private(&url, None),
            _ => Self::open_for_service(config),
        }
    }

    /// Opens the database for a command that needs every migration.
    pub(super) fn open_migrated(config: &Config) -> Outcome<Self> {
        let database = Self::open(config)?;
        database.migrate()?;
        Ok(database)
    }

    fn warn_of_weak_links(&self) {
        for (setting, parameters) in self.settings() {
            if let Some(weakness) = parameters.weakness() {
                tracing::warn!(
                    "the link to PostgreSQL is not safe: {weakness}; set sslmode=verify-full and sslrootcert in {setting}"
                );
            }
        }
    }

    /// Returns the parameters with the names of their settings.
    fn settings(&self) -> impl Iterator<Item = (&'static str, &ConnectionParameters)> {
        let migration = self.migration_parameters.iter().map(|parameters| ("MIGRATION_DATABASE_URL", parameters));
        migration.chain([("DATABASE_URL", &self.parameters)])
    }

    /// Refuses hosts that do not exist, and a connection pooler that does not keep sessions.
    async fn require_usable(&self) -> Outcome {
        for (setting, parameters) in self.settings() {
            if let Some(host) = parameters.unknown_host().await {
                return Err(format!("no host has the name `{host}`; correct it in {setting}").into());
            }
            require_session_pooling(parameters).await.map_err(|error| {
                format!("cannot connect to the database: {error}; check {setting}, and that the server runs and accepts this user")
            })?;
        }
        Ok(())
    }

    fn migration_parameters(&self) -> &ConnectionParameters {
        self.migration_parameters.as_ref().unwrap_or(&self.parameters)
    }

    /// Migrates the database, and returns the migrations that ran.
    pub(super) fn migrate(&self) -> Outcome<Vec<String>> {
        Ok(block_on(migrations::run(self.migration_parameters()))??)
    }

    /// Begins a new epoch of the change ledger, after writes were lost.
    pub(super) async fn begin_epoch_after_loss(&self) -> Outcome {
        let mut conn = establish(self.migration_parameters()).await.map_err(MigrateError::from)?;
        epoch::begin_after_loss(&mut conn).await.map_err(describe)
    }

    /// Opens a connection. The error says why PostgreSQL did not accept it.
    pub(super) async fn connect(&self) -> Outcome<Conn> {
        Ok(establish(&self.parameters).await.map_err(MigrateError::from)?)
    }

    /// Runs one transaction.
    pub(super) fn write<T: 'static>(&self, work: impl AsyncFnOnce(&Conn) -> Result<T> + 'static) -> Outcome<T> {
        let system = actix_web::rt::System::new();
        let outcome = system.block_on(async {
            let db = Db::new(&self.parameters, connection::pool(&self.parameters, 1)?);
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

async fn create_if_missing(admin: &ConnectionParameters) -> Result<()> {
    let mut conn = establish(admin).await?;
    let query = format!("select from pg_database where datname = '{NAME}'");
    if diesel::sql_query(query).execute(&mut conn).await? == 0 {
        diesel::sql_query(format!("create database {NAME}")).execute(&mut conn).await?;
    }
    Ok(())
}
