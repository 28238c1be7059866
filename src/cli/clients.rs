//! `kuntatutorit client`.

use clap::{Args, Subcommand};
use kuntatutorit::{
    auth::{reach::Reach, scopes::of_role},
    config::Config,
    domain::Role,
    http::{
        Patch,
        input::{if_match::EntityTags, json::from_value},
    },
    resources::{
        access::clients::{
            model::{Client, ClientInput},
            store,
        },
        update::patch_row,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    database::Database,
    outcome::{Outcome, describe},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a client for a partner system, and print its id and its secret
    ///
    /// The secret is printed only this once. The partner system exchanges both for access tokens, with the OAuth 2 client
    /// credentials grant at POST /v1/auth/token.
    #[command(
        after_help = with_scopes("Example:\n  kuntatutorit client add --name 'Espoon tapahtumakalenteri' --source espoo-calendar \
                                  --municipality 049 --scopes 'events:read events:write'")
    )]
    Add(NewClient),
    /// List the clients
    ///
    /// Each line has the id, source, municipality, state, scopes and ids of the secrets of a client. The state is `enabled`
    /// or `revoked`.
    #[command(after_help = "Example:\n  kuntatutorit client list")]
    List,
    /// Change the name of a client, or the municipality that it writes for
    ///
    /// With a new municipality, the access tokens of the client are refused within two seconds; it gets new ones with the
    /// same secret.
    #[command(
        after_help = "Examples:\n  kuntatutorit client change --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --name 'Espoon kalenteri'\n  \
                            kuntatutorit client change --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --municipality 049\n  \
                            kuntatutorit client change --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --whole-region"
    )]
    Change(ClientChange),
    /// Replace the scopes of a client
    ///
    /// The access tokens of the client are refused within two seconds; it gets new ones with the same secret.
    #[command(
        after_help = with_scopes("Example:\n  kuntatutorit client scopes --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e \
                                  --scopes 'events:read'")
    )]
    Scopes {
        #[command(flatten)]
        client: ById,
        /// The scopes that the client can request, separated by spaces
        #[arg(long)]
        scopes: String,
    },
    /// Add a secret to a client, and print it
    ///
    /// The secret is printed only this once. A client can have two secrets at a time: add the second, give it to the
    /// partner system, and then revoke the first with `client revoke --secret`.
    #[command(after_help = "Example:\n  kuntatutorit client secret --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")]
    Secret(ById),
    /// Revoke a client, or one of its secrets
    ///
    /// The service refuses the access tokens of a revoked client within two seconds, and gives it no new ones. When only
    /// one of its secrets is revoked, a client still gets tokens with the other one.
    #[command(after_help = "Examples:\n  kuntatutorit client revoke --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e\n  \
                            kuntatutorit client revoke --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e --secret 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3f")]
    Revoke {
        #[command(flatten)]
        client: ById,
        /// The id of the secret to delete; `client list` shows it
        #[arg(long, value_name = "ID")]
        secret: Option<Uuid>,
    },
    /// Enable a revoked client again, with the secrets that it has
    #[command(after_help = "Example:\n  kuntatutorit client enable --client 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e")]
    Enable(ById),
}

#[derive(Args)]
pub(crate) struct NewClient {
    /// The name of the system, for people
    #[arg(long)]
    name: String,
    /// The source of everything that the client creates: lower-case letters, digits and hyphens; it never changes
    #[arg(long)]
    source: String,
    /// The scopes that the client can request, separated by spaces
    #[arg(long)]
    scopes: String,
    /// The code of the municipality that the client writes for, three digits; without it, the client writes for the whole
    /// region
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
}

#[derive(Args)]
#[group(id = "changes", required = true, multiple = true, args = ["name", "municipality", "whole_region"])]
pub(crate) struct ClientChange {
    #[command(flatten)]
    client: ById,
    /// The new name of the system, for people
    #[arg(long)]
    name: Option<String>,
    /// The code of the municipality that the client writes for from now on, three digits
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
    /// Lets the client write for the whole region
    #[arg(long, conflicts_with = "municipality")]
    whole_region: bool,
}

#[derive(Args)]
pub(crate) struct ById {
    /// The id of the client; `client list` shows it
    #[arg(long = "client")]
    id: Uuid,
}

