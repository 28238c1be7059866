//! Many at once on one event.

use futures_util::future::join_all;
use serde_json::json;

use super::{CODES, scene};
use crate::support::client::served;

#[tokio::test]
async fn parallel_writers_leave_the_roll_ups_right() {
    let scene = scene().await;
    let (partner, event) = (&scene.partner, &scene.event);
    let writes = (0..50).map(async |n: usize| {
        let body = json!({
            "event_id": event, "direction": "participant_to_tutor", "municipality_code": CODES[n % 8],
            "respondent": format!("parallel {n}"), "rating": 1 + n % 5, "themes_wanted": ["email"], "comment": "x",
            "publish_consent": true
        });
        served(async || partner.post("/v1/feedback", &body).await).await.expect(201)
    });
    assert_eq!(join_all(writes).await.len(), 50);
    assert_eq!(scene.verify().await, [""; 0]);
    let (count, ratings) = scene.ratings().await;
    assert!(count > 40 && ratings.iter().sum::<i64>() > 40, "{count}, {ratings:?}");
}
