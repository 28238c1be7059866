//! Mergers while others write.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;

use super::{create_event, merge};
use crate::support::{Server, fixtures, soak::times, sql::query_lines};

#[tokio::test(flavor = "multi_thread")]
async fn no_writer_leaves_the_old_code_behind() {
    let server = Server::with(&[("POOL_SIZE", "20")]);
    let coordinator = server.coordinator();
    let held = server.create_event("091").await;
    let stop = AtomicBool::new(false);
    let writer = async |number: usize| {
        let mut refused = 0;
        for round in 0.. {
            if stop.load(Relaxed) && refused > 0 {
                return (round, refused);
            }
            let answer = match number % 3 {
                0 => coordinator.post("/v1/tutors", &json!({"name": "Kuntatutor", "municipality_code": "710"})).await,
                1 => coordinator.post("/v1/events", &fixtures::event_body("049", "draft")).await,
                _ => {
                    let partner = server.partner("racer", "feedback:write", None);
                    let feedback = json!({
                        "event_id": held, "direction": "participant_to_tutor", "municipality_code": "710",
                        "respondent": format!("{number}-{round}"), "rating": 3
                    });
                    partner.post("/v1/feedback", &feedback).await
                }
            };
            assert!(matches!(answer.status, 201 | 422 | 503), "{}", answer.text);
            refused += usize::from(answer.status == 422);
            if number % 3 == 1 && answer.status == 201 {
                // An update that names the municipality in two ways.
                let path = format!("/v1/events/{}", answer.body["id"].as_str().unwrap());
                let named = json!({"host_municipality_code": "710", "audience": ["091", "710"]});
                let changed = coordinator.if_match("*").patch(&path, &named).await;
                assert!(matches!(changed.status, 200 | 412 | 422 | 503), "{}", changed.text);
                refused += usize::from(changed.status == 422);
            }
        }
        unreachable!()
    };
    let merging = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut answer = merge(&coordinator, "710", "638").await;
        while answer.status == 503 {
            answer = merge(&coordinator, "710", "638").await;
        }
        stop.store(true, Relaxed);
        answer.expect(200)
    };
    let writers = join_all((0..times(9, 30)).map(writer));
    let (counts, _) = tokio::join!(writers, merging);
    assert!(counts.iter().all(|(rounds, refused)| rounds > refused), "{counts:?}");
    let left = "select count(*)::text as line from tutors where municipality_code = '710' \
                union all select count(*)::text from events where host_municipality_code = '710' or '710' = any (audience)";
    assert_eq!(query_lines(&server, left).await, ["0", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_mergers_that_would_close_a_cycle_one_succeeds() {
    let server = Server::with(&[("POOL_SIZE", "8")]);
    let coordinator = server.coordinator();
    create_event(&server, "710", json!({"audience": ["710", "638"]})).await;
    let (one, other) = tokio::join!(merge(&coordinator, "710", "638"), merge(&coordinator, "638", "710"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422], "{} {}", one.text, other.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_merger_at_the_same_time_happens_once() {
    let server = Server::with(&[("POOL_SIZE", "8")]);
    let coordinator = server.coordinator();
    create_event(&server, "710", json!({})).await;
    let answers = join_all((0..5).map(|_| merge(&coordinator, "710", "638"))).await;
    let moved = answers.iter().filter(|answer| answer.status == 200 && answer.body["moved"] != json!([])).count();
    assert_eq!(moved, 1, "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| answer.status == 200));
    let updates =
        "select count(*)::text as line from changes where resource = 'municipalities' and operation = 'update'";
    assert_eq!(query_lines(&server, updates).await, ["1"]);
}
