//! The command line: a file for each group of commands.

mod accounts;
mod clients;
mod commands;
mod database;
mod declare_loss;
mod health;
mod keys;
mod migrate;
mod outcome;
mod seed;
mod serve;
mod token;
mod verify;

pub(crate) use self::commands::{Cli, run};
