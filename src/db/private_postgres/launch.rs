//! Creating a database cluster, and starting the server on it.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Stdio},
};

use super::{
    data_directory::DataDirectory,
    error::{PrivatePostgresError, io_error},
    log::Log,
    options::Options,
    programs::Programs,
};

/// A shell script that runs the server given as its arguments. It stops the server when the pipe on standard input closes,
/// and ends when the server ends. It repeats the signal, because a server that is just starting ignores it. The shells
/// ignore the signals that a service manager may send to the whole process group, so that they outlive the service.
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

/// The settings of every private server.
const SETTINGS: [&str; 10] = [
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    // A failed statement and the details of its error can contain personal data.
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
];

/// After a crash, PostgreSQL asks Linux once to write the data to the disk, and not for each of 1,500 files, which can take
/// six seconds.
const LINUX_SETTINGS: [&str; 1] = ["recovery_init_sync_method=syncfs"];

/// The settings of a server whose data need not survive a power failure.
const NOT_DURABLE_SETTINGS: [&str; 3] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// Creates the database cluster. It gets its final name last, so that a cluster with that name is always complete.
pub(super) fn create_cluster(
    directory: &DataDirectory,
    programs: &Programs,
    log: &Log,
    durable: bool,
) -> Result<(), PrivatePostgresError> {
    let unfinished = directory.create_unfinished_cluster()?;
    let initdb = programs.initdb();
    let mut command = directory.command(&initdb);
    command
        .args(["--locale=C", "--lc-ctype=C.UTF-8", "--encoding=UTF8"])
        .args(["--auth=trust", "--username=postgres", "--pgdata"])
        .arg(&unfinished)
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
    fs::rename(&unfinished, &directory.cluster).map_err(io_error("rename", &unfinished))?;
    let data_dir = &directory.data_dir;
    File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(io_error("write", data_dir))
}

/// Starts the server under its supervisor.
pub(super) fn supervise(
    directory: &DataDirectory,
    postgres: &Path,
    arguments: Vec<OsString>,
    log: &Log,
) -> Result<Child, PrivatePostgresError> {
    // In a separate process group, so that Ctrl-C in a terminal does not reach the server.
    directory
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

/// Returns the command-line arguments of the server.
pub(super) fn server_arguments(cluster: &Path, socket_dir: &Path, options: &Options) -> Vec<OsString> {
    let mut settings = SETTINGS.map(OsString::from).to_vec();
    if cfg!(target_os = "linux") {
        settings.extend(LINUX_SETTINGS.map(OsString::from));
    }
    if !options.durable {
        settings.extend(NOT_DURABLE_SETTINGS.map(OsString::from));
    }
    settings.push(format!("max_connections={}", options.max_connections).into());
    let mut sockets = OsString::from("unix_socket_directories=");
    sockets.push(socket_dir);
    settings.push(sockets);
    settings.extend(options.settings.iter().map(OsString::from));

    let mut arguments = vec!["-D".into(), cluster.into()];
    for setting in settings {
        arguments.extend(["-c".into(), setting]);
    }
    arguments
}
