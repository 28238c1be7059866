//! The command line.
#![expect(clippy::print_stdout, reason = "a command line answers on standard output")]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // A missing file is fine; one that cannot be read is told below, with the other settings.
    let env_file = dotenvy::dotenv();
    let command = cli::Cli::parse();
    match env_file {
        Err(error) if !error.not_found() => fail(&format!("the file .env cannot be read: {error}")),
        _ => match cli::run(command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        },
    }
}

fn fail(message: &str) -> ExitCode {
    use std::io::Write as _;
    // Nobody reads it when standard error is closed; the exit code says it then.
    let _ = writeln!(std::io::stderr(), "kuntatutorit: {message}");
    ExitCode::FAILURE
}
