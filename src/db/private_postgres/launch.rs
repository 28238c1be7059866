use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};

use super::data_directory::DataDirectory;
use super::error::{LocalError, io_error};
use super::log::Log;
use super::options::Options;
use super::programs::Programs;

/// Runs the server given as its arguments until that ends by itself or the
/// pipe on standard input closes. The signal is repeated because a server that
/// is just starting ignores it. The shells ignore what a service manager may
/// send to the whole group of processes, so that they outlive the service.
const SUPERVISOR: &str = r#"
trap '' HUP INT TERM
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
    read -r _ <&3
    tries=0
    while [ "$tries" -lt 50 ]; do
        kill -INT "$server" || exit
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -QUIT "$server"
) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
status=$?
kill -KILL "$watcher"
exit "$status"
"#;

const SETTINGS: [&str; 10] = [
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    // Statements that fail, and the details of why, can hold personal data.
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
];

/// For data that nobody misses after a power failure.
const HASTY_SETTINGS: [&str; 3] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// Makes the cluster under another name first: one that has the final name is
/// always whole.
pub(super) fn make_cluster(
    place: &DataDirectory,
    programs: &Programs,
    log: &Log,
    durable: bool,
) -> Result<(), LocalError> {
    let draft = place.make_draft()?;
    let initdb = programs.initdb();
    let mut command = place.command(&initdb);
    command
        .args(["--locale=C", "--lc-ctype=C.UTF-8", "--encoding=UTF8"])
        .args(["--auth=trust", "--username=postgres", "--pgdata"])
        .arg(&draft)
        .stdin(Stdio::null())
        .stdout(log.output()?)
        .stderr(log.output()?);
    if !durable {
        command.arg("--no-sync");
    }
    let status = command.status().map_err(io_error("run", &initdb))?;
    if !status.success() {
        return Err(log.failure("initdb"));
    }
    fs::rename(&draft, &place.cluster).map_err(io_error("rename", &draft))?;
    File::open(&place.data_dir).and_then(|dir| dir.sync_all()).map_err(io_error("write", &place.data_dir))
}

/// Starts the server under its supervisor.
pub(super) fn supervise(
    place: &DataDirectory,
    postgres: &Path,
    arguments: Vec<OsString>,
    log: &Log,
) -> Result<Child, LocalError> {
    // Its own process group, so that Ctrl-C in a terminal does not reach it.
    place
        .command(Path::new("/bin/sh"))
        .args(["-c", SUPERVISOR, "postgres-supervisor"])
        .arg(postgres)
        .args(arguments)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log.output()?)
        .spawn()
        .map_err(io_error("run", postgres))
}

/// What to tell the server on its command line.
pub(super) fn server_arguments(cluster: &Path, socket_dir: &Path, options: &Options) -> Vec<OsString> {
    let mut settings = SETTINGS.map(OsString::from).to_vec();
    if !options.durable {
        settings.extend(HASTY_SETTINGS.map(OsString::from));
    }
    settings.push(format!("max_connections={}", options.max_connections).into());
    let mut sockets = OsString::from("unix_socket_directories=");
    sockets.push(socket_dir);
    settings.push(sockets);

    let mut arguments = vec!["-D".into(), cluster.into()];
    for setting in settings {
        arguments.extend(["-c".into(), setting]);
    }
    arguments
}
