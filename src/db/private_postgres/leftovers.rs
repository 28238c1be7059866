//! What a killed server leaves behind: its sessions for a while, and its lock files.

use std::{fs, path::Path};

use rustix::process::{Pid, Signal, kill_process};

/// Ends the processes of a server whose supervisor has ended, in the way in which PostgreSQL ends its sessions when one of
/// them crashes. A busy session would run on without its postmaster, and no other server can start before its end.
pub(super) fn end_processes(cluster: &Path) {
    for process in processes_in(cluster) {
        // It may have ended by itself in the meantime.
        let _ = kill_process(process, Signal::QUIT);
    }
}

/// Removes the lock files of an earlier server. PostgreSQL ignores them too, unless another process of the same user has
/// the process id in them by now, which happens in containers: there, process ids begin again with each start.
///
/// Call it with the log locked: no process of an earlier private server is left then. A server that somebody else started on
/// the cluster keeps its files.
pub(super) fn remove_lock_files(cluster: &Path, socket_dir: &Path) {
    if !Path::new("/proc/self/cwd").exists() || !processes_in(cluster).is_empty() {
        return;
    }
    let socket_files = fs::read_dir(socket_dir).into_iter().flatten().flatten().map(|file| file.path());
    let socket_locks = socket_files.filter(|file| file.extension().is_some_and(|extension| extension == "lock"));
    for file in socket_locks.chain([cluster.join("postmaster.pid")]) {
        // PostgreSQL names a file that is in its way.
        let _ = fs::remove_file(file);
    }
}

/// Returns the processes of any server on the cluster. Each of them has the cluster as its working directory. Returns none on
/// systems without `/proc`.
fn processes_in(cluster: &Path) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let works_here = |process: fs::DirEntry| {
        let process_id = Pid::from_raw(process.file_name().to_str()?.parse().ok()?)?;
        let directory = fs::read_link(process.path().join("cwd")).ok()?;
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        (directory == cluster && name.trim_end() == "postgres").then_some(process_id)
    };
    processes.flatten().filter_map(works_here).collect()
}
