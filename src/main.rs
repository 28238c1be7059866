//! The program: the commands of the service.
#![expect(clippy::print_stdout, reason = "a command line prints to standard output")]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let env_file = dotenvy::dotenv();
    // `--help` and wrong arguments end the process here, even when the file .env cannot be read.
    let command = cli::Cli::parse();
    match env_file.err().and_then(|error| describe(&error)) {
        Some(message) => fail(&message),
        None => match cli::run(command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        },
    }
}

/// Describes why the file .env cannot be read; none when the file does not exist. The description does not quote the wrong
/// line, which may contain a password.
fn describe(error: &dotenvy::Error) -> Option<String> {
    match error {
        error if error.not_found() => None,
        dotenvy::Error::LineParse(..) => Some(
            "the file .env has a line that is not NAME=value; correct it, and put a value with spaces in quotes"
                .to_owned(),
        ),
        error => Some(format!("the file .env cannot be read: {error}; correct it or remove it")),
    }
}

fn fail(message: &str) -> ExitCode {
    use std::io::Write as _;
    // The exit code still reports the failure when standard error is closed.
    let _ = writeln!(std::io::stderr(), "kuntatutorit: {message}");
    ExitCode::FAILURE
}
