//! Limits on what one caller may do within a time, and the headers that describe them (draft-ietf-httpapi-ratelimit-headers).

use actix_web::{HttpResponseBuilder, http::header};

/// The header that describes a limit.
pub const RATELIMIT_POLICY: &str = "ratelimit-policy";
/// The header that says how much of the limit is left.
pub const RATELIMIT: &str = "ratelimit";

/// A limit on what one caller may do within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The name of the limit in the headers.
    pub name: &'static str,
    /// How much is allowed within the time.
    pub quota: u64,
    /// The time in seconds.
    pub window: u32,
    /// What is counted; none when it is requests.
    pub unit: Option<&'static str>,
}

/// The throttling of sign-in: so many failures in a row, and the seconds after the last one until they no longer count.
const SIGN_IN: Policy = Policy { name: "sign-in", quota: 5, window: 900, unit: None };

impl Policy {
    /// Returns the value of `RateLimit-Policy`.
    pub fn header(&self) -> String {
        let Self { name, quota, window, unit } = self;
        match unit {
            Some(unit) => format!("\"{name}\";q={quota};qu=\"{unit}\";w={window}"),
            None => format!("\"{name}\";q={quota};w={window}"),
        }
    }
}

/// How much of a limit is left for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The limit.
    pub policy: Policy,
    /// How much is left.
    pub remaining: u64,
    /// The seconds until everything is allowed again.
    pub reset: u32,
    /// The seconds until the refused request is allowed.
    pub retry_after: u32,
}

impl RateLimit {
    /// Describes the throttling of sign-in for a caller that has to wait for this many seconds.
    pub fn of_sign_in(seconds: u32) -> Self {
        Self { policy: SIGN_IN, remaining: 0, reset: seconds, retry_after: seconds }
    }

    /// Returns the value of `RateLimit`.
    pub fn header(&self) -> String {
        format!("\"{}\";r={};t={}", self.policy.name, self.remaining, self.reset)
    }

    /// Adds the headers of a refusal: when to try again, the limit, and how much of it is left.
    pub fn add_to<'a>(&self, response: &'a mut HttpResponseBuilder) -> &'a mut HttpResponseBuilder {
        response
            .insert_header((header::RETRY_AFTER, self.retry_after))
            .insert_header((RATELIMIT_POLICY, self.policy.header()))
            .insert_header((RATELIMIT, self.header()))
    }
}
