//! Many at once on one event.

use serde_json::json;

use super::{CODES, scene};

#[tokio::test]
async fn parallel_writers_leave_the_roll_ups_right() {
    let scene = scene().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (partner, event) = (scene.partner.clone(), scene.event.clone());
        tasks.spawn(async move {
            let body = json!({
                "event_id": event, "direction": "participant_to_tutor", "municipality_code": CODES[n % 8],
                "respondent": format!("parallel {n}"), "rating": 1 + n % 5, "themes_wanted": ["email"], "comment": "x",
                "publish_consent": true
            });
            // A full pool is a 503 that asks to come again.
            loop {
                let answer = partner.post("/v1/feedback", &body).await;
                if answer.status != 503 {
                    return answer.expect(201);
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        });
    }
    assert_eq!(tasks.join_all().await.len(), 50);
    assert_eq!(scene.verify().await, [""; 0]);
    let (count, ratings) = scene.ratings().await;
    assert!(count > 40 && ratings.iter().sum::<i64>() > 40, "{count}, {ratings:?}");
}
