//! The metrics server: Prometheus reads the metrics on a separate port. The server runs only when `METRICS_PORT` is set.

use std::net::TcpListener;

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    web::{self, Data},
};
use diesel::{QueryableByName, sql_types::Double};
use diesel_async::RunQueryDsl as _;

use crate::{
    db::Db,
    http::response_memory::ResponseMemory,
    problem::{Error, Result},
    telemetry::metrics::Metrics,
};

/// Serves the metrics on this listener until the service stops.
pub fn serve(
    listener: TcpListener,
    metrics: Data<Metrics>,
    memory: Data<ResponseMemory>,
    db: impl Fn() -> Db + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let app = move || {
        App::new()
            .app_data(metrics.clone())
            .app_data(memory.clone())
            .app_data(Data::new(db()))
            .route("/metrics", web::get().to(get_metrics))
    };
    Ok(HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run())
}

async fn get_metrics(metrics: Data<Metrics>, memory: Data<ResponseMemory>, db: Data<Db>) -> Result<HttpResponse> {
    let (bytes, cut) = memory.figures();
    metrics.set_responses(bytes, cut);
    let pool = db.pool_status();
    metrics.set_pool(pool.max_size, pool.size, pool.size.saturating_sub(pool.available), pool.waiting);
    let lag = ledger_lag(&db).await;
    metrics.set_database(lag.is_ok(), lag.ok());
    let text = metrics.text().map_err(|error| Error::Internal(error.into()))?;
    Ok(HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text))
}

/// Returns the age, in seconds, of the oldest change that readers of the ledger do not see yet because an older transaction
/// is still open.
async fn ledger_lag(db: &Db) -> Result<f64> {
    #[derive(QueryableByName)]
    struct Lag {
        #[diesel(sql_type = Double)]
        seconds: f64,
    }
    // The ledger's index begins with the collection, so each collection is searched by itself.
    let query = "select coalesce(extract(epoch from now() - min(changed_at)), 0)::float8 as seconds \
                 from pg_trigger join pg_class on pg_class.oid = tgrelid \
                 cross join lateral (select changed_at from changes \
                   where resource = relname \
                     and (epoch, xid) >= ((select max(ordinal) from ledger_epochs), ledger_horizon()) \
                   order by epoch, xid, seq limit 1) as oldest \
                 where tgname = 'record_change'";
    let lag = db.read(async |mut conn| Ok(diesel::sql_query(query).get_result::<Lag>(&mut conn).await?)).await?;
    Ok(lag.seconds)
}
