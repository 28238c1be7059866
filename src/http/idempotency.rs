//! `Idempotency-Key`: a `POST` that is sent again is carried out only once and gets the same response.
//!
//! The key, the new resource and the response are written in one transaction. A second request with the key waits until
//! that transaction ends. A failure saves nothing. A key belongs to its caller, whatever rights the token has. A saved
//! response is replayed only if the token has the same rights as the first one.

use std::future::Ready;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use diesel::{dsl::IntervalDsl as _, prelude::*, result::Error as DieselError};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::{
    input::caller::Caller,
    output::created::{Created, CreatedResponse},
    resource::Resource,
};
use crate::{
    auth::{reach::Reach, scopes::Scope},
    db::{
        Conn, Db,
        sql_functions::{clock_now, pg_advisory_xact_lock},
    },
    domain::lifetimes::IDEMPOTENCY_KEY_HOURS,
    problem::{Error, Result, Violation},
    schema::{idempotency_keys, idempotency_keys::dsl},
};

/// The name of the header.
pub(super) const HEADER: &str = "Idempotency-Key";

/// The `Idempotency-Key` of a request, if it has one, and the operation that it is for.
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
            detail: format!("send `{HEADER}` only once, with 1 to 255 visible ASCII characters"),
        }))
    }
}

fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl IdempotencyKey {
    /// Returns whether the request has no key.
    pub fn is_absent(&self) -> bool {
        self.key.is_none()
    }

    /// Creates a resource, once for each key.
    ///
    /// # Errors
    /// The errors of `create`; [`Error::Invalid`] when the key was used for another request, [`Error::Conflict`] when
    /// it was used with other rights, [`Error::InProgress`] when the first request with the key does not end in time.
    pub async fn once<S, N, T>(
        self,
        db: &Db,
        caller: Caller<S>,
        new: N,
        create: impl AsyncFnOnce(&Conn, &Reach, N) -> Result<T> + 'static,
    ) -> Result<Created<T>>
    where
        S: Scope,
        N: Serialize + 'static,
        T: Resource + 'static,
    {
        let (author, reach) = (caller.author(), caller.reach);
        let Some(key) = self.key else {
            return db.write(author, async move |conn| Ok(Created::New(create(conn, &reach, new).await?))).await;
        };
        let Some(actor) = reach.identity.actor() else { return Err(Error::Unauthenticated) };
        let fingerprint = fingerprint(&self.operation, &new)?;
        let entry = Entry { caller: actor, reach: reach.key(), key, fingerprint };
        db.write(author, async move |conn| {
            let saved = entry.find(conn).await?;
            if let Some(Saved::WithSameRights(response)) = saved {
                return Ok(Created::Replayed(response));
            }
            let created = create(conn, &reach, new).await?;
            if saved.is_some() {
                // Only a caller that may still create the resource learns that it was created. The error rolls back this
                // one.
                return Err(done_with_other_rights());
            }
            entry.save(conn, CreatedResponse::of(&created)?).await?;
            Ok(Created::New(created))
        })
        .await
    }
}

/// Returns the hash of an operation and its body. The white space and the order of fields in the JSON do not matter.
fn fingerprint(operation: &str, body: &impl Serialize) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(body).map_err(|error| Error::Internal(error.into()))?;
    Ok(Sha256::new().chain_update(operation).chain_update([0]).chain_update(json).finalize().to_vec())
}

fn done_with_other_rights() -> Error {
    Error::Conflict {
        code: "idempotency_key_other_rights".into(),
        detail: "this request was already carried out, with a token that had other rights; read the resource instead"
            .into(),
    }
}

/// The saved response to an earlier request with the same key and the same body.
enum Saved {
    /// The caller had the rights that it has now.
    WithSameRights(CreatedResponse),
    /// The caller had other rights, so the response may have fields that it may not see now.
    WithOtherRights,
}

/// A key with its caller, the caller's rights and the request.
struct Entry {
    caller: String,
    reach: String,
    key: String,
    fingerprint: Vec<u8>,
}

impl Entry {
    /// Waits for an earlier request with the same key, then returns its saved response. PostgreSQL releases the lock
    /// when the transaction ends.
    async fn find(&self, mut conn: &Conn) -> Result<Option<Saved>> {
        diesel::select(pg_advisory_xact_lock(self.lock())).execute(&mut conn).await.map_err(in_progress)?;
        let row = idempotency_keys::table.find((&self.caller, &self.key));
        let is_valid = (dsl::created_at + IDEMPOTENCY_KEY_HOURS.hours()).gt(clock_now());
        let has_same_rights = dsl::reach.eq(&self.reach);
        let columns = (is_valid, has_same_rights, dsl::fingerprint, (dsl::path, dsl::etag, dsl::body));
        let found: Option<(bool, bool, Vec<u8>, CreatedResponse)> =
            row.select(columns).first(&mut conn).await.optional()?;
        match found {
            None => Ok(None),
            Some((false, ..)) => {
                diesel::delete(row).execute(&mut conn).await?;
                Ok(None)
            }
            Some((true, .., fingerprint, _)) if fingerprint != self.fingerprint => {
                let detail = "this key was used for another request; use a new key for each request";
                Err(Error::Invalid(vec![Violation::of_header(HEADER, "idempotency_key_reused", detail)]))
            }
            Some((true, true, _, response)) => Ok(Some(Saved::WithSameRights(response))),
            Some((true, false, ..)) => Ok(Some(Saved::WithOtherRights)),
        }
    }

    async fn save(self, mut conn: &Conn, response: CreatedResponse) -> Result<()> {
        let entry = (
            dsl::caller.eq(self.caller),
            dsl::reach.eq(self.reach),
            dsl::key.eq(self.key),
            dsl::fingerprint.eq(self.fingerprint),
        );
        let response = (dsl::path.eq(response.path), dsl::etag.eq(response.etag), dsl::body.eq(response.body));
        diesel::insert_into(idempotency_keys::table).values((entry, response)).execute(&mut conn).await?;
        Ok(())
    }

    /// Returns the number of the lock for this caller and key.
    fn lock(&self) -> i64 {
        let hash = Sha256::new().chain_update(&self.caller).chain_update([0]).chain_update(&self.key).finalize();
        hash.iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
    }
}

/// Converts the failure to get the lock in time.
fn in_progress(error: DieselError) -> Error {
    match &error {
        DieselError::DatabaseError(_, info) if info.message() == "canceling statement due to lock timeout" => {
            Error::InProgress
        }
        _ => error.into(),
    }
}

impl utoipa::IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = format!(
            "1 to 255 visible ASCII characters, such as a UUID; a new key for each resource that you create. For \
             {IDEMPOTENCY_KEY_HOURS} hours, the same request with the same key is carried out only once and gets the same \
             response, with `Idempotency-Replayed: true`. 422 (`idempotency_key_reused`) when the key was used for another \
             request. 409 with `Retry-After` (`idempotency_key_in_progress`) while the first request is running. 409 \
             without it (`idempotency_key_other_rights`) when the request was carried out with a token that had other \
             rights (scopes, role or municipality): read the resource instead."
        );
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
                .build(),
        ]
    }
}
