//! What processes cost, from the operating system's accounting (Linux: `/proc`).

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The CPU time of the threads of some processes so far, in nanoseconds.
pub(crate) struct Usage(HashMap<PathBuf, u64>);

impl Usage {
    /// Of one process with all its threads.
    pub(crate) fn of_process(pid: u32) -> Self {
        Self(threads(pid).collect())
    }

    /// Of PostgreSQL: its postmaster and every process that this started.
    pub(crate) fn of_postgres(postmaster: u32) -> Self {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let own = pids.filter(|pid| *pid == postmaster || parent(*pid) == Some(postmaster));
        Self(own.flat_map(threads).collect())
    }

    /// What was used since then; a thread that has ended meanwhile does not count.
    pub(crate) fn since(&self, then: &Self) -> Duration {
        let used = self.0.iter().map(|(thread, now)| now.saturating_sub(then.0.get(thread).copied().unwrap_or(0)));
        Duration::from_nanos(used.sum())
    }
}

/// The process that PostgreSQL's data directory belongs to.
pub(crate) fn postmaster(data_dir: &Path) -> u32 {
    let text = fs::read_to_string(data_dir.join("cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

/// The memory of a process now, in MiB.
pub(crate) fn memory(pid: u32) -> f64 {
    status(pid, "VmRSS:")
}

/// The most memory that a process ever had, in MiB.
pub(crate) fn most_memory(pid: u32) -> f64 {
    status(pid, "VmHWM:")
}

fn status(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Each thread, with the first field of its `schedstat`: nanoseconds on a processor.
fn threads(pid: u32) -> impl Iterator<Item = (PathBuf, u64)> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads.filter_map(|thread| {
        let told = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        Some((thread.path(), told.split(' ').next()?.parse().ok()?))
    })
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
