//! The course of a run: generates the data, starts the servers, measures in alternating rounds, and writes the report.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kuntatutorit::db::private_postgres::{Options, PrivatePostgres};

use super::{
    cost,
    database::Database,
    flat, inputs, load,
    load::Target,
    operations,
    operations::{Inputs, Operation, Side},
    report::Measured,
    start,
    start::{Process, first_answer, service},
    tls,
};

const SERVICE_PORT: u16 = 18_480;
const FLOOR_PORT: u16 = 18_481;
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/results.md");

/// The settings of the run, from the environment.
struct Settings {
    scale: u32,
    flat_scale: u32,
    rounds: u32,
    seconds: f64,
    connections: Vec<u32>,
    only: Option<String>,
}

impl Settings {
    fn read() -> Self {
        let number = |name: &str, default: u32| std::env::var(name).map_or(default, |text| text.parse().unwrap());
        let connections = std::env::var("CONNECTIONS").unwrap_or_else(|_| "1,16,64,256".into());
        Self {
            scale: number("SCALE", 100),
            flat_scale: number("FLAT_SCALE", 1000),
            rounds: number("ROUNDS", 3),
            seconds: number("SECONDS", 2).into(),
            connections: connections.split(',').map(|text| text.parse().unwrap()).collect(),
            only: std::env::var("ONLY").ok(),
        }
    }

