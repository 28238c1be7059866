//! `kuntatutorit verify`.

use kuntatutorit::{config::Config, resources::feedback::summaries::verify};

use super::{
    database::{Database, block_on},
    outcome::Outcome,
};

pub(super) fn run(config: &Config) -> Outcome {
    let database = Database::reach(config)?;
    let differences = block_on(verify::run(&database.url))??;
    for difference in &differences {
        println!("{difference}");
    }
    match differences.len() {
        0 => {
            println!("The summaries of feedback are what the feedback says.");
            Ok(())
        }
        number => Err(format!("the summaries of feedback are not what they should be: {number} differ").into()),
    }
}
