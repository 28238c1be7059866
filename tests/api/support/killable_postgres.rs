//! A PostgreSQL that a test can stop, kill and restart.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use kuntatutorit::{
    db::{
        migrations,
        private_postgres::{Options, PrivatePostgres},
    },
    seed,
};

use super::databases::{parameters, run};

pub(crate) struct KillablePostgres {
    options: Options,
    postgres: Option<PrivatePostgres>,
    dir: tempfile::TempDir,
}

impl KillablePostgres {
    /// Starts with the reference data. A crash of the machine would lose commits, which most tests do not need to
    /// survive.
    pub(crate) fn start() -> Self {
        Self::with(false)
    }

    /// Starts with the durability settings of the service.
    pub(crate) fn durable() -> Self {
        Self::with(true)
    }

    /// Starts on the cluster in this directory, or with an empty one if there is none.
    pub(crate) fn on(dir: tempfile::TempDir, durable: bool) -> Self {
        let options = Options { durable, ..Options::new(dir.path()) };
        let mut database = Self { options, postgres: None, dir };
        database.restart();
        database
    }

    fn with(durable: bool) -> Self {
        let database = Self::on(tempfile::TempDir::new().unwrap(), durable);
        let url = database.url();
        run(async {
            migrations::run(&parameters(&url)).await.unwrap();
            seed::load(&AsyncPgConnection::establish(&url).await.unwrap()).await.unwrap();
        });
        database
    }

    pub(crate) fn restart(&mut self) {
        self.postgres = Some(PrivatePostgres::start(&self.options).unwrap());
    }

    pub(crate) fn stop(&mut self) {
        self.postgres = None;
    }

    /// Sends `kill -9` to the postmaster.
    pub(crate) fn kill(&mut self) {
        kill(&postmaster(&self.options.data_dir));
        self.stop();
    }

    /// Returns the directory of PostgreSQL's own data.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.dir.path().join("cluster")
    }

    pub(crate) fn url(&self) -> String {
        self.postgres.as_ref().unwrap().url("postgres")
    }
}

/// Returns the process id of the postmaster.
pub(crate) fn postmaster(data_dir: &Path) -> String {
    let text = std::fs::read_to_string(data_dir.join("cluster/postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}

pub(crate) fn kill(process: &str) {
    assert!(Command::new("kill").args(["-KILL", process]).status().unwrap().success());
}
