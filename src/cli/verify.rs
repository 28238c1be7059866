//! `kuntatutorit verify`.

use kuntatutorit::{
    config::Config,
    resources::feedback::summaries::verify::{self, Difference},
};

use super::{
    database::{Database, block_on},
    outcome::{Outcome, describe},
};

async fn differences(database: &Database) -> Outcome<Vec<Difference>> {
    let mut conn = database.connect().await?;
    verify::run(&mut conn).await.map_err(describe)
}

pub(super) fn run(config: &Config) -> Outcome {
    let database = Database::open(config)?;
    let differences = block_on(differences(&database))??;
    for difference in &differences {
        println!("{difference}");
    }
    let count = match differences.len() {
        0 => {
            println!("The summaries of feedback match the feedback.");
            return Ok(());
        }
        1 => "1 difference".to_owned(),
        number => format!("{number} differences"),
    };
    Err(format!(
        "the summaries of feedback do not match the feedback: {count}; report this as a bug, with the lines above, which \
         contain no personal data"
    )
    .into())
}
