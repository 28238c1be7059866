//! `kuntatutorit token`: for trying things out on the private instance.

use clap::Args;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use kuntatutorit::{
    auth::{keys::key_ring::KeyRing, reach::Reach, revocations::issue_at, tokens::access_tokens::Tokens},
    config::Config,
    db::Conn,
    http::input::json::from_value,
    problem::{Error, Result},
    resources::access::{accounts, accounts::model::Credentials, sign_in::of_account},
    schema::tutors,
};
use serde_json::json;
use uuid::Uuid;

use super::{database::Database, outcome::Outcome};

#[derive(Args)]
#[command(
    after_help = "Examples:\n  kuntatutorit token --role coordinator\n  kuntatutorit token --role municipality --municipality 049"
)]
pub(crate) struct Arguments {
    /// Whose token it is
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: String,
    /// The municipality that it is for: three digits
    #[arg(long, required_if_eq_any([("role", "municipality"), ("role", "tutor")]))]
    municipality: Option<String>,
}

pub(super) fn run(mut config: Config, arguments: Arguments) -> Outcome {
    if config.database_url.is_some() {
        return Err(
            "this makes an account for trying things out, on the private instance only: with DATABASE_URL set, \
                    use `account add` and POST /v1/auth/login"
                .into(),
        );
    }
    if let Ok(url) = std::fs::read_to_string(config.data_dir.join("public_url")) {
        config.public_url = url;
    }
    let keys = KeyRing::load(&config.key_dir)?;
    let database = Database::reach(&config)?;
    let known = database.write(async move |conn| trial_account(conn, arguments).await)?;
    if known.account.fields.disabled {
        return Err(format!("the account {} is disabled: enable it first", known.account.fields.email).into());
    }
    let tokens = Tokens::new(keys, config.public_url.clone(), config.public_url.clone());
    let issued_at = issue_at(known.access_changed_at, known.read_at);
    println!("{}", tokens.issue(&of_account(&known.account, &config), issued_at)?);
    Ok(())
}

/// An account without a password, made the first time that it is asked for.
async fn trial_account(conn: &Conn, arguments: Arguments) -> Result<Credentials> {
    let role = arguments.role.as_str();
    let municipality_code = arguments.municipality.filter(|_| role != "coordinator");
    let suffix = municipality_code.as_deref().map_or_else(String::new, |code| format!("-{code}"));
    let email = format!("{role}{suffix}@kuntatutorit.invalid");
    if let Some(known) = accounts::store::find_by_email(conn, &email).await? {
        return Ok(known);
    }
    let tutor_id = match &municipality_code {
        Some(code) if role == "tutor" => Some(first_tutor(conn, code).await?),
        _ => None,
    };
    let new = json!({"email": email, "role": role, "municipality_code": municipality_code, "tutor_id": tutor_id});
    let made = accounts::store::create(conn, &Reach::of_command_line(), from_value(new)?, None).await?;
    accounts::store::credentials(conn, made.id).await
}

async fn first_tutor(mut conn: &Conn, municipality: &str) -> Result<Uuid> {
    let query = tutors::table.filter(tutors::municipality_code.eq(municipality)).select(tutors::id).order(tutors::id);
    query.first(&mut conn).await.optional()?.ok_or_else(|| {
        Error::at(
            "/municipality_code",
            "tutors_municipality_code_exists",
            "this municipality has no tutor yet: make one first",
        )
    })
}
