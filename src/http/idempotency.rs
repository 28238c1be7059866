//! `Idempotency-Key`: a `POST` that is sent again does its work once and gets the same answer.
//!
//! The key, the work and the answer share one transaction. A twin that comes meanwhile waits for its end; a failure
//! saves nothing. A key is its caller's, whatever rights the token has; the answer is for the rights that it was made for.

use std::future::Ready;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use diesel::{
    dsl::{IntervalDsl as _, now},
    prelude::*,
    sql_types::Timestamptz,
};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::input::caller::Caller;
use super::{
    output::created::{Answer, Created},
    resource::Resource,
};
use crate::{
    auth::{reach::Reach, scopes::Scope},
    db::sql_functions::pg_advisory_xact_lock,
    db::{Conn, Db},
    problem::{Error, Result, Violation},
    schema::{idempotency_keys, idempotency_keys::dsl},
};

/// The name of the header.
const HEADER: &str = "Idempotency-Key";

/// The request's `Idempotency-Key`, if it has one, and what it is for.
#[derive(Debug)]
pub struct IdempotencyKey {
    key: Option<String>,
    operation: String,
}

impl FromRequest for IdempotencyKey {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all(HEADER);
        let key = match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().ok().filter(|key| is_key(key)).map(str::to_owned).map(Some).ok_or(()),
            (Some(_), Some(_)) => Err(()),
        };
        let operation = format!("{} {}", request.method(), request.path());
        std::future::ready(key.map(|key| Self { key, operation }).map_err(|()| Error::Malformed {
            code: "malformed_idempotency_key",
            detail: format!("`{HEADER}` must be 1 to 255 visible ASCII characters, once"),
        }))
    }
}

fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl IdempotencyKey {
    /// Whether the request has none.
    pub fn is_absent(&self) -> bool {
        self.key.is_none()
    }

    /// Makes a resource; once for each key.
    ///
    /// # Errors
    /// What `make` returns; [`Error::Invalid`] when the key was used for another request, [`Error::Conflict`] when it was
    /// used with other rights, [`Error::InProgress`] when its first request does not end in time.
    pub async fn once<S, N, T>(
        self,
        db: &Db,
        caller: Caller<S>,
        new: N,
        make: impl AsyncFnOnce(&Conn, &Reach, N) -> Result<T> + 'static,
    ) -> Result<Created<T>>
    where
        S: Scope,
        N: Serialize + 'static,
        T: Resource + 'static,
    {
        let (author, reach) = (caller.author(), caller.reach);
        let Some(key) = self.key else {
            return db.write(author, async move |conn| Ok(Created::New(make(conn, &reach, new).await?))).await;
        };
        let Some(actor) = reach.identity.actor() else { return Err(Error::Unauthenticated) };
        let fingerprint = fingerprint(&self.operation, &new)?;
        let entry = Entry { caller: actor, reach: reach.key(), key, fingerprint };
        db.write(author, async move |conn| {
            let done = match entry.done(conn).await? {
                Some(Done::AsNow(answer)) => return Ok(Created::Again(answer)),
                done => done.is_some(),
            };
            let made = make(conn, &reach, new).await?;
            if done {
                // It may do this still, so it is told that it was done; what was made just now is rolled back.
                return Err(done_with_other_rights());
            }
            entry.save(conn, Answer::of(&made)?).await?;
            Ok(Created::New(made))
        })
        .await
    }
}

/// What a request asks for, however its JSON is laid out.
fn fingerprint(operation: &str, body: &impl Serialize) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(body).map_err(|error| Error::Internal(error.into()))?;
    Ok(Sha256::new().chain_update(operation).chain_update([0]).chain_update(json).finalize().to_vec())
}

fn done_with_other_rights() -> Error {
    Error::Conflict {
        code: "idempotency_key_other_rights".into(),
        detail: "this was done already, with a token of other rights than you have now; read the resource instead"
            .into(),
    }
}

/// What a key was used for before, for this request.
enum Done {
    /// With the rights of now.
    AsNow(Answer),
    /// With others: the answer may say what the caller may not see now.
    Otherwise,
}

/// Whose key it is, with what rights, and for what.
struct Entry {
    caller: String,
    reach: String,
    key: String,
    fingerprint: Vec<u8>,
}

impl Entry {
    /// Waits for a twin, then tells what was done. PostgreSQL gives the lock back when the transaction ends.
    async fn done(&self, mut conn: &Conn) -> Result<Option<Done>> {
        diesel::select(pg_advisory_xact_lock(self.lock())).execute(&mut conn).await.map_err(in_progress)?;
        let row = idempotency_keys::table.find((&self.caller, &self.key));
        let lives = dsl::created_at.gt(now.into_sql::<Timestamptz>() - 24.hours());
        let same = dsl::reach.eq(&self.reach);
        let found = row.select((lives, same, dsl::fingerprint, (dsl::path, dsl::etag, dsl::body)));
        let found: Option<(bool, bool, Vec<u8>, Answer)> = found.first(&mut conn).await.optional()?;
        match found {
            None => Ok(None),
            Some((false, ..)) => {
                diesel::delete(row).execute(&mut conn).await?;
                Ok(None)
            }
            Some((true, same, fingerprint, answer)) if fingerprint == self.fingerprint => {
                Ok(Some(if same { Done::AsNow(answer) } else { Done::Otherwise }))
            }
            Some(_) => {
                let detail = "this key was used for another request; take a new key for each";
                Err(Error::Invalid(vec![Violation::of_header(HEADER, "idempotency_key_reused", detail)]))
            }
        }
    }

    async fn save(self, mut conn: &Conn, answer: Answer) -> Result<()> {
        let entry = (
            dsl::caller.eq(self.caller),
            dsl::reach.eq(self.reach),
            dsl::key.eq(self.key),
            dsl::fingerprint.eq(self.fingerprint),
        );
        let answer = (dsl::path.eq(answer.path), dsl::etag.eq(answer.etag), dsl::body.eq(answer.body));
        diesel::insert_into(idempotency_keys::table).values((entry, answer)).execute(&mut conn).await?;
        Ok(())
    }

    /// The number of the lock that twins wait at: the same for the same caller and key.
    fn lock(&self) -> i64 {
        let hash = Sha256::new().chain_update(&self.caller).chain_update([0]).chain_update(&self.key).finalize();
        hash.iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
    }
}

fn in_progress(error: diesel::result::Error) -> Error {
    match &error {
        diesel::result::Error::DatabaseError(_, info)
            if info.message() == "canceling statement due to lock timeout" =>
        {
            Error::InProgress
        }
        _ => error.into(),
    }
}

impl utoipa::IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "1 to 255 visible ASCII characters, such as a UUID, new for each thing that you make. Within \
                           24 hours the same request with the same key does its work once and gets the same answer, \
                           with `Idempotency-Replayed: true`. 422 when the key was used for another request; 409 with \
                           `Retry-After` while the first one takes too long; 409 without it \
                           (`idempotency_key_other_rights`) when it was done with a token of other rights (scopes, \
                           role, municipality): nothing is done again, so read the resource.";
        let text = utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"));
        vec![
            ParameterBuilder::new()
                .name(HEADER)
                .parameter_in(ParameterIn::Header)
                .required(utoipa::openapi::Required::False)
                .description(Some(description))
                .schema(Some(text))
                .example(Some(serde_json::json!("6f1c2d3e-7b1e-4c3a-9d52-0b7f6a1c2d3e")))
                .build(),
        ]
    }
}
