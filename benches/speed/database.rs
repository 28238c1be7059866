//! The databases with generated data.

use std::{process::Command, time::Instant};

use kuntatutorit::db::private_postgres::PrivatePostgres;
use tokio_postgres::{Client, NoTls};

use super::start;

/// A database on the private PostgreSQL, with generated data.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) thousands: u32,
}

impl Database {
    /// Generates the database, unless an earlier run has left it. The few rows that earlier runs wrote make little
    /// difference.
    pub(crate) async fn open(server: &PrivatePostgres, thousands: u32) -> Self {
        let name = format!("scale_{thousands}");
        let admin = connect(&server.url("postgres")).await;
        let existing = admin.query_opt("select from pg_database where datname = $1", &[&name]).await.unwrap();
        let url = server.url(&name);
        if existing.is_none() {
            admin.batch_execute(&format!("create database {name}_unfinished")).await.unwrap();
            let start = Instant::now();
            let unfinished = server.url(&format!("{name}_unfinished"));
            let generated = Command::new(start::PROGRAM)
                .args(["seed", "--scale", &thousands.to_string()])
                .env("DATABASE_URL", unfinished)
                .status();
            assert!(generated.unwrap().success(), "seed failed");
            println!("generated {thousands},000 events and as much feedback in {:.0} s", start.elapsed().as_secs_f64());
            admin.batch_execute(&format!("alter database {name}_unfinished rename to {name}")).await.unwrap();
        }
        let client = connect(&url).await;
        for statement in ["vacuum analyze", "checkpoint"] {
            client.batch_execute(statement).await.unwrap();
        }
        Self { url, client, thousands }
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
