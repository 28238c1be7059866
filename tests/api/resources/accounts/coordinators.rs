//! The last enabled coordinator cannot be disabled or demoted.

use serde_json::json;

use super::{change, espoo_account, invite};
use crate::support::Server;

#[tokio::test]
async fn the_last_enabled_coordinator_cannot_be_disabled_or_demoted() {
    let server = Server::start();
    let (first, _) = invite(&server, &json!({"email": "a@kunta.example", "role": "coordinator"})).await;
    let demoted = json!({"role": "municipality", "municipality_code": "049"});
    for fields in [json!({"disabled": true}), demoted.clone()] {
        change(&server, &first, &fields).await.expect_problem(409, "last_coordinator");
    }
    // Its other fields can change.
    change(&server, &first, &json!({"email": "b@kunta.example"})).await.expect(200);
    let (second, _) = invite(&server, &json!({"email": "c@kunta.example", "role": "coordinator"})).await;
    change(&server, &second, &json!({"disabled": true})).await.expect(200);
    change(&server, &first, &demoted).await.expect_problem(409, "last_coordinator");
    change(&server, &second, &json!({"disabled": false})).await.expect(200);
    change(&server, &first, &demoted).await.expect(200);
    change(&server, &second, &json!({"disabled": true})).await.expect_problem(409, "last_coordinator");
    let (third, _) = invite(&server, &espoo_account()).await;
    change(&server, &third, &json!({"disabled": true})).await.expect(200);
}

#[tokio::test]
async fn two_coordinators_cannot_disable_each_other_at_once() {
    let server = Server::start();
    for round in 0..10 {
        let mut paths = Vec::new();
        for name in ["a", "b"] {
            let new = json!({"email": format!("{name}{round}@kunta.example"), "role": "coordinator"});
            paths.push(invite(&server, &new).await.0);
        }
        // Disables the coordinators of the round before.
        server
            .execute(
                "update accounts set disabled = true where role = 'coordinator' and not disabled and id not in \
                        (select id from accounts order by id desc limit 2)",
            )
            .await;
        let coordinator = server.coordinator().if_match("*");
        let (disabled, demoted) =
            (json!({"disabled": true}), json!({"role": "municipality", "municipality_code": "049"}));
        let (one, other) =
            tokio::join!(coordinator.patch(&paths[0], &disabled), coordinator.patch(&paths[1], &demoted));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.text, other.text);
    }
}
