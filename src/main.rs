//! The program: the commands of the service.
#![expect(clippy::print_stdout, reason = "a command line prints to standard output")]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let env_file = cli::load_env_file();
    // `--help` and wrong arguments end the process here, even when the file .env cannot be read.
    let command = cli::Cli::parse();
    if let Err(error) = env_file {
        return fail(&error.to_string());
    }
    match cli::run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(message: &str) -> ExitCode {
    use std::io::Write as _;
    // The exit code still reports the failure when standard error is closed.
    let _ = writeln!(std::io::stderr(), "kuntatutorit: {message}");
    ExitCode::FAILURE
}