    fn includes(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

/// The service and the floor, which run on the same database.
struct Servers {
    service: Process,
    floor: Process,
    postmaster: u32,
}

impl Servers {
    fn start(dir: &Path, database: &Database, postmaster: u32) -> Self {
        let service = Process::start(&mut service(dir, &database.url, SERVICE_PORT));
        let workers = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let floor = Process::start(Command::new(std::env::current_exe().unwrap()).args([
            "floor",
            &database.url,
            &FLOOR_PORT.to_string(),
            &workers,
        ]));
        first_answer(SERVICE_PORT, "/readyz");
        first_answer(FLOOR_PORT, "/");
        Self { service, floor, postmaster }
    }

    fn target(&self, side: Side) -> Target {
        let (port, process) = match side {
            Side::Service => (SERVICE_PORT, &self.service),
            Side::Floor => (FLOOR_PORT, &self.floor),
        };
        Target { url: format!("http://127.0.0.1:{port}"), server: process.id(), postmaster: self.postmaster }
    }
}

pub(crate) fn run() {
    assert!(
        Command::new("wrk").arg("-v").output().is_ok(),
        "wrk is missing: install it (Debian and Ubuntu: apt-get install wrk, macOS: brew install wrk, or \
         https://github.com/wg/wrk) and run this again"
    );
    let settings = Settings::read();
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench");
    fs::create_dir_all(&dir).unwrap();
    let server = PrivatePostgres::start(&Options { max_connections: 200, ..Options::new(&dir) }).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let report = runtime.block_on(measure(&settings, &dir, &server));
    println!("\n{report}");
    if settings.only.is_none() {
        fs::write(RESULTS, report).unwrap();
        println!("written to benches/results.md");
    }
}

/// Measures everything that the settings include, and returns the report.
async fn measure(settings: &Settings, dir: &Path, server: &PrivatePostgres) -> String {
    let postmaster = cost::postmaster(dir);
    let mut report = machine();
    let _ = writeln!(report, "{} rounds of {} s each.", settings.rounds, settings.seconds);
    let database = Database::open(server, settings.scale).await;
    let starts: Vec<f64> = (0..5).map(|_| start::milliseconds(dir, &database.url, SERVICE_PORT)).collect();
    let servers = Servers::start(dir, &database, postmaster);
    let mut inputs = inputs::collect(dir, &database, servers.target(Side::Service).url).await;
    let started = cost::memory(servers.service.id());
    let measured = rounds(settings, &servers, &database, &mut inputs).await;
    let _ = write!(
        report,
        "\n## Operations\n\n{},000 events and as much feedback.\n\n{}\n",
        settings.scale,
        Measured::HEADER
    );
    for line in measured.iter().map(Measured::line) {
        let _ = writeln!(report, "{line}");
    }
    report.push_str(&size(&starts, started, &servers));
    if settings.includes("reads beside logins") {
        report.push_str(&beside_logins(settings, &servers, &inputs));
    }
    drop(servers);
    if settings.includes("TLS") {
        report.push_str(&tls::measure(dir, settings.rounds, settings.seconds).await);
    }
    if settings.includes("flat") {
        let small = Database::open(server, 1).await;
        let large = Database::open(server, settings.flat_scale).await;
        report.push_str(
            &flat::measure(dir, postmaster, [&small, &large], [1, settings.flat_scale], settings.rounds).await,
        );
    }
    report
}

/// Measures every operation at each number of connections, round by round, on the service and the floor in turn.
async fn rounds(settings: &Settings, servers: &Servers, database: &Database, inputs: &mut Inputs) -> Vec<Measured> {
    let included: Vec<&Operation> =
        operations::ALL.iter().filter(|operation| settings.includes(operation.name)).collect();
    let mut measured: Vec<Measured> = included
        .iter()
        .flat_map(|operation| settings.connections.iter().map(move |connections| (operation, connections)))
        .map(|(operation, connections)| Measured {
            operation: operation.name,
            connections: *connections,
            service: Vec::new(),
            floor: Vec::new(),
        })
        .collect();
    for round in 1..=settings.rounds {
        for (index, figures) in measured.iter_mut().enumerate() {
            let operation = included[index / settings.connections.len()];
            for side in [Side::Service, Side::Floor] {
                if side == Side::Floor && !operation.has_floor {
                    continue;
                }
                inputs.refresh(&database.client).await;
                let script = (operation.script)(inputs, side);
                let sample = load::run(&servers.target(side), &script, figures.connections, settings.seconds);
                if side == Side::Service { &mut figures.service } else { &mut figures.floor }.push(sample);
            }
            println!("round {round}: {}", figures.line());
        }
    }
    measured
}

/// Measures reads alone, and then while 20 clients sign in at the same time.
fn beside_logins(settings: &Settings, servers: &Servers, inputs: &Inputs) -> String {
    let target = servers.target(Side::Service);
    let read = || load::run(&target, &operations::events(inputs), 16, settings.seconds);
    let alone = read();
    let (target, script) = (target.clone(), operations::login(inputs));
    let seconds = settings.seconds + 2.0;
    let logins = std::thread::spawn(move || load::run(&target, &script, 20, seconds));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let beside = read();
    let logins = logins.join().unwrap();
    format!(
        "\n## Reads beside logins\n\nOne event over 16 connections: {:.0}/s, p99 {:.2} ms; while 20 clients sign in \
         at the same time ({:.0}/s): {:.0}/s, p99 {:.2} ms, {:.1} times as long.\n",
        alone.per_second,
        alone.p99,
        logins.per_second,
        beside.per_second,
        beside.p99,
        beside.p99 / alone.p99
    )
}

/// Returns the section about the start, the memory and the size of the program.
fn size(starts: &[f64], started: f64, servers: &Servers) -> String {
    let mut sorted = starts.to_vec();
    sorted.sort_by(f64::total_cmp);
    let bytes = fs::metadata(start::PROGRAM).unwrap().len();
    let build = std::env::var("COLD_BUILD_SECONDS").unwrap_or_else(|_| "not measured".into());
    format!(
        "\n## Start, memory, size\n\n| measurement | value |\n|---|--:|\n| time from exec to the first `/readyz` with a running database, median of {} | {:.0} ms |\n\
         | memory after the start | {started:.0} MiB |\n| memory after all of these operations | {:.0} MiB |\n\
         | the most memory in between, with 19 MiB for each password hash in progress | {:.0} MiB |\n\
         | size of the program | {:.1} MiB |\n| full build from scratch, in seconds | {build} |\n",
        starts.len(),
        sorted[sorted.len() / 2],
        cost::memory(servers.service.id()),
        cost::most_memory(servers.service.id()),
        bytes as f64 / 1024.0 / 1024.0,
    )
}

/// Returns the heading of the report: the date, the commit and the machine.
fn machine() -> String {
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    let changed = if output("git", &["status", "--porcelain", "--", "src", "migrations"]).is_empty() {
        ""
    } else {
        " and changes"
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    format!(
        "# Results\n\nWritten by `make bench`. {}, commit {}{changed}, {} cores ({model}).\n",
        output("date", &["-u", "+%F"]),
        output("git", &["rev-parse", "--short", "HEAD"]),
        std::thread::available_parallelism().map_or(0, usize::from),
    )
}
