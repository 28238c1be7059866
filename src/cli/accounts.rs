//! `kuntatutorit account`.

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
    resources::{
        access::accounts::{
            model::{Account, AccountInput, Invitation},
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
    /// Create an account with a password, which is read from standard input
    ///
    /// The password is one line. To let the person choose the password, use `account invite` instead.
    #[command(
        after_help = "Examples:\n  kuntatutorit account add --email coordinator@example.org --role coordinator < password.txt\n  \
                            kuntatutorit account add --email digituki@example.org --role municipality --municipality 049 < password.txt"
    )]
    Add(NewAccount),
    /// List the accounts
    ///
    /// Each line has the id, e-mail address, role, municipality and state of an account. The state is `enabled`, `disabled`
    /// or `without password`.
    #[command(after_help = "Example:\n  kuntatutorit account list")]
    List,
    /// Print an invitation, with which a person sets the password of an account
    ///
    /// The invitation works once, within seven days, and replaces an older invitation of the account. With --role, the
    /// command creates the account if no account has this e-mail address.
    #[command(
        after_help = "Examples:\n  kuntatutorit account invite --email digituki@example.org --role municipality --municipality 049\n  \
                            kuntatutorit account invite --email digituki@example.org\n\n\
                            Hand the invitation over in person. A front end sends it, with the password that the person \
                            chooses, to\nPOST /v1/auth/password: {\"invitation\": \"…\", \"new_password\": \"…\"}"
    )]
    Invite(InvitedAccount),
    /// Change the e-mail address, role, municipality or tutor of an account
    ///
    /// A role that has no municipality or no tutor removes it from the account. The access tokens of the account are
    /// refused within two seconds, unless only the e-mail address changes.
    #[command(
        after_help = "Examples:\n  kuntatutorit account change --email digituki@example.org --new-email digi@example.org\n  \
                            kuntatutorit account change --email digituki@example.org --role coordinator\n  \
                            kuntatutorit account change --email digituki@example.org --role municipality --municipality 049"
    )]
    Change(AccountChange),
    /// Disable an account
    ///
    /// The service refuses its access tokens within two seconds. Its sessions and its invitation end.
    #[command(after_help = "Example:\n  kuntatutorit account disable --email digituki@example.org")]
    Disable(ByEmail),
    /// Enable a disabled account again
    #[command(after_help = "Example:\n  kuntatutorit account enable --email digituki@example.org")]
    Enable(ByEmail),
}

#[derive(Args)]
pub(crate) struct NewAccount {
    /// The e-mail address with which the person signs in
    #[arg(long)]
    email: String,
    /// The role: a coordinator may do everything, the others act for one municipality
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: String,
    /// The code of the municipality that the account acts for, three digits; needed for the roles municipality and tutor
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
    /// The id of the tutor whose account it is; needed for the role tutor
    #[arg(long, value_name = "ID")]
    tutor: Option<Uuid>,
}

#[derive(Args)]
pub(crate) struct InvitedAccount {
    /// The e-mail address of the account
    #[arg(long)]
    email: String,
    /// The role of a new account: a coordinator may do everything, the others act for one municipality
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: Option<String>,
    /// The code of the municipality that a new account acts for, three digits
    #[arg(long, value_name = "CODE", requires = "role")]
    municipality: Option<String>,
    /// The id of the tutor whose account a new account is
    #[arg(long, value_name = "ID", requires = "role")]
    tutor: Option<Uuid>,
}

#[derive(Args)]
#[group(id = "changes", required = true, multiple = true, args = ["new_email", "role", "municipality", "tutor"])]
pub(crate) struct AccountChange {
    #[command(flatten)]
    account: ByEmail,
    /// The new e-mail address of the account
    #[arg(long)]
    new_email: Option<String>,
    /// The new role: a coordinator may do everything, the others act for one municipality
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: Option<String>,
    /// The code of the municipality that the account acts for from now on, three digits
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
    /// The id of the tutor whose account it is from now on
    #[arg(long, value_name = "ID")]
    tutor: Option<Uuid>,
}

#[derive(Args)]
pub(crate) struct ByEmail {
    /// The e-mail address of the account
    #[arg(long)]
    email: String,
}

impl NewAccount {
    fn input(self) -> Result<AccountInput> {
        let Self { email, role, municipality, tutor } = self;
        from_value(json!({"email": email, "role": role, "municipality_code": municipality, "tutor_id": tutor}))
    }
}

impl ByEmail {
    async fn find(&self, conn: &Conn) -> Result<Option<Account>> {
        Ok(store::find_by_email(conn, &self.email).await?.map(|credentials| credentials.account))
    }
}

