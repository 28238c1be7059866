//! `kuntatutorit account …`.

use std::io::BufRead as _;

use clap::Subcommand;
use kuntatutorit::{
    auth::{passwords, reach::Role},
    config::Config,
    resources::accounts::{self, model::NewAccount},
};
use uuid::Uuid;

use super::{Outcome, database::Database};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an account; its password is read from standard input
    #[command(
        after_help = "Examples:\n  kuntatutorit account add --email coordinator@example.org --role coordinator < password.txt\n  \
                            kuntatutorit account add --email digituki@example.org --role municipality --municipality 049 < password.txt"
    )]
    Add {
        /// The e-mail address to sign in with
        #[arg(long)]
        email: String,
        /// What the account is to the network
        #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
        role: String,
        /// The municipality that it acts for: three digits
        #[arg(long)]
        municipality: Option<String>,
        /// The id of the tutor that it is
        #[arg(long)]
        tutor: Option<Uuid>,
    },
}

pub(super) fn run(config: &Config, command: Command) -> Outcome {
    let Command::Add { email, role, municipality, tutor } = command;
    let role = match role.as_str() {
        "coordinator" => Role::Coordinator,
        "municipality" => Role::Municipality,
        _ => Role::Tutor,
    };
    let password = read_password()?;
    let database = Database::reach(config)?;
    database.migrate()?;
    let account = database.write(async move |conn| {
        let password_hash = Some(passwords::hash(password).await?);
        let id = Uuid::now_v7();
        let email = email.trim().to_lowercase();
        let new = NewAccount { id, email, role, municipality_code: municipality, tutor_id: tutor, password_hash };
        accounts::store::create(conn, new).await
    })?;
    println!("Made the account {} ({}).", account.id, account.role.as_str());
    Ok(())
}

fn read_password() -> Outcome<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if passwords::LENGTH.contains(&password.chars().count()) {
        Ok(password)
    } else {
        Err(format!(
            "the password must have {} to {} characters: give it on standard input, in one line",
            passwords::LENGTH.start(),
            passwords::LENGTH.end()
        )
        .into())
    }
}
