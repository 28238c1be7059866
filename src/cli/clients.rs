//! `kuntatutorit client …`.

use clap::Subcommand;
use kuntatutorit::{
    auth::{reach::Role, scopes},
    config::Config,
    resources::clients::{self, model::NewClient},
};
use uuid::Uuid;

use super::{Outcome, database::Database};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a client for a partner system; its id and secret are printed this once
    #[command(
        after_help = "Example:\n  kuntatutorit client add --name 'Espoon tapahtumakalenteri' --source espoo-calendar \
                            --municipality 049 --scopes 'events:read events:write'"
    )]
    Add {
        /// What people call the system
        #[arg(long)]
        name: String,
        /// The source of everything that it makes: lower-case letters, digits, hyphens
        #[arg(long)]
        source: String,
        /// What it may ask for: names of scopes, separated by spaces
        #[arg(long)]
        scopes: String,
        /// The municipality that it writes for: three digits; the whole region when it is left out
        #[arg(long)]
        municipality: Option<String>,
    },
}

pub(super) fn run(config: &Config, command: Command) -> Outcome {
    let Command::Add { name, source, scopes, municipality } = command;
    let scopes: Vec<String> = scopes.split_whitespace().map(str::to_owned).collect();
    if let Some(unknown) = scopes.iter().find(|scope| !scopes::can_hold(Role::Partner, scope)) {
        let known = scopes::of_role(Role::Partner).collect::<Vec<_>>().join(", ");
        return Err(format!("a partner system cannot hold the scope `{unknown}`; it can hold {known}").into());
    }
    let database = Database::reach(config)?;
    database.migrate()?;
    let new = NewClient { id: Uuid::now_v7(), name, source, scopes, municipality_code: municipality };
    let (client, secret) = database.write(async move |conn| clients::store::create(conn, new).await)?;
    println!("client_id={}\nclient_secret={secret}", client.id);
    Ok(())
}
