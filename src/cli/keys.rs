//! `kuntatutorit key`.

use clap::Subcommand;
use kuntatutorit::{auth::keys::key_ring::KeyRing, config::Config};

use super::outcome::Outcome;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Generate a key in `KEY_DIR`
    ///
    /// A running service needs no restart: it verifies tokens with the new key within a second, and signs with it after a
    /// minute, when every instance knows it. The older keys still verify tokens. Remove an old key's file twelve minutes after
    /// the new key began to sign. The command prints the id and the file of the new key.
    #[command(after_help = "Example:\n  kuntatutorit key generate")]
    Generate,
    /// List the keys in `KEY_DIR`, the newest first
    ///
    /// Each line has the id and the file of a key, and `signs` for the key that signs or `verifies` for the others.
    #[command(after_help = "Example:\n  kuntatutorit key list")]
    List,
}

pub(super) fn run(config: &Config, command: &Command) -> Outcome {
    match command {
        Command::Generate => {
            let key = KeyRing::generate(&config.key_dir)?;
            println!("{}  {}", key.kid, key.path.display());
        }
        Command::List => {
            for key in KeyRing::load(&config.key_dir)?.list() {
                println!("{}  {}  {}", key.kid, key.file.display(), if key.signs { "signs" } else { "verifies" });
            }
        }
    }
    Ok(())
}
