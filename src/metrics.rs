//! Figures for the operator, in Prometheus' text form, on a port of their own: off unless `METRICS_PORT` is set.

use std::{net::TcpListener, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    http::Method,
    web::{self, Data},
};
use diesel::{QueryableByName, sql_types::Double};
use diesel_async::RunQueryDsl as _;
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::{
    db::Db,
    problem::{Error, Result},
};

/// Bounds of the histogram, in seconds: from one read to the longest wait.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];
/// Where secrets can be guessed.
const SIGN_IN: [&str; 3] = ["/v1/auth/login", "/v1/auth/token", "/v1/auth/password"];

/// What is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: HistogramVec,
    refused: IntCounterVec,
    pool: IntGaugeVec,
    database_up: IntGauge,
    ledger_lag: Gauge,
}

impl Metrics {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// When two figures have one name.
    pub fn new() -> prometheus::Result<Self> {
        let histogram = HistogramOpts::new("kuntatutorit_request_seconds", "How long requests took.");
        let metrics = Self {
            registry: Registry::new(),
            requests: HistogramVec::new(histogram.buckets(BUCKETS.to_vec()), &["route", "method", "status"])?,
            refused: counted("kuntatutorit_sign_ins_refused_total", "Sign-ins that were refused.", "route")?,
            pool: IntGaugeVec::new(
                Opts::new(
                    "kuntatutorit_pool_connections",
                    "Connections for writes: the most, open, in use; who waits.",
                ),
                &["state"],
            )?,
            database_up: IntGauge::new("kuntatutorit_database_up", "Whether the database answers.")?,
            ledger_lag: Gauge::new(
                "kuntatutorit_ledger_lag_seconds",
                "The age of the oldest change that waits for an older transaction.",
            )?,
        };
        let build = IntGaugeVec::new(Opts::new("kuntatutorit_build_info", "Which version runs."), &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        metrics.registry.register(Box::new(build))?;
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.refused.clone()))?;
        metrics.registry.register(Box::new(metrics.pool.clone()))?;
        metrics.registry.register(Box::new(metrics.database_up.clone()))?;
        metrics.registry.register(Box::new(metrics.ledger_lag.clone()))?;
        Ok(metrics)
    }

    /// Counts an answer by the route's template, the method and the status.
    pub fn answered(&self, route: &str, method: &Method, status: u16, took: Duration) {
        let labels = [route, method_name(method), &status.to_string()];
        self.requests.with_label_values(&labels).observe(took.as_secs_f64());
        if SIGN_IN.contains(&route) && matches!(status, 401 | 429) {
            self.refused.with_label_values(&[route]).inc();
        }
    }

    /// Asks the pool and the database how they are.
    async fn look(&self, db: &Db) {
        let pool = db.pool_status();
        let states = [
            ("max", pool.max_size),
            ("open", pool.size),
            ("in_use", pool.size.saturating_sub(pool.available)),
            ("waiting", pool.waiting),
        ];
        for (state, count) in states {
            self.pool.with_label_values(&[state]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let lag = ledger_lag(db).await;
        self.database_up.set(i64::from(lag.is_ok()));
        if let Ok(seconds) = lag {
            self.ledger_lag.set(seconds);
        }
    }
}

fn counted(name: &str, help: &str, label: &str) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), &[label])
}

/// A caller can send any word for a method; a label takes few.
pub fn method_name(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| method == known).unwrap_or("other")
}

async fn ledger_lag(db: &Db) -> Result<f64> {
    #[derive(QueryableByName)]
    struct Lag {
        #[diesel(sql_type = Double)]
        seconds: f64,
    }
    // Each table that the ledger is kept of, by itself: that is what the ledger's index begins with.
    let query = "select coalesce(extract(epoch from now() - min(changed_at)), 0)::float8 as seconds \
                 from pg_trigger join pg_class on pg_class.oid = tgrelid \
                 cross join lateral (select changed_at from changes \
                   where resource = relname and xid >= ledger_horizon() order by xid, seq limit 1) as oldest \
                 where tgname = 'record_change'";
    let lag = db.read(async |mut conn| Ok(diesel::sql_query(query).get_result::<Lag>(&mut conn).await?)).await?;
    Ok(lag.seconds)
}

/// A server of its own for the figures; it ends with the service.
///
/// # Errors
/// When it cannot listen.
pub fn serve(
    listener: TcpListener,
    metrics: Data<Metrics>,
    db: impl Fn() -> Db + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let app = move || {
        App::new().app_data(metrics.clone()).app_data(Data::new(db())).route("/metrics", web::get().to(get_metrics))
    };
    Ok(HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run())
}

async fn get_metrics(metrics: Data<Metrics>, db: Data<Db>) -> Result<HttpResponse> {
    metrics.look(&db).await;
    let text = TextEncoder::new().encode_to_string(&metrics.registry.gather());
    let text = text.map_err(|error| Error::Internal(error.into()))?;
    Ok(HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text))
}
