//! `kuntatutorit seed`.

use clap::Args;
use kuntatutorit::{config::Config, seed::generated};

use super::{
    database::{Database, block_on},
    outcome::{Outcome, describe},
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// After that, generate this many thousand events, with their tutors and as much feedback. This is for measurements:
    /// never use it in a database that people use
    #[arg(long, value_name = "THOUSANDS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    scale: Option<u32>,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> Outcome {
    let database = Database::open_migrated(config)?;
    match database.seed()? {
        Some(seeded) => println!("Loaded {seeded}."),
        None => println!("The database already has data, so nothing was loaded."),
    }
    if let Some(thousands) = arguments.scale {
        let generated =
            generated::generate(&database.parameters, thousands, |progress| println!("Generated {progress}."));
        block_on(generated)?.map_err(describe)?;
    }
    Ok(())
}