pub(super) fn run(config: &Config, command: Command) -> Outcome {
    match command {
        Command::Add(new) => add(config, new),
        Command::List => list(config),
        Command::Invite(invited) => invite(config, invited),
        Command::Change(change) => change_fields(config, change),
        Command::Disable(account) => set_disabled(config, account, true),
        Command::Enable(account) => set_disabled(config, account, false),
    }
}

fn add(config: &Config, new: NewAccount) -> Outcome {
    let new = new.input().map_err(describe)?;
    let password = read_password()?;
    let account = Database::open_migrated(config)?.write(async move |conn| {
        let hash = passwords::hash_now(&password)?;
        store::create(conn, &Reach::of_command_line(), new, Some(hash)).await
    })?;
    println!("Created the account {} ({}).", account.id, account.fields.role.as_str());
    Ok(())
}

fn list(config: &Config) -> Outcome {
    let database = Database::open_migrated(config)?;
    let accounts = database.write(async |conn| store::all(conn, &Reach::of_command_line()).await)?;
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

fn invite(config: &Config, invited: InvitedAccount) -> Outcome {
    let InvitedAccount { email, role, municipality, tutor } = invited;
    let account = ByEmail { email: email.clone() };
    let new = role.map(|role| NewAccount { email, role, municipality, tutor }.input()).transpose().map_err(describe)?;
    let Invitation { secret, expires_at } =
        Database::open_migrated(config)?.write(async move |conn| invitation(conn, &account, new).await)?;
    println!("invitation={secret}\nexpires_at={}", expires_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    Ok(())
}

/// Returns an invitation for the account with this e-mail address. If it does not exist, creates it with the fields in
/// `new`; if it exists, it must have exactly these fields.
async fn invitation(conn: &Conn, account: &ByEmail, new: Option<AccountInput>) -> Result<Invitation> {
    let reach = Reach::of_command_line();
    match (account.find(conn).await?, new) {
        (None, Some(new)) => Ok(store::invite(conn, &reach, new).await?.invitation),
        (None, None) => Err(unknown_email("add --role to create one")),
        (Some(account), Some(new)) if account.fields != new => Err(Error::at(
            "/email",
            "accounts_email_unique",
            "an account with this e-mail address exists, but it is disabled or has another role, municipality or tutor; \
             leave out --role to invite it unchanged, or change it first with `account change`",
        )),
        (Some(account), _) => store::renew_invitation(conn, &reach, account.id).await,
    }
}

fn change_fields(config: &Config, change: AccountChange) -> Outcome {
    let AccountChange { account, new_email, role, municipality, tutor } = change;
    let removed: &[_] = match role.as_deref() {
        Some("coordinator") => &["municipality_code", "tutor_id"],
        Some("municipality") => &["tutor_id"],
        _ => &[],
    };
    let changed = [
        ("email", new_email),
        ("role", role),
        ("municipality_code", municipality),
        ("tutor_id", tutor.map(|id| id.to_string())),
    ];
    let removed = removed.iter().map(|field| (*field, Value::Null));
    let changed = changed.into_iter().filter_map(|(field, value)| Some((field, value?.into())));
    let account = patch(config, account, removed.chain(changed).collect())?;
    println!("The account {} is {} ({}).", account.id, account.fields.email, account.fields.role.as_str());
    Ok(())
}

fn set_disabled(config: &Config, account: ByEmail, disabled: bool) -> Outcome {
    let account = patch(config, account, vec![("disabled", disabled.into())])?;
    println!("The account {} is {}.", account.id, if disabled { "disabled" } else { "enabled" });
    Ok(())
}

/// Patches an account. If a field appears more than once, the last value counts.
fn patch(config: &Config, account: ByEmail, fields: Vec<(&str, Value)>) -> Outcome<Account> {
    let patch = Patch::of(fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect());
    Database::open_migrated(config)?.write(async move |conn| {
        let found = account.find(conn).await?;
        let id = found.ok_or_else(|| unknown_email("`kuntatutorit account list` shows the accounts"))?.id;
        patch_row::<Account>(conn, &Reach::of_command_line(), &id, &EntityTags::any(), &patch).await
    })
}

fn unknown_email(advice: &str) -> Error {
    Error::at("/email", "unknown", format!("there is no account with this e-mail address; {advice}"))
}

fn read_password() -> Outcome<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    // Some editors write a byte order mark at the start of a file.
    let password = line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']).to_owned();
    if passwords::has_allowed_length(&password) {
        return Ok(password);
    }
    let (least, most) = (passwords::LENGTH.start(), passwords::LENGTH.end());
    Err(format!("write the password to standard input, as one line of {least} to {most} characters").into())
}
