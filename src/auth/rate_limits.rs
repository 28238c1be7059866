//! Rate limits: how many requests each caller may send. Each instance counts in its own memory.
//!
//! A caller with a valid token is counted by its account or client, wherever it calls from. All others are counted by
//! network address. So a flood of forged tokens uses up the limit of its address, but not the limits of the people behind
//! the same address. An IPv6 /48 network, which is what one attacker usually has, is limited as well: it has 65,536 /64
//! networks, each with a limit of its own.

use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::http::header::HeaderValue;
use governor::{
    NotUntil, Quota, RateLimiter, clock::Clock as _, clock::MonotonicClock, middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::network_address::NetworkAddress;
use crate::problem::{
    Error, Result,
    rate_limit::{Policy, RateLimit},
};

/// How many seconds of requests a caller may send at once.
const BURST_SECONDS: u32 = 3;
/// The time between two removals of callers that have their whole limit again. Each caller takes about 60 bytes, so an
/// attacker that sends each request from another IPv6 network cannot use up the memory.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How many times the limit of one address an IPv6 /48 network has.
const NETWORK_FACTOR: u32 = 10;

/// The counts of all callers. governor's default clock takes up to 200 ms to calibrate itself at the start.
type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, MonotonicClock, StateInformationMiddleware>;

/// The caller that a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// An account or a client.
    Caller(Uuid),
    /// An IPv4 address or an IPv6 /64 network; none when it is unknown.
    Address(Option<IpAddr>),
}

impl Counted {
    /// Returns the caller that a request without a valid token is counted for.
    pub fn address(address: Option<IpAddr>) -> Self {
        Self::Address(NetworkAddress::of(address).address())
    }
}

/// Counts the requests of each caller.
#[derive(Debug)]
pub struct RateLimits {
    callers: Option<Limiter<Counted>>,
    networks: Option<Limiter<IpAddr>>,
    policy: Policy,
    policy_header: HeaderValue,
    per_second: u32,
}

impl RateLimits {
    /// Allows each caller this many requests per second, and three times as many at once; 0 allows any number.
    pub fn new(per_second: u32) -> Self {
        let burst = per_second.saturating_mul(BURST_SECONDS);
        let policy = Policy { name: "default", quota: burst.into(), window: BURST_SECONDS, unit: None };
        let policy_header = policy.header().try_into().unwrap_or(HeaderValue::from_static(""));
        let networks = limiter(per_second.saturating_mul(NETWORK_FACTOR));
        Self { callers: limiter(per_second), networks, policy, policy_header, per_second }
    }

    /// Returns the value of `RateLimit-Policy`.
    pub fn policy_header(&self) -> HeaderValue {
        self.policy_header.clone()
    }

    /// Counts a request. Returns how many more the caller may send; none when there is no limit.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when the caller has sent too many.
    pub fn count(&self, caller: Counted) -> Result<Option<RateLimit>> {
        let Some((callers, networks)) = self.callers.as_ref().zip(self.networks.as_ref()) else { return Ok(None) };
        if let Counted::Address(Some(address @ IpAddr::V6(_))) = caller
            && let Some(network) = NetworkAddress::of(Some(address)).prefix()
        {
            networks.check_key(&network).map_err(|refused| self.refusal(&refused))?;
        }
        let state = callers.check_key(&caller).map_err(|refused| self.refusal(&refused))?;
        Ok(Some(self.left(state.remaining_burst_capacity(), 0)))
    }

    fn refusal(&self, refused: &NotUntil<Instant>) -> Error {
        let wait = refused.wait_time_from(MonotonicClock.now()).as_secs();
        Error::RateLimited(self.left(0, u32::try_from(wait).unwrap_or(u32::MAX).saturating_add(1)))
    }

    fn left(&self, remaining: u32, retry_after: u32) -> RateLimit {
        let used = self.per_second.saturating_mul(BURST_SECONDS).saturating_sub(remaining);
        let reset = used.div_ceil(self.per_second.max(1)).max(1);
        RateLimit { policy: self.policy, remaining: remaining.into(), reset, retry_after }
    }

    /// Forgets the callers that have their whole limit again.
    fn sweep(&self) {
        if let Some(callers) = &self.callers {
            callers.retain_recent();
            callers.shrink_to_fit();
        }
        if let Some(networks) = &self.networks {
            networks.retain_recent();
            networks.shrink_to_fit();
        }
    }
}

/// Allows each key this many requests per second, and three times as many at once; none for 0.
fn limiter<K: Hash + Eq + Clone>(per_second: u32) -> Option<Limiter<K>> {
    let (rate, burst) = NonZeroU32::new(per_second).zip(NonZeroU32::new(per_second.saturating_mul(BURST_SECONDS)))?;
    let quota = Quota::per_second(rate).allow_burst(burst);
    Some(RateLimiter::dashmap_with_clock(quota, MonotonicClock).with_middleware::<StateInformationMiddleware>())
}

/// Forgets callers that have their whole limit again, for as long as the service runs.
pub async fn sweep(limits: Arc<RateLimits>) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        limits.sweep();
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv6Addr, thread};

    use super::*;

    #[test]
    fn a_network_with_many_addresses_is_limited_too() {
        let limits = RateLimits::new(1000);
        let from = |subnet: u128| limits.count(Counted::address(Some(Ipv6Addr::from_bits(subnet << 64 | 1).into())));
        let allowed = (0..40_000).filter(|subnet| from(*subnet).is_ok()).count();
        assert!((30_000..40_000).contains(&allowed), "{allowed}");
        assert!(from(1 << 16).is_ok(), "another network");
    }

    #[test]
    fn callers_that_have_their_whole_limit_again_take_no_memory() {
        let limits = RateLimits::new(1000);
        for network in 0..100_000 {
            let address = Ipv6Addr::from_bits(network << 80 | 1);
            assert!(limits.count(Counted::address(Some(address.into()))).is_ok());
        }
        let callers = limits.callers.as_ref().unwrap();
        assert_eq!(callers.len(), 100_000);
        thread::sleep(Duration::from_millis(5));
        let busy = Counted::Caller(Uuid::nil());
        for _ in 0..2000 {
            assert!(limits.count(busy).is_ok());
        }
        limits.sweep();
        assert_eq!(limits.networks.as_ref().unwrap().len(), 0);
        assert_eq!(callers.len(), 1, "only the caller that has used up its limit is remembered");
    }
}
