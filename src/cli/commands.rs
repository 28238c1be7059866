//! The commands.

use clap::{Parser, Subcommand};
use kuntatutorit::{
    config::{Config, SETTINGS},
    server,
    telemetry::log,
};

use super::{
    accounts, clients, declare_loss, health, keys, licences, migrate, outcome::Outcome, seed, serve, token, verify,
};

/// The arguments of the program. `--help` shows the description of the package.
#[derive(Parser)]
#[command(version, about, after_help = help(), arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the service
    ///
    /// It starts a private PostgreSQL unless `DATABASE_URL` is set, migrates the database, and loads the reference data if
    /// the database is empty. On SIGTERM the service finishes the running requests before it stops; Ctrl-C stops it at
    /// once.
    #[command(after_help = "Examples:\n  kuntatutorit serve\n  PORT=9090 PUBLIC_READ=true kuntatutorit serve")]
    Serve,
    /// Migrate the database to this version
    ///
    /// `serve` and the commands for accounts and clients do this too. Services of an older version that are running keep
    /// serving, but their `/readyz` returns 503.
    #[command(after_help = "Example:\n  DATABASE_URL=postgres://kunta@db.example/kunta kuntatutorit migrate")]
    Migrate,
    /// Load the reference data into an empty database
    ///
    /// The reference data are the municipalities, themes, tutors and published events of the programme. A database that has
    /// data is left unchanged.
    #[command(
        after_help = "Examples:\n  kuntatutorit seed\n  DATABASE_URL=postgres://kunta@db.example/bench kuntatutorit seed --scale 100"
    )]
    Seed(seed::Arguments),
    /// Manage the accounts of people
    #[command(subcommand)]
    Account(accounts::Command),
    /// Manage the clients of partner systems
    #[command(subcommand)]
    Client(clients::Command),
    /// Manage the keys that sign access tokens
    #[command(subcommand)]
    Key(keys::Command),
    /// Print an access token for trying things out
    ///
    /// The token is valid for ten minutes. It belongs to an account without a password, which the command creates in the
    /// private PostgreSQL. The command does not work with `DATABASE_URL`.
    Token(token::Arguments),
    /// Check the summaries of feedback
    ///
    /// The command computes every summary again from the feedback and prints the differences, by event. It also checks that
    /// every published step differs from the earlier steps in the answers of at least three municipalities. It changes
    /// nothing and prints no personal data.
    ///
    /// It exits with 0 when there is no difference, and with 1 when there is one or the database cannot be reached.
    #[command(after_help = "Examples:\n  kuntatutorit verify\n  \
                            DATABASE_URL=postgres://kunta@db.example/kunta kuntatutorit verify")]
    Verify,
    /// Print the licences of the program and of everything that is in it
    #[command(after_help = "Example:\n  kuntatutorit licences > licences.txt")]
    Licences,
    /// Declare that the database has lost writes
    ///
    /// Use it after you have put back an older state of the database (a dump, a snapshot of a disk or of a virtual machine,
    /// a point in time), or after a failover that lost the last writes, and before the service is used again. Systems that
    /// follow `/v1/changes` are then told to create their copies again, and new versions and entity tags differ from those
    /// that were lost. The service notices most of these cases by itself, but not every snapshot, and not what a system has
    /// copied of the lost writes.
    #[command(
        name = "declare-loss",
        after_help = "Example:\n  DATABASE_URL=postgres://kunta@db.example/kunta kuntatutorit declare-loss"
    )]
    DeclareLoss,
    /// Print the OpenAPI document
    #[command(after_help = "Example:\n  kuntatutorit openapi > openapi.json")]
    Openapi,
    /// Check that the service is ready
    ///
    /// The command asks `/readyz` at `HOST` and `PORT`. It exits with 0 when the service is ready, else with 1. Use it as
    /// the health check of a container.
    #[command(after_help = "Example:\n  PORT=9090 kuntatutorit healthcheck")]
    Healthcheck,
}

const FIRST_STEPS: &str = "\
First steps:
  kuntatutorit serve                     start the service on http://127.0.0.1:8080
  kuntatutorit token --role coordinator  print an access token, in another terminal
  kuntatutorit account invite --help     let a person sign in
  kuntatutorit client add --help         let a partner system sign in

`kuntatutorit COMMAND --help` describes a command, with examples. A command exits with 0 when it succeeds, with 1 when it
fails and with 2 when its arguments are wrong.";

fn help() -> String {
    let settings = SETTINGS.iter().map(|s| format!("  {:<27} {} [default: {}]\n", s.name, s.help, s.default));
    let settings: String = settings.collect();
    format!(
        "{FIRST_STEPS}\n\nSettings (environment variables, or lines NAME=value of a file .env in this directory; an environment \
         variable takes precedence):\n{settings}"
    )
}

/// The filter of the log of the other commands than `serve`: only what makes a command wait.
const ONLY_LOCKS: &str = "off,kuntatutorit::db::lock_watch=warn";

/// Runs a command.
pub(crate) fn run(cli: Cli) -> Outcome {
    match cli.command {
        Command::Openapi => {
            println!("{}", server::document().to_pretty_json()?);
            return Ok(());
        }
        Command::Licences => return Ok(licences::run()?),
        _ => {}
    }
    let config = Config::from_env()?;
    if !matches!(cli.command, Command::Serve) {
        log::start(config.log_format, ONLY_LOCKS)?;
    }
    match cli.command {
        Command::Serve => serve::run(&config),
        Command::Migrate => migrate::run(&config),
        Command::Seed(arguments) => seed::run(&config, &arguments),
        Command::Account(command) => accounts::run(&config, command),
        Command::Client(command) => clients::run(&config, command),
        Command::Key(command) => keys::run(&config, &command),
        Command::Token(arguments) => token::run(config, arguments),
        Command::Verify => verify::run(&config),
        Command::DeclareLoss => declare_loss::run(&config),
        Command::Openapi | Command::Licences => Ok(()),
        Command::Healthcheck => health::run(&config),
    }
}
