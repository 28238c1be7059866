//! The command line: a file for each group of commands.

mod accounts;
mod clients;
mod commands;
mod database;
mod declare_loss;
mod env_file;
mod health;
mod keys;
mod licences;
mod migrate;
mod outcome;
mod seed;
mod serve;
mod token;
mod verify;

pub(crate) use self::{
    commands::{Cli, run},
    env_file::load as load_env_file,
};
