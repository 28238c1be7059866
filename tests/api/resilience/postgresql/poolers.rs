//! Connection poolers: session mode works, transaction mode is refused.

use serde_json::json;

use crate::support::{Server, databases::fresh_database, pooler::Pooler, process::outcome};

/// The socket directory of the server, and the name of the database, of this URL.
fn parts(url: &str) -> (String, String) {
    let (host, database) = url.strip_prefix("postgresql://postgres@").unwrap().split_once('/').unwrap();
    (host.replace("%2F", "/"), database.to_owned())
}

#[tokio::test]
async fn the_service_works_through_a_pooler_in_session_mode() {
    let (socket_dir, database) = parts(&fresh_database());
    let Some(pooler) = Pooler::start("session", &socket_dir, "5432") else { return };
    let url = pooler.url(&database);
    let output = outcome(&url, &["migrate"], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let server = Server::on(url, &[]);
    let coordinator = server.coordinator();
    let theme = json!({"slug": "passwords", "kind": "theme", "name": {"en": "Passwords"}});
    coordinator.post("/v1/themes", &theme).await.expect(201);
    coordinator.get("/v1/themes/passwords").await.expect(200);
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused_at_the_start() {
    let (socket_dir, database) = parts(&fresh_database());
    let Some(pooler) = Pooler::start("transaction", &socket_dir, "5432") else { return };
    for command in ["serve", "migrate", "verify"] {
        let output = outcome(&pooler.url(&database), &[command], "");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{command}: {text}");
        assert!(text.contains("set its pool_mode to session"), "{command}: {text}");
    }
}

#[tokio::test]
async fn a_pooler_that_is_switched_to_transaction_mode_gives_503_and_never_500() {
    let (socket_dir, database) = parts(&fresh_database());
    let Some(pooler) = Pooler::start("transaction", &socket_dir, "5432") else { return };
    // The check at the start belongs to the commands, so this server starts.
    let server = Server::on(pooler.url(&database), &[("POOL_SIZE", "8")]);
    let coordinator = server.coordinator();
    let events = (0..200).map(|index| {
        let coordinator = coordinator.clone();
        async move {
            if index % 2 == 0 {
                coordinator.get("/v1/municipalities?limit=3&sort=name").await.status
            } else {
                let theme = json!({"slug": format!("theme-{index}"), "kind": "theme", "name": {"en": "Theme"}});
                coordinator.post("/v1/themes", &theme).await.status
            }
        }
    });
    let statuses = futures_util::future::join_all(events).await;
    assert!(statuses.contains(&503), "the pooler loses no session: {statuses:?}");
    assert!(statuses.iter().all(|status| [200, 201, 503].contains(status)), "{statuses:?}");
}
