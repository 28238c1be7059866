//! Accounts in the database. Only the coordinator sees and changes them; signing in also reads the account of the person.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use uuid::Uuid;

use super::{
    invitations,
    model::{Account, AccountFilter, AccountInput, Credentials, Invitation, InvitedAccount, normalize_email},
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::{any_of, keyset},
    },
    http::{List, Page},
    problem::{Error, Result, Violation},
    resources::{
        directory::{municipalities::refused::Refused, tutors},
        update::Editable,
    },
    schema::{accounts, accounts::dsl},
};

/// A query for accounts that a caller may see.
type VisibleAccounts = IntoBoxed<'static, Select<accounts::table, AsSelect<Account, Pg>>, Pg>;

/// Returns a query for the accounts that the caller sees: all for the coordinator, none for others.
fn visible(reach: &Reach) -> VisibleAccounts {
    let query = Account::query().into_boxed();
    if reach.is_coordinator() { query } else { query.filter(false.into_sql::<Bool>()) }
}

/// Returns the account with this e-mail address, for signing in.
pub async fn find_by_email(mut conn: &Conn, email: &str) -> Result<Option<Credentials>> {
    let query = Credentials::query().filter(dsl::email.eq(normalize_email(email)));
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the account with this id, for signing in and for requests of the account itself.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn credentials(mut conn: &Conn, id: Uuid) -> Result<Credentials> {
    Ok(Credentials::query().filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// Returns one account.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<Account> {
    Ok(visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// Returns a page of accounts.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that belongs to another list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<AccountFilter>) -> Result<Page<Account>> {
    let List { filter, page } = list;
    let emails: Vec<_> = filter.email.iter().map(|email| normalize_email(email.as_str())).collect();
    let query = any_of!(visible(reach), dsl::role, filter.role);
    let query = any_of!(query, dsl::municipality_code, filter.municipality);
    let query = any_of!(query, dsl::tutor_id, filter.tutor);
    let mut query = any_of!(query, dsl::email, emails);
    if let Some(disabled) = filter.disabled {
        query = query.filter(dsl::disabled.eq(disabled));
    }
    let query = keyset!(query, page, ascending, dsl::id: Uuid);
    Ok(Page::from_rows(page, query.limit(page.fetch()).load(&mut conn).await?, |account: &Account| account.id))
}

/// Returns every account that the caller sees, by id.
pub async fn all(mut conn: &Conn, reach: &Reach) -> Result<Vec<Account>> {
    Ok(visible(reach).order(dsl::id).load(&mut conn).await?)
}

/// Creates an account with an invitation.
///
/// # Errors
/// The errors of [`create`], and [`Error::Invalid`] for a disabled account, whose invitation nobody could use.
pub async fn invite(conn: &Conn, reach: &Reach, new: AccountInput) -> Result<InvitedAccount> {
    if new.disabled {
        return Err(Error::at(
            "/disabled",
            "invalid_value",
            "must be false, because a disabled account cannot use its invitation",
        ));
    }
    let account = create(conn, reach, new, None).await?;
    let invitation = invitations::renew(conn, account.id).await?;
    Ok(InvitedAccount { account, invitation })
}

/// Creates a new invitation for an account, which replaces an older one.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Conflict`] when the account is disabled.
pub async fn renew_invitation(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Invitation> {
    find(conn, reach, id).await?;
    invitations::renew(conn, id).await
}

/// Creates an account, with or without a password.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Conflict`] when the e-mail address is taken, and [`Error::Invalid`] when the
/// municipality or the tutor does not exist, or the tutor belongs to another municipality.
pub async fn create(
    mut conn: &Conn,
    reach: &Reach,
    new: AccountInput,
    password_hash: Option<String>,
) -> Result<Account> {
    reach.require_coordinator("create an account")?;
    require_references(conn, &new).await?;
    let values = (dsl::id.eq(Uuid::now_v7()), dsl::password_hash.eq(password_hash), new);
    let insert = diesel::insert_into(accounts::table).values(values);
    Ok(insert.returning(Account::as_returning()).get_result(&mut conn).await?)
}

/// Replaces the hash of a password with another hash of the same password. The sessions of the account go on, because
/// the triggers of the table know from the setting that its access does not change.
pub async fn store_hash_again(mut conn: &Conn, read: &Credentials, hash: String) -> Result<()> {
    conn.batch_execute("set local kuntatutorit.same_password = 'on'").await?;
    let row = accounts::table.find(read.account.id).filter(dsl::password_hash.eq(&read.password_hash));
    diesel::update(row).set(dsl::password_hash.eq(Some(hash))).execute(&mut conn).await?;
    Ok(conn.batch_execute("set local kuntatutorit.same_password = ''").await?)
}

impl Editable for Account {
    type Resource = Self;
    type Input = AccountInput;
    type Key = Uuid;

    async fn find_row(conn: &Conn, reach: &Reach, id: &Uuid) -> Result<Self> {
        find(conn, reach, *id).await
    }

    fn view(self, _: &Reach) -> Self {
        self
    }

    fn fields(&self) -> &AccountInput {
        &self.fields
    }

    /// Accepts every caller, because only the coordinator sees accounts.
    fn require_reach(&self, _: &Reach) -> Result<()> {
        Ok(())
    }

    async fn check(&self, conn: &Conn, _: &Reach, new: AccountInput) -> Result<AccountInput> {
        require_references(conn, &new).await?;
        Ok(new)
    }

    async fn update(&self, mut conn: &Conn, new: AccountInput) -> Result<Option<Self>> {
        let row = accounts::table.find(self.id).filter(dsl::version.eq(self.version));
        Ok(diesel::update(row).set(new).returning(Self::as_returning()).get_result(&mut conn).await.optional()?)
    }
}

/// Refuses a municipality that does not exist or has ended, a tutor that does not exist, and a tutor of another
/// municipality. The foreign keys and triggers guard against a row that changes at the same time.
async fn require_references(conn: &Conn, new: &AccountInput) -> Result<()> {
    let refused = Refused::among(conn, new.municipality_code.as_slice()).await?;
    let mut violations =
        Vec::from_iter(refused.violation(new.municipality_code.as_ref(), "accounts_municipality_code_exists"));
    if let Some(id) = new.tutor_id {
        match tutors::store::municipality_of(conn, id).await? {
            None => violations.extend(Violation::of_rule("accounts_tutor_id_exists")),
            municipality if municipality != new.municipality_code => {
                violations.extend(Violation::of_rule("accounts_tutor_of_municipality"));
            }
            Some(_) => {}
        }
    }
    Error::unless_empty(violations)
}
