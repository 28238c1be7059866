//! Database migrations, built into the binary.

use diesel::{QueryResult, migration::Migration as _, pg::Pg, sql_types::BigInt};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::{
    connection::{Conn, establish},
    database::Db,
    lock_watch::LockWatch,
};
use crate::{
    connection_parameters::ConnectionParameters,
    problem::{Error, Result},
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
/// The key of the advisory lock: an arbitrary number that nothing else locks in the same database.
const LOCK: i64 = 0x6b75_6e74_6174;
/// The first migration of version 0.1. Version 0.2 replaced all migrations of 0.1 with its own.
const FIRST_OF_VERSION_0_1: &str = "00000000000000";

/// Why the database could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL did not accept the connection.
    #[error("cannot connect to the database: {0}; check DATABASE_URL, and that the server runs and accepts this user")]
    Connection(#[from] diesel::ConnectionError),
    /// Version 0.1 created the database.
    #[error(
        "kuntatutorit 0.1 created this database, and this version cannot migrate it: create a new database with \
         `kuntatutorit migrate` and copy the data with `pg_dump --data-only --disable-triggers`, as described under \
         \"Upgrading from 0.1\" in docs/operations.md"
    )]
    FromVersion0_1,
    /// The database has a migration that this binary does not have.
    #[error("the database has the migration {0}, which this version does not know: run a newer kuntatutorit")]
    Newer(String),
    /// The role may not change the tables.
    #[error(
        "the database needs the migrations of this version, but its user may not make them: {0}; run `kuntatutorit migrate` \
         as the role that owns the tables, or set MIGRATION_DATABASE_URL to a URL with that role"
    )]
    NotAllowed(String),
    /// A migration failed.
    #[error("the migration failed, and the database is unchanged: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Migrates the database to the version of this binary, and returns the migrations that ran.
///
/// An advisory lock lets several instances start at the same time. Diesel's migrations need a multi-thread runtime.
pub async fn run(parameters: &ConnectionParameters) -> Result<Vec<String>, MigrateError> {
    if is_current(parameters).await? {
        return Ok(Vec::new());
    }
    let mut conn = establish(parameters).await?;
    let _watch = LockWatch::begin(parameters, &mut conn, "the migration of the database").await?;
    let mut harness = take_lock(conn).await?;
    refuse_unknown(&mut harness)?;
    let ran = harness.run_pending_migrations(MIGRATIONS).map_err(failure)?;
    Ok(ran.iter().map(ToString::to_string).collect())
}

/// Returns whether the database has every migration. This needs no lock and no right to change tables.
async fn is_current(parameters: &ConnectionParameters) -> Result<bool, MigrateError> {
    let mut conn = establish(parameters).await?;
    let exists = diesel::sql_query("select where to_regclass('__diesel_schema_migrations') is not null");
    Ok(exists.execute(&mut conn).await? == 1 && applied(&conn).await? == sorted_known()?)
}

/// Describes why a migration failed.
fn failure(error: Box<dyn std::error::Error + Send + Sync>) -> MigrateError {
    let text = error.to_string();
    let is_denied = text.contains("permission denied") || text.contains("must be owner");
    if is_denied { MigrateError::NotAllowed(text) } else { MigrateError::Failed(error) }
}

/// Takes the lock of migrations on this connection. A migration may take longer than the statements of a request.
async fn take_lock(mut conn: Conn) -> Result<AsyncMigrationHarness<Conn>, MigrateError> {
    diesel::sql_query("set statement_timeout = 0").execute(&mut conn).await?;
    diesel::sql_query("set lock_timeout = 0").execute(&mut conn).await?;
    diesel::sql_query("select pg_advisory_lock($1)").bind::<BigInt, _>(LOCK).execute(&mut conn).await?;
    Ok(AsyncMigrationHarness::new(conn))
}

/// Returns the versions of the migrations of this binary.
fn known() -> Result<Vec<String>, MigrateError> {
    use diesel::migration::MigrationSource;
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(MigrateError::Failed)?;
    Ok(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Refuses a database with a migration that this binary does not have.
fn refuse_unknown(harness: &mut AsyncMigrationHarness<Conn>) -> Result<(), MigrateError> {
    let known = known()?;
    let applied = harness.applied_migrations().map_err(failure)?;
    let applied: Vec<_> = applied.iter().map(ToString::to_string).collect();
    if applied.iter().any(|version| version == FIRST_OF_VERSION_0_1) {
        return Err(MigrateError::FromVersion0_1);
    }
    match applied.into_iter().find(|version| !known.contains(version)) {
        Some(unknown) => Err(MigrateError::Newer(unknown)),
        None => Ok(()),
    }
}

/// Checks that the database has exactly the migrations of this binary.
///
/// # Errors
/// [`Error::Unavailable`] if PostgreSQL does not answer or the migrations differ.
pub async fn check(db: &Db) -> Result<()> {
    let applied = db.read(async |conn| Ok(applied(conn).await?)).await?;
    let known = sorted_known().map_err(|error| Error::Internal(error.into()))?;
    if applied == known { Ok(()) } else { Err(Error::Unavailable) }
}

/// Returns the versions of the migrations that the database has.
async fn applied(mut conn: &Conn) -> QueryResult<Vec<String>> {
    let query = "select version from __diesel_schema_migrations order by version";
    let applied: Vec<Applied> = diesel::sql_query(query).load(&mut conn).await?;
    Ok(applied.into_iter().map(|row| row.version).collect())
}

fn sorted_known() -> Result<Vec<String>, MigrateError> {
    let mut known = known()?;
    known.sort();
    Ok(known)
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}
