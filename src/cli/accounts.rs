//! `kuntatutorit account …`.

use std::io::BufRead as _;

use clap::{Args, Subcommand};
use kuntatutorit::{
    auth::{passwords, reach::Reach},
    config::Config,
    db::Conn,
    http::{
        Patch,
        input::{if_match::EntityTags, json::from_value},
    },
    problem::{Error, Result},
    resources::access::accounts::{
        invitations,
        model::{Account, AccountInput, Invitation},
        store,
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
    /// Make an account; its password is read from standard input
    #[command(
        after_help = "Examples:\n  kuntatutorit account add --email coordinator@example.org --role coordinator < password.txt\n  \
                            kuntatutorit account add --email digituki@example.org --role municipality --municipality 049 < password.txt"
    )]
    Add(Person),
    /// List the accounts: id, e-mail address, role, municipality, state
    #[command(after_help = "Example:\n  kuntatutorit account list")]
    List,
    /// Print an invitation, with which a person sets a password once, within seven days; makes the account when there
    /// is none with this e-mail address, and ends an older invitation
    #[command(
        after_help = "Examples:\n  kuntatutorit account invite --email digituki@example.org --role municipality --municipality 049\n  \
                            kuntatutorit account invite --email digituki@example.org\n\n\
                            The person sends it to POST /v1/auth/password: {\"invitation\": \"…\", \"new_password\": \"…\"}"
    )]
    Invite(Invited),
    /// Change an account: its e-mail address, its role, whom it acts for; a role that has no municipality or no tutor
    /// drops it. The access tokens that it has are refused within two seconds, unless only the address changes
    #[command(
        after_help = "Examples:\n  kuntatutorit account change --email digituki@example.org --new-email digi@example.org\n  \
                            kuntatutorit account change --email digituki@example.org --role coordinator\n  \
                            kuntatutorit account change --email digituki@example.org --role municipality --municipality 049"
    )]
    Change(Changed),
    /// Disable an account: it is refused everywhere within two seconds
    #[command(after_help = "Example:\n  kuntatutorit account disable --email digituki@example.org")]
    Disable(Named),
    /// Let a disabled account in again
    #[command(after_help = "Example:\n  kuntatutorit account enable --email digituki@example.org")]
    Enable(Named),
}

#[derive(Args)]
pub(crate) struct Person {
    /// The e-mail address to sign in with
    #[arg(long)]
    email: String,
    /// What the account is to the network
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: String,
    /// The municipality that it acts for: three digits
    #[arg(long)]
    municipality: Option<String>,
    /// The id of the tutor that it is
    #[arg(long)]
    tutor: Option<Uuid>,
}

#[derive(Args)]
pub(crate) struct Invited {
    /// The e-mail address to sign in with
    #[arg(long)]
    email: String,
    /// What a new account is to the network
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: Option<String>,
    /// The municipality that a new account acts for: three digits
    #[arg(long, requires = "role")]
    municipality: Option<String>,
    /// The id of the tutor that a new account is
    #[arg(long, requires = "role")]
    tutor: Option<Uuid>,
}

#[derive(Args)]
#[group(id = "changes", required = true, multiple = true, args = ["new_email", "role", "municipality", "tutor"])]
pub(crate) struct Changed {
    #[command(flatten)]
    named: Named,
    /// The e-mail address to sign in with from now on
    #[arg(long)]
    new_email: Option<String>,
    /// What the account is to the network
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: Option<String>,
    /// The municipality that it acts for: three digits
    #[arg(long)]
    municipality: Option<String>,
    /// The id of the tutor that it is
    #[arg(long)]
    tutor: Option<Uuid>,
}

#[derive(Args)]
pub(crate) struct Named {
    /// The account's e-mail address
    #[arg(long)]
    email: String,
}

impl Person {
    fn account(self) -> Result<AccountInput> {
        let Self { email, role, municipality, tutor } = self;
        from_value(json!({"email": email, "role": role, "municipality_code": municipality, "tutor_id": tutor}))
    }
}

pub(super) fn run(config: &Config, command: Command) -> Outcome {
    match command {
        Command::Add(person) => add(config, person),
        Command::List => list(config),
        Command::Invite(invited) => invite(config, invited),
        Command::Change(changed) => change(config, changed),
        Command::Disable(named) => set_disabled(config, named, true),
        Command::Enable(named) => set_disabled(config, named, false),
    }
}

