//! The metrics that Prometheus reads.

use std::time::Duration;

use actix_web::http::Method;
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// The bounds of the histogram, in seconds: from one read to the longest long poll.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];
/// The routes at which an attacker can guess secrets.
const SIGN_IN: [&str; 3] = ["/v1/auth/login", "/v1/auth/token", "/v1/auth/password"];

/// The metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: HistogramVec,
    refused: IntCounterVec,
    limited: IntCounterVec,
    pool: IntGaugeVec,
    database_up: IntGauge,
    ledger_lag: Gauge,
    response_bytes: IntGauge,
    connections_cut: IntCounter,
}

impl Metrics {
    /// Creates and registers the metrics, all at zero.
    pub fn new() -> prometheus::Result<Self> {
        let histogram = HistogramOpts::new("kuntatutorit_request_seconds", "Duration of requests.");
        let metrics = Self {
            registry: Registry::new(),
            requests: HistogramVec::new(histogram.buckets(BUCKETS.to_vec()), &["route", "method", "status"])?,
            refused: counter("kuntatutorit_sign_ins_refused_total", "Sign-ins that were refused.", "route")?,
            limited: counter(
                "kuntatutorit_requests_limited_total",
                "Requests that were refused because of a limit: of the caller, of the address, of written bytes, or of memory.",
                "limit",
            )?,
            pool: IntGaugeVec::new(
                Opts::new(
                    "kuntatutorit_pool_connections",
                    "Connections for writes: the maximum, open, in use; and requests that wait for one.",
                ),
                &["state"],
            )?,
            database_up: IntGauge::new("kuntatutorit_database_up", "Whether the database answers.")?,
            ledger_lag: Gauge::new(
                "kuntatutorit_ledger_lag_seconds",
                "Age of the oldest change that readers do not see yet because an older transaction is open.",
            )?,
            response_bytes: IntGauge::new(
                "kuntatutorit_response_bytes",
                "Bytes of long responses that are being read.",
            )?,
            connections_cut: IntCounter::new(
                "kuntatutorit_connections_cut_total",
                "Connections that were cut because the client read too slowly while others waited for memory.",
            )?,
        };
        let build =
            IntGaugeVec::new(Opts::new("kuntatutorit_build_info", "The version of the service."), &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        metrics.registry.register(Box::new(build))?;
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.refused.clone()))?;
        metrics.registry.register(Box::new(metrics.limited.clone()))?;
        metrics.registry.register(Box::new(metrics.pool.clone()))?;
        metrics.registry.register(Box::new(metrics.database_up.clone()))?;
        metrics.registry.register(Box::new(metrics.ledger_lag.clone()))?;
        metrics.registry.register(Box::new(metrics.response_bytes.clone()))?;
        metrics.registry.register(Box::new(metrics.connections_cut.clone()))?;
        Ok(metrics)
    }

    /// Records a response by the template of its route, the method and the status.
    pub fn record_response(&self, route: &str, method: &Method, status: u16, took: Duration) {
        let labels = [route, method_name(method), &status.to_string()];
        self.requests.with_label_values(&labels).observe(took.as_secs_f64());
        if SIGN_IN.contains(&route) && matches!(status, 401 | 429) {
            self.refused.with_label_values(&[route]).inc();
        }
    }

    /// Counts a request that was refused because of this limit.
    pub fn record_limited(&self, limit: &'static str) {
        self.limited.with_label_values(&[limit]).inc();
    }

    /// Sets the state of the pool: how many connections it can have, are open and are in use, and how many requests wait
    /// for one.
    pub fn set_pool(&self, max: usize, open: usize, in_use: usize, waiting: usize) {
        for (state, count) in [("max", max), ("open", open), ("in_use", in_use), ("waiting", waiting)] {
            self.pool.with_label_values(&[state]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Sets the memory of responses that are being read, and how many connections were cut to make room.
    pub fn set_responses(&self, bytes: usize, cut: u64) {
        self.response_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.connections_cut.inc_by(cut.saturating_sub(self.connections_cut.get()));
    }

    /// Sets whether the database answers, and the lag of the change ledger in seconds when it is known.
    pub fn set_database(&self, is_up: bool, ledger_lag: Option<f64>) {
        self.database_up.set(i64::from(is_up));
        if let Some(seconds) = ledger_lag {
            self.ledger_lag.set(seconds);
        }
    }

    /// Returns the metrics in the text format of Prometheus.
    pub fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn counter(name: &str, help: &str, label: &str) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), &[label])
}

/// Returns the method as a label. All methods that the service does not know share one, because a caller can send any word.
pub fn method_name(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| method == known).unwrap_or("other")
}
