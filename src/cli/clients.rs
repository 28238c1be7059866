//! `kuntatutorit client …`.

use clap::{Args, Subcommand};
use kuntatutorit::{
    auth::reach::Reach,
    config::Config,
    http::{
        Patch,
        input::{if_match::EntityTags, json::from_value},
    },
    resources::access::clients::{
        model::{Client, ClientInput},
        secrets, store,
    },
    resources::update::patch_row,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    database::{Database, told},
    outcome::Outcome,
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a client for a partner system; its id and secret are printed this once
    #[command(
        after_help = "Example:\n  kuntatutorit client add --name 'Espoon tapahtumakalenteri' --source espoo-calendar \
                            --municipality 049 --scopes 'events:read events:write'"
    )]
    Add(New),
    /// List the clients: id, source, municipality, state, scopes, ids of secrets
    #[command(after_help = "Example:\n  kuntatutorit client list")]
    List,
    /// Change what a client is called and whom it writes for; in the latter case the access tokens that it has are refused
    /// within two seconds
    #[command(
        after_help = "Examples:\n  kuntatutorit client change --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --name 'Espoon kalenteri'\n  \
                            kuntatutorit client change --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --municipality 049\n  \
                            kuntatutorit client change --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --whole-region"
    )]
    Change(Changed),
    /// Change what a client may ask for; the access tokens that it has are refused within two seconds
    #[command(
        after_help = "Example:\n  kuntatutorit client scopes --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --scopes 'events:read'"
    )]
    Scopes {
        #[command(flatten)]
        named: Named,
        /// What it may ask for: names of scopes, separated by spaces
        #[arg(long)]
        scopes: String,
    },
    /// Add a secret to a client, which is printed this once; two live at a time
    #[command(after_help = "Example:\n  kuntatutorit client secret --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")]
    Secret(Named),
    /// Revoke a client, which is refused everywhere within two seconds; or one secret of it
    #[command(after_help = "Examples:\n  kuntatutorit client revoke --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e\n  \
                            kuntatutorit client revoke --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --secret 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3f")]
    Revoke {
        #[command(flatten)]
        named: Named,
        /// The id of the one secret that is deleted
        #[arg(long)]
        secret: Option<Uuid>,
    },
    /// Let a revoked client in again, with the secrets that it has
    #[command(after_help = "Example:\n  kuntatutorit client enable --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")]
    Enable(Named),
}

#[derive(Args)]
pub(crate) struct New {
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
}

#[derive(Args)]
#[group(id = "changes", required = true, multiple = true, args = ["name", "municipality", "whole_region"])]
pub(crate) struct Changed {
    #[command(flatten)]
    named: Named,
    /// What people call the system
    #[arg(long)]
    name: Option<String>,
    /// The municipality that it writes for: three digits
    #[arg(long)]
    municipality: Option<String>,
    /// It writes for the whole region
    #[arg(long, conflicts_with = "municipality")]
    whole_region: bool,
}

#[derive(Args)]
pub(crate) struct Named {
    /// The client's id
    #[arg(long)]
    client: Uuid,
}

pub(super) fn run(config: &Config, command: Command) -> Outcome {
    match command {
        Command::Add(new) => add(config, new),
        Command::List => list(config),
        Command::Change(changed) => change(config, changed),
        Command::Scopes { named, scopes } => {
            let scopes: Vec<_> = scopes.split_whitespace().collect();
            patch(config, &named, vec![("scopes", json!(scopes))])?;
            println!("The client {} may ask for: {}.", named.client, scopes.join(" "));
            Ok(())
        }
        Command::Secret(named) => add_secret(config, &named),
        Command::Revoke { named, secret: Some(secret) } => delete_secret(config, &named, secret),
        Command::Revoke { named, secret: None } => {
            patch(config, &named, vec![("disabled", json!(true))])?;
            println!("The client {} is revoked.", named.client);
            Ok(())
        }
        Command::Enable(named) => {
            patch(config, &named, vec![("disabled", json!(false))])?;
            println!("The client {} is enabled.", named.client);
            Ok(())
        }
    }
}

fn add(config: &Config, new: New) -> Outcome {
    let New { name, source, scopes, municipality } = new;
    let scopes: Vec<_> = scopes.split_whitespace().collect();
    let new = json!({"name": name, "source": source, "scopes": scopes, "municipality_code": municipality});
    let new: ClientInput = from_value(new).map_err(told)?;
    let created = Database::migrated(config)?
        .write(async move |conn| store::create(conn, &Reach::of_command_line(), new).await)?;
    println!("client_id={}\nclient_secret={}", created.client.id, created.client_secret);
    Ok(())
}

fn list(config: &Config) -> Outcome {
    let clients = Database::migrated(config)?.write(async |conn| store::all(conn, &Reach::of_command_line()).await)?;
    for Client { id, fields, secrets, .. } in clients {
        let municipality = fields.municipality_code.as_deref().unwrap_or("-");
        let state = if fields.disabled { "revoked" } else { "enabled" };
        let secrets: Vec<_> = secrets.iter().map(|secret| secret.id.to_string()).collect();
        let (scopes, secrets) = (fields.scopes.join(" "), secrets.join(" "));
        println!("{id}  {}  {municipality}  {state}  [{scopes}]  [{secrets}]", fields.source);
    }
    Ok(())
}

fn change(config: &Config, changed: Changed) -> Outcome {
    let Changed { named, name, municipality, whole_region } = changed;
    let municipality = municipality.map(Value::from).or(whole_region.then_some(Value::Null));
    let given = [("name", name.map(Value::from)), ("municipality_code", municipality)];
    let fields = given.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    let client = patch(config, &named, fields)?.fields;
    let whom = client.municipality_code.as_deref().unwrap_or("the whole region");
    println!("The client {} is {} and writes for {whom}.", named.client, client.name);
    Ok(())
}

fn patch(config: &Config, named: &Named, fields: Vec<(&str, Value)>) -> Outcome<Client> {
    let id = named.client;
    let patch = Patch::of(fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect());
    Database::migrated(config)?.write(async move |conn| {
        patch_row::<Client>(conn, &Reach::of_command_line(), &id, &EntityTags::any(), &patch).await
    })
}

fn add_secret(config: &Config, named: &Named) -> Outcome {
    let id = named.client;
    let made = Database::migrated(config)?
        .write(async move |conn| store::add_secret(conn, &Reach::of_command_line(), id).await)?;
    println!("client_id={id}\nclient_secret={}", made.client_secret);
    Ok(())
}

fn delete_secret(config: &Config, named: &Named, secret: Uuid) -> Outcome {
    let id = named.client;
    Database::migrated(config)?
        .write(async move |conn| store::delete_secret(conn, &Reach::of_command_line(), id, secret).await)?;
    println!("The secret {secret} is deleted.");
    Ok(())
}
