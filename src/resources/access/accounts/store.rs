//! The accounts in the database: the coordinator's, but for signing in.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    invitations,
    model::{Account, AccountFilter, AccountInput, Credentials, Invitation, InvitedAccount, normal},
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
        directory::{municipalities, tutors},
        update::Editable,
    },
    schema::{accounts, accounts::dsl},
};

type Visible = IntoBoxed<'static, Select<accounts::table, AsSelect<Account, Pg>>, Pg>;

/// The only door to the table for callers: the coordinator sees all of it, the others nothing.
fn visible(reach: &Reach) -> Visible {
    let query = Account::query().into_boxed();
    if reach.is_coordinator() { query } else { query.filter(false.into_sql::<Bool>()) }
}

/// What signing in looks at of the account with this e-mail address, if there is one.
///
/// # Errors
/// When the database is away.
pub async fn find_by_email(mut conn: &Conn, email: &str) -> Result<Option<Credentials>> {
    let query = Credentials::query().filter(dsl::email.eq(normal(email)));
    Ok(query.first(&mut conn).await.optional()?)
}

/// What signing in looks at of the account with this id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn credentials(mut conn: &Conn, id: Uuid) -> Result<Credentials> {
    Ok(Credentials::query().filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// One account.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<Account> {
    Ok(visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// A page of accounts.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that is not of this list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<AccountFilter>) -> Result<Page<Account>> {
    let List { filter, page } = list;
    let emails: Vec<_> = filter.email.iter().map(|email| normal(email.as_str())).collect();
    let query = any_of!(visible(reach), dsl::role, filter.role);
    let query = any_of!(query, dsl::municipality_code, filter.municipality);
    let mut query = any_of!(query, dsl::email, emails);
    if let Some(disabled) = filter.disabled {
        query = query.filter(dsl::disabled.eq(disabled));
    }
    let query = keyset!(query, page, ascending, dsl::id: Uuid);
    Ok(Page::from_rows(page, query.limit(page.fetch()).load(&mut conn).await?, |account: &Account| account.id))
}

/// Every account, by id.
///
/// # Errors
/// When the database is away.
pub async fn all(mut conn: &Conn, reach: &Reach) -> Result<Vec<Account>> {
    Ok(visible(reach).order(dsl::id).load(&mut conn).await?)
}

/// Makes an account with an invitation.
///
/// # Errors
/// As [`create`], and [`Error::Invalid`] when it is disabled: nobody could use the invitation.
pub async fn invite(conn: &Conn, reach: &Reach, new: AccountInput) -> Result<InvitedAccount> {
    if new.disabled {
        return Err(Error::at("/disabled", "invalid_value", "must be false: whoever is invited is let in"));
    }
    let account = create(conn, reach, new, None).await?;
    let invitation = invitations::renew(conn, account.id).await?;
    Ok(InvitedAccount { account, invitation })
}

/// Makes a new invitation for an account, which replaces an older one.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Conflict`] when the account is disabled.
pub async fn renew_invitation(conn: &Conn, reach: &Reach, id: Uuid) -> Result<Invitation> {
    find(conn, reach, id).await?;
    invitations::renew(conn, id).await
}

/// Makes an account, with a password or with none yet.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Conflict`] when the e-mail address is taken, [`Error::Invalid`] when the role, the
/// municipality and the tutor do not go together.
pub async fn create(
    mut conn: &Conn,
    reach: &Reach,
    new: AccountInput,
    password_hash: Option<String>,
) -> Result<Account> {
    reach.require_coordinator("making an account")?;
    require_references(conn, &new).await?;
    let made = (dsl::id.eq(Uuid::now_v7()), dsl::password_hash.eq(password_hash), new);
    let insert = diesel::insert_into(accounts::table).values(made);
    Ok(insert.returning(Account::as_returning()).get_result(&mut conn).await?)
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

    /// Only the coordinator sees accounts, and may change all of them.
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

/// Tells every reference that leads nowhere, or to another municipality's tutor; the foreign keys guard against what
/// changes meanwhile.
async fn require_references(conn: &Conn, new: &AccountInput) -> Result<()> {
    let no_municipality = municipalities::store::missing(conn, new.municipality_code.as_slice()).await?;
    let mut broken = Vec::new();
    if !no_municipality.is_empty() {
        broken.push("accounts_municipality_code_exists");
    }
    if let Some(id) = new.tutor_id {
        match tutors::store::municipality_of(conn, id).await? {
            None => broken.push("accounts_tutor_id_exists"),
            municipality if municipality != new.municipality_code => broken.push("accounts_tutor_of_municipality"),
            Some(_) => {}
        }
    }
    Error::unless_empty(broken.into_iter().filter_map(Violation::of_rule).collect())
}
