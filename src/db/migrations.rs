//! The migrations, built into the binary.

use diesel::{migration::Migration as _, pg::Pg, sql_types::BigInt};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::{
    connection::{Conn, establish},
    database::Db,
};
use crate::problem::{Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
/// Any number that nothing else on the database locks with.
const LOCK: i64 = 0x6b75_6e74_6174;

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database does not let in.
    #[error("cannot reach the database: {0}; check DATABASE_URL, and that the server runs and lets in")]
    Connection(#[from] diesel::ConnectionError),
    /// A migration of the database is not known to this binary.
    #[error("the database has the migration {0}, which this version does not know: run a newer kuntatutorit")]
    Newer(String),
    /// A migration failed.
    #[error("the migration failed, and the database is as it was before it: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Brings the database up to date, under a lock: several instances may start at once. Gives the
/// migrations that ran. Call it on a multi-thread runtime.
///
/// # Errors
/// When the database is away, is newer than this binary, or a migration fails.
pub async fn run(url: &str) -> Result<Vec<String>, MigrateError> {
    let mut harness = locked(url).await?;
    refuse_newer(&mut harness)?;
    let ran = harness.run_pending_migrations(MIGRATIONS).map_err(MigrateError::Failed)?;
    let ran = ran.iter().map(ToString::to_string).collect();
    settle_ledger(&mut harness.into_inner()).await?;
    Ok(ran)
}

/// After a dump was restored into another cluster, whose transactions count from lower on: what the ledger has from
/// the old one happened before all that is to come.
async fn settle_ledger(conn: &mut Conn) -> Result<(), MigrateError> {
    let foreign = "update changes set xid = 0 where xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    diesel::sql_query(foreign).execute(conn).await?;
    Ok(())
}

/// Takes every migration back, newest first: for the test that up and down agree.
///
/// # Errors
/// As [`run`].
pub async fn revert_all(url: &str) -> Result<(), MigrateError> {
    let harness = &mut locked(url).await?;
    harness.revert_all_migrations(MIGRATIONS).map_err(MigrateError::Failed)?;
    Ok(())
}

async fn locked(url: &str) -> Result<AsyncMigrationHarness<Conn>, MigrateError> {
    let mut conn = establish(url.to_owned()).await?;
    // Long work: the limits of a request do not hold here.
    diesel::sql_query("set statement_timeout = 0").execute(&mut conn).await?;
    diesel::sql_query("set lock_timeout = 0").execute(&mut conn).await?;
    diesel::sql_query("select pg_advisory_lock($1)").bind::<BigInt, _>(LOCK).execute(&mut conn).await?;
    Ok(AsyncMigrationHarness::new(conn))
}

fn known() -> Result<Vec<String>, MigrateError> {
    use diesel::migration::MigrationSource;
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(MigrateError::Failed)?;
    Ok(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn refuse_newer(harness: &mut AsyncMigrationHarness<Conn>) -> Result<(), MigrateError> {
    let known = known()?;
    let applied = harness.applied_migrations().map_err(MigrateError::Failed)?;
    match applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        Some(unknown) => Err(MigrateError::Newer(unknown)),
        None => Ok(()),
    }
}

/// Whether the database has exactly this binary's migrations.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer or is not up to date.
pub async fn check(db: &Db) -> Result<()> {
    let query = "select version from __diesel_schema_migrations order by version";
    let applied = db.read(async |mut conn| Ok(diesel::sql_query(query).load::<Applied>(&mut conn).await?)).await?;
    let mut known = known().map_err(|error| Error::Internal(error.into()))?;
    known.sort();
    if applied.iter().map(|row| &row.version).eq(&known) { Ok(()) } else { Err(Error::Unavailable) }
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}
