//! CPU time and memory of processes, from the accounting of the operating system (Linux: `/proc`).

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The CPU time that each thread of some processes has used so far, in nanoseconds.
pub(crate) struct Usage(HashMap<PathBuf, u64>);

impl Usage {
    /// Returns the usage of one process with all its threads.
    pub(crate) fn of_process(pid: u32) -> Self {
        Self(threads(pid).collect())
    }

    /// Returns the usage of PostgreSQL: the postmaster and every process that it has started.
    pub(crate) fn of_postgres(postmaster: u32) -> Self {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let own = pids.filter(|pid| *pid == postmaster || parent(*pid) == Some(postmaster));
        Self(own.flat_map(threads).collect())
    }

    /// Returns the CPU time used since `then`. Threads that have ended in between do not count.
    pub(crate) fn since(&self, then: &Self) -> Duration {
        let used = self.0.iter().map(|(thread, now)| now.saturating_sub(then.0.get(thread).copied().unwrap_or(0)));
        Duration::from_nanos(used.sum())
    }
}

/// Returns the process id of the postmaster that runs on this data directory.
pub(crate) fn postmaster(data_dir: &Path) -> u32 {
    let text = fs::read_to_string(data_dir.join("cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

/// Returns the memory that a process uses now, in MiB.
pub(crate) fn memory(pid: u32) -> f64 {
    status(pid, "VmRSS:")
}

/// Returns the most memory that a process has used so far, in MiB.
pub(crate) fn most_memory(pid: u32) -> f64 {
    status(pid, "VmHWM:")
}

/// Returns a field of `/proc/<pid>/status` in MiB.
fn status(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Returns each thread with the first field of its `schedstat`: its CPU time in nanoseconds.
fn threads(pid: u32) -> impl Iterator<Item = (PathBuf, u64)> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        Some((thread.path(), text.split(' ').next()?.parse().ok()?))
    })
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
