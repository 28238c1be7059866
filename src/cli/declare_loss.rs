//! `kuntatutorit declare-loss`.

use kuntatutorit::config::Config;

use super::{
    database::{Database, block_on},
    outcome::Outcome,
};

pub(super) fn run(config: &Config) -> Outcome {
    let database = Database::open_migrated(config)?;
    block_on(database.begin_epoch_after_loss())??;
    println!("Systems that follow /v1/changes will be told to create their copies again.");
    Ok(())
}
