//! The benchmark: compares the service with everything on with a minimal server, the floor, in the same run. `make bench`
//! runs it, and `benches/README.md` says how to read the results.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a program, not a library")]
#![allow(clippy::cast_precision_loss, reason = "the figures are rounded for people")]

mod cost;
mod database;
mod flat;
mod floor;
mod inputs;
mod load;
mod measure;
mod operations;
mod report;
mod rows;
mod start;
mod tls;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", database_url, port, workers] => {
            floor::serve(database_url, port.parse().unwrap(), workers.parse().unwrap());
        }
        _ => measure::run(),
    }
}
