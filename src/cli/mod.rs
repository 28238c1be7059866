//! The commands and their arguments.

mod accounts;
mod clients;
mod database;
mod health;
mod outcome;
mod serve;
mod token;
mod verify;

use self::outcome::Outcome;
use clap::{Parser, Subcommand};
use kuntatutorit::{
    auth::keys::key_ring::KeyRing,
    config::{Config, SETTINGS},
    server as app,
};

/// The system of record of a network of digital support, as a JSON API.
#[derive(Parser)]
#[command(version, about, after_help = settings_help(), arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API: starts a private PostgreSQL unless `DATABASE_URL` is set, migrates, loads the reference
    /// data into an empty database
    #[command(after_help = "Example:\n  PORT=9090 PUBLIC_READ=true kuntatutorit serve")]
    Serve,
    /// Bring the database up to date
    #[command(after_help = "Example:\n  DATABASE_URL=postgres://kunta@db.example/kunta kuntatutorit migrate")]
    Migrate,
    /// Load the reference data into an empty database
    #[command(
        after_help = "Examples:\n  kuntatutorit seed\n  DATABASE_URL=postgres://kunta@db.example/bench kuntatutorit seed --scale 100"
    )]
    Seed(database::SeedArguments),
    /// Manage the accounts of people
    #[command(subcommand)]
    Account(accounts::Command),
    /// Manage the clients of partner systems
    #[command(subcommand)]
    Client(clients::Command),
    /// Manage the keys that sign access tokens
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print an access token, good for ten minutes, for trying things out
    Token(token::Arguments),
    /// Recompute the summaries of feedback and tell what differs
    #[command(
        long_about = "Recompute every summary of feedback from the feedback itself and tell what differs, by event. It \
                      also checks that each step in which something was published took in three municipalities at \
                      least. It changes nothing and prints nothing personal.\n\nThe exit code is 0 when all is right, 1 \
                      when anything differs or the database cannot be reached.",
        after_help = "Example:\n  DATABASE_URL=postgres://kunta@db.example/kunta kuntatutorit verify"
    )]
    Verify,
    /// Print the `OpenAPI` document
    Openapi,
    /// Ask the service at `HOST` and `PORT` whether it is ready: for a container's health check
    Healthcheck,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a new key in `KEY_DIR`: it verifies at once and signs in a minute, when every instance knows it; the others
    /// still verify
    Generate,
    /// List the keys in `KEY_DIR`, the newest first, with which one signs
    List,
}

fn settings_help() -> String {
    let lines = SETTINGS.iter().map(|s| format!("  {:<16} {} [default: {}]\n", s.name, s.help, s.default));
    format!("Settings (environment variables, or a file .env):\n{}", lines.collect::<String>())
}

/// Runs a command.
///
/// # Errors
/// What is to be told, in one sentence.
pub(crate) fn run(cli: Cli) -> Outcome {
    if matches!(cli.command, Command::Openapi) {
        println!("{}", app::document().to_pretty_json()?);
        return Ok(());
    }
    let config = Config::from_env()?;
    match cli.command {
        Command::Serve => serve::run(&config),
        Command::Migrate => database::migrate(&config),
        Command::Seed(arguments) => database::seed(&config, &arguments),
        Command::Account(command) => accounts::run(&config, command),
        Command::Client(command) => clients::run(&config, command),
        Command::Key(command) => key(&config, &command),
        Command::Verify => verify::run(&config),
        Command::Token(arguments) => token::run(config, arguments),
        Command::Openapi => Ok(()),
        Command::Healthcheck => health::run(&config),
    }
}

fn key(config: &Config, command: &KeyCommand) -> Outcome {
    match command {
        KeyCommand::Generate => {
            let key = KeyRing::generate(&config.key_dir)?;
            println!("{}  {}", key.kid, key.path.display());
        }
        KeyCommand::List => {
            for key in KeyRing::load(&config.key_dir)?.list() {
                println!("{}  {}  {}", key.kid, key.file.display(), if key.signs { "signs" } else { "verifies" });
            }
        }
    }
    Ok(())
}
