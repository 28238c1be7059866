//! `kuntatutorit migrate`.

use kuntatutorit::config::Config;

use super::{database::Database, outcome::Outcome};

pub(super) fn run(config: &Config) -> Outcome {
    match Database::open(config)?.migrate()?.as_slice() {
        [] => println!("The database is up to date."),
        ran => println!("Ran the migrations {}.", ran.join(", ")),
    }
    Ok(())
}
