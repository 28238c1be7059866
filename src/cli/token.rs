//! `kuntatutorit token`.

use clap::Args;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use kuntatutorit::{
    auth::{keys::key_ring::KeyRing, reach::Reach, revocations::issue_at, tokens::access_tokens::Tokens},
    config::Config,
    db::Conn,
    http::input::json::from_value,
    problem::{Error, Result},
    resources::access::{
        accounts::{model::Credentials, store},
        sign_in::grant_of_account,
    },
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
    /// The role of the account: the coordinator may do everything, the others act for one municipality
    #[arg(long, value_parser = ["coordinator", "municipality", "tutor"])]
    role: String,
    /// The code of the municipality that the account acts for, three digits; needed for the roles municipality and tutor
    #[arg(long, value_name = "CODE", required_if_eq_any([("role", "municipality"), ("role", "tutor")]))]
    municipality: Option<String>,
}

pub(super) fn run(mut config: Config, arguments: Arguments) -> Outcome {
    if config.database.is_some() {
        return Err("`token` creates an account for trying things out, so it works only with the private PostgreSQL; \
                    unset DATABASE_URL, or create an account with `kuntatutorit account add` and sign in with \
                    POST /v1/auth/login"
            .into());
    }
    if let Ok(url) = std::fs::read_to_string(config.data_dir.join("public_url")) {
        config.public_url = url;
    }
    let keys = KeyRing::load(&config.key_dir)?;
    let database = Database::open(&config)?;
    let credentials = database.write(async move |conn| trial_account(conn, arguments).await)?;
    let account = credentials.account;
    if account.fields.disabled {
        let email = account.fields.email;
        let advice = format!("run `kuntatutorit account enable --email {email}` first");
        return Err(format!("the account {email} is disabled; {advice}").into());
    }
    let tokens = Tokens::new(keys, config.public_url.clone(), config.public_url.clone());
    let issued_at = issue_at(credentials.access_changed_at, credentials.read_at);
    println!("{}", tokens.issue(&grant_of_account(&account, &config), issued_at)?);
    Ok(())
}

/// Returns the account for trying things out with this role and municipality. The first time, it creates the account,
/// without a password.
async fn trial_account(conn: &Conn, arguments: Arguments) -> Result<Credentials> {
    let role = arguments.role.as_str();
    let municipality_code = arguments.municipality.filter(|_| role != "coordinator");
    let suffix = municipality_code.as_deref().map_or_else(String::new, |code| format!("-{code}"));
    let email = format!("{role}{suffix}@kuntatutorit.invalid");
    if let Some(existing) = store::find_by_email(conn, &email).await? {
        return Ok(existing);
    }
    let tutor_id = match &municipality_code {
        Some(code) if role == "tutor" => Some(first_tutor(conn, code).await?),
        _ => None,
    };
    let new = json!({"email": email, "role": role, "municipality_code": municipality_code, "tutor_id": tutor_id});
    let created = store::create(conn, &Reach::of_command_line(), from_value(new)?, None).await?;
    store::credentials(conn, created.id).await
}

async fn first_tutor(mut conn: &Conn, municipality: &str) -> Result<Uuid> {
    let query = tutors::table.filter(tutors::municipality_code.eq(municipality)).select(tutors::id).order(tutors::id);
    query.first(&mut conn).await.optional()?.ok_or_else(|| {
        Error::at(
            "/municipality",
            "tutors_municipality_code_exists",
            "this municipality has no tutor; choose another one, or create a tutor with POST /v1/tutors",
        )
    })
}
