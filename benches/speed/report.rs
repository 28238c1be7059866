//! The figures: medians of the rounds, their spread, and the ratio to the floor.

use std::fmt::Write as _;

use super::load::Sample;

/// The samples of one operation at one number of connections.
pub(crate) struct Measured {
    pub(crate) operation: &'static str,
    pub(crate) connections: u32,
    pub(crate) service: Vec<Sample>,
    pub(crate) floor: Vec<Sample>,
}

/// Returns the median of a figure.
pub(crate) fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let mut figures: Vec<f64> = samples.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the distance between the extremes of a figure, in percent of its median.
fn spread(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let figures: Vec<f64> = samples.iter().map(&of).collect();
    let (least, most) = figures.iter().fold((f64::MAX, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
    100.0 * (most - least) / median(samples, of)
}

impl Measured {
    /// The header of the table.
    pub(crate) const HEADER: &'static str = "\
| operation | connections | requests/s | p50 ms | p99 ms | service µs | PostgreSQL µs | spread % | failed % \
| floor requests/s | floor p99 ms | floor µs | floor PostgreSQL µs | service ÷ floor | PostgreSQL ÷ floor | together ÷ floor |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

    /// Returns the line of the table.
    pub(crate) fn line(&self) -> String {
        let Self { operation, connections, service, floor } = self;
        if median(service, |sample| sample.per_second) == 0.0 {
            return format!("| {operation} | {connections} | no request was finished |{}", " – |".repeat(13));
        }
        let of = |samples: &[Sample], of: fn(&Sample) -> f64| median(samples, of);
        let (cost, base) = (of(service, |s| s.server), of(floor, |s| s.server));
        let (postgres, floor_postgres) = (of(service, |s| s.postgres), of(floor, |s| s.postgres));
        let mut line = format!(
            "| {operation} | {connections} | {:.0} | {:.2} | {:.2} | {cost:.1} | {postgres:.1} | {:.0} | {:.1} ",
            of(service, |s| s.per_second),
            of(service, |s| s.p50),
            of(service, |s| s.p99),
            spread(service, |s| s.server + s.postgres),
            100.0 * of(service, |s| s.failed),
        );
        if floor.is_empty() {
            line.push_str("| – | – | – | – | – | – | – |");
        } else {
            let together = (cost + postgres) / (base + floor_postgres);
            let _ = write!(
                line,
                "| {:.0} | {:.2} | {base:.1} | {floor_postgres:.1} | {:.2} | {:.2} | {together:.2} |",
                of(floor, |s| s.per_second),
                of(floor, |s| s.p99),
                cost / base,
                postgres / floor_postgres,
            );
        }
        line
    }
}