/// Adds the scopes that a client can have to these examples.
fn with_scopes(examples: &str) -> String {
    let scopes: Vec<_> = of_role(Role::Partner).map(|scope| format!("  {scope}\n")).collect();
    format!("{examples}\n\nScopes:\n{}", scopes.concat())
}

pub(super) fn run(config: &Config, command: Command) -> Outcome {
    match command {
        Command::Add(new) => add(config, new),
        Command::List => list(config),
        Command::Change(change) => change_fields(config, change),
        Command::Scopes { client, scopes } => set_scopes(config, &client, &scopes),
        Command::Secret(client) => add_secret(config, &client),
        Command::Revoke { client, secret: Some(secret) } => delete_secret(config, &client, secret),
        Command::Revoke { client, secret: None } => set_disabled(config, &client, true),
        Command::Enable(client) => set_disabled(config, &client, false),
    }
}

fn add(config: &Config, new: NewClient) -> Outcome {
    let NewClient { name, source, scopes, municipality } = new;
    let scopes: Vec<_> = scopes.split_whitespace().collect();
    let new = json!({"name": name, "source": source, "scopes": scopes, "municipality_code": municipality});
    let new: ClientInput = from_value(new).map_err(describe)?;
    let created = Database::open_migrated(config)?
        .write(async move |conn| store::create(conn, &Reach::of_command_line(), new).await)?;
    println!("client_id={}\nclient_secret={}", created.client.id, created.client_secret);
    Ok(())
}

fn list(config: &Config) -> Outcome {
    let database = Database::open_migrated(config)?;
    let clients = database.write(async |conn| store::all(conn, &Reach::of_command_line()).await)?;
    for Client { id, fields, secrets, .. } in clients {
        let municipality = fields.municipality_code.as_deref().unwrap_or("-");
        let state = if fields.disabled { "revoked" } else { "enabled" };
        let secrets: Vec<_> = secrets.iter().map(|secret| secret.id.to_string()).collect();
        let (scopes, secrets) = (fields.scopes.join(" "), secrets.join(" "));
        println!("{id}  {}  {municipality}  {state}  [{scopes}]  [{secrets}]", fields.source);
    }
    Ok(())
}

fn change_fields(config: &Config, change: ClientChange) -> Outcome {
    let ClientChange { client, name, municipality, whole_region } = change;
    let municipality = municipality.map(Value::from).or(whole_region.then_some(Value::Null));
    let changed = [("name", name.map(Value::from)), ("municipality_code", municipality)];
    let fields = changed.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    let fields = patch(config, &client, fields)?.fields;
    let writes_for = match fields.municipality_code.as_deref() {
        Some(code) => format!("the municipality {code}"),
        None => "the whole region".to_owned(),
    };
    println!("The client {} is called {} and writes for {writes_for}.", client.id, fields.name);
    Ok(())
}

fn set_scopes(config: &Config, client: &ById, scopes: &str) -> Outcome {
    let scopes: Vec<_> = scopes.split_whitespace().collect();
    patch(config, client, vec![("scopes", json!(scopes))])?;
    println!("The client {} has the scopes {}.", client.id, scopes.join(" "));
    Ok(())
}

fn set_disabled(config: &Config, client: &ById, disabled: bool) -> Outcome {
    patch(config, client, vec![("disabled", json!(disabled))])?;
    println!("The client {} is {}.", client.id, if disabled { "revoked" } else { "enabled" });
    Ok(())
}

fn patch(config: &Config, client: &ById, fields: Vec<(&str, Value)>) -> Outcome<Client> {
    let id = client.id;
    let patch = Patch::of(fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect());
    Database::open_migrated(config)?.write(async move |conn| {
        patch_row::<Client>(conn, &Reach::of_command_line(), &id, &EntityTags::any(), &patch).await
    })
}

fn add_secret(config: &Config, client: &ById) -> Outcome {
    let id = client.id;
    let created = Database::open_migrated(config)?
        .write(async move |conn| store::add_secret(conn, &Reach::of_command_line(), id).await)?;
    println!("client_id={id}\nclient_secret={}", created.client_secret);
    Ok(())
}

fn delete_secret(config: &Config, client: &ById, secret: Uuid) -> Outcome {
    let id = client.id;
    Database::open_migrated(config)?
        .write(async move |conn| store::delete_secret(conn, &Reach::of_command_line(), id, secret).await)?;
    println!("The secret {secret} is deleted.");
    Ok(())
}
