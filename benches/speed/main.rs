//! What speed is claimed, measured: the service with everything on beside a floor, in one run. `make bench` runs it, and
//! `benches/README.md` tells how to read it.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a program for who measures, no interface")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod cost;
mod flat;
mod floor;
mod given;
mod load;
mod measure;
mod operations;
mod report;
mod rows;
mod start;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", database_url, port, workers] => {
            floor::serve(database_url, port.parse().unwrap(), workers.parse().unwrap());
        }
        _ => measure::run(),
    }
}