fn add(config: &Config, person: Person) -> Outcome {
    let new = person.account().map_err(told)?;
    let password = read_password()?;
    let account = Database::migrated(config)?.write(async move |conn| {
        let hash = passwords::hash_now(&password)?;
        store::create(conn, &Reach::of_command_line(), new, Some(hash)).await
    })?;
    println!("Made the account {} ({}).", account.id, account.fields.role.as_str());
    Ok(())
}

fn list(config: &Config) -> Outcome {
    let accounts = Database::migrated(config)?.write(async |conn| store::all(conn, &Reach::of_command_line()).await)?;
    for Account { id, fields, has_password, .. } in accounts {
        let state = match (fields.disabled, has_password) {
            (true, _) => "disabled",
            (false, true) => "enabled",
            (false, false) => "without password",
        };
        let municipality = fields.municipality_code.as_deref().unwrap_or("-");
        println!("{id}  {}  {}  {municipality}  {state}", fields.email, fields.role.as_str());
    }
    Ok(())
}

fn invite(config: &Config, invited: Invited) -> Outcome {
    let Invited { email, role, municipality, tutor } = invited;
    let named = Named { email: email.clone() };
    let new = role.map(|role| Person { email, role, municipality, tutor }.account()).transpose().map_err(told)?;
    let Invitation { secret, expires_at } =
        Database::migrated(config)?.write(async move |conn| invitation(conn, &named, new).await)?;
    println!("invitation={secret}\nexpires_at={}", expires_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    Ok(())
}

/// Of the account that there is, if it is as it was asked for, else of a new one.
async fn invitation(conn: &Conn, named: &Named, new: Option<AccountInput>) -> Result<Invitation> {
    let reach = Reach::of_command_line();
    match (named.account(conn).await, new) {
        (Err(Error::NotFound), Some(new)) => Ok(store::invite(conn, &reach, new).await?.invitation),
        (account, None) => store::renew_invitation(conn, &reach, account?.id).await,
        (account, Some(new)) => {
            let account = account?;
            if account.fields == new {
                return store::renew_invitation(conn, &reach, account.id).await;
            }
            Err(Error::Conflict {
                code: "accounts_email_unique".into(),
                detail: "there is an account with this e-mail address that is not so; leave out --role to invite it"
                    .into(),
            })
        }
    }
}

fn change(config: &Config, changed: Changed) -> Outcome {
    let Changed { named, new_email, role, municipality, tutor } = changed;
    let dropped: &[_] = match role.as_deref() {
        Some("coordinator") => &["municipality_code", "tutor_id"],
        Some("municipality") => &["tutor_id"],
        _ => &[],
    };
    let given = [
        ("email", new_email),
        ("role", role),
        ("municipality_code", municipality),
        ("tutor_id", tutor.map(|id| id.to_string())),
    ];
    let dropped = dropped.iter().map(|field| (*field, Value::Null));
    let given = given.into_iter().filter_map(|(field, value)| Some((field, value?.into())));
    let account = patch(config, named, dropped.chain(given).collect())?;
    println!("The account {} is {} ({}).", account.id, account.fields.email, account.fields.role.as_str());
    Ok(())
}

fn set_disabled(config: &Config, named: Named, disabled: bool) -> Outcome {
    let account = patch(config, named, vec![("disabled", disabled.into())])?;
    println!("The account {} is {}.", account.id, if disabled { "disabled" } else { "enabled" });
    Ok(())
}

/// Later fields go before earlier ones of the same name.
fn patch(config: &Config, named: Named, fields: Vec<(&str, Value)>) -> Outcome<Account> {
    let patch = Patch::of(fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect());
    Database::migrated(config)?.write(async move |conn| {
        let id = named.account(conn).await?.id;
        patch_row::<Account>(conn, &Reach::of_command_line(), &id, &EntityTags::any(), &patch).await
    })
}

impl Named {
    async fn account(&self, conn: &Conn) -> Result<Account> {
        Ok(store::find_by_email(conn, &self.email).await?.ok_or(Error::NotFound)?.account)
    }
}

fn read_password() -> Outcome<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if passwords::LENGTH.contains(&password.chars().count()) {
        Ok(password)
    } else {
        Err(format!(
            "the password must have {} to {} characters: give it on standard input, in one line",
            passwords::LENGTH.start(),
            passwords::LENGTH.end()
        )
        .into())
    }
}
