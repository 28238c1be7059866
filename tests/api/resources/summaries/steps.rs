//! When which answers are published.

use serde_json::{Value, json};

use super::{CODES, of_event, scene};

#[tokio::test]
async fn answers_are_published_from_three_municipalities_on() {
    let scene = scene().await;
    let nothing = json!({"count": 0, "rating": null, "useful": null, "themes_wanted": {}, "comments": []});
    let before = scene.partner.get(&of_event(&scene.event)).await.expect(200);
    assert_eq!(before.body["participant_to_tutor"], nothing);
    let said = |rating: i32, useful: bool| json!({"rating": rating, "useful": useful, "themes_wanted": ["email"]});
    for (code, rating) in [("616", 5), ("504", 4), ("504", 4)] {
        scene.give(code, said(rating, true)).await;
        let after = scene.partner.get(&of_event(&scene.event)).await.expect(200);
        assert_eq!((&after.body, after.etag()), (&before.body, before.etag()), "not even that answers wait");
    }
    scene.give("049", said(2, false)).await;
    let after = scene.partner.get(&of_event(&scene.event)).await.expect(200);
    let version = after.body["version"].as_i64().unwrap();
    assert!(version > 0);
    assert_eq!(
        after.body,
        json!({
            "event_id": scene.event,
            "participant_to_tutor": {
                "count": 4,
                "rating": {"count": 4, "mean": 3.75, "distribution": {"1": 0, "2": 1, "3": 0, "4": 2, "5": 1}},
                "useful": {"count": 4, "yes": 3, "share": 0.75},
                "themes_wanted": {"email": 4},
                "comments": []
            },
            "tutor_to_participant": null,
            "version": version
        })
    );
    assert_eq!(after.etag(), format!("\"{version}-reduced\""));
    scene.partner.with("if-none-match", &after.etag()).get(&of_event(&scene.event)).await.expect(304);
    assert_eq!(after.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn each_further_step_takes_three_municipalities() {
    let scene = scene().await;
    for code in &CODES[..3] {
        scene.give(code, json!({"rating": 5})).await;
    }
    assert_eq!(scene.ratings().await, (3, vec![0, 0, 0, 0, 3]));
    for code in [CODES[3], CODES[4], CODES[4]] {
        scene.give(code, json!({"rating": 1})).await;
        assert_eq!(scene.ratings().await, (3, vec![0, 0, 0, 0, 3]));
    }
    // A published municipality counts again with its new answers.
    scene.give(CODES[0], json!({"rating": 3})).await;
    assert_eq!(scene.ratings().await, (7, vec![3, 0, 1, 0, 3]));
    for _ in 0..5 {
        scene.give(CODES[0], json!({"rating": 2})).await;
    }
    assert_eq!(scene.ratings().await.0, 7);
}

/// Each row is a row of the table in `src/resources/feedback/summaries/mod.rs`.
#[tokio::test]
async fn the_example_in_the_documentation_of_summaries_holds() {
    let (askola, pukkila, espoo, vantaa, porvoo) = ("018", "616", "049", "092", "638");
    let scene = scene().await;
    let useful = json!({"useful": true});
    let of_askola = scene.give(askola, useful.clone()).await;
    assert_eq!(scene.ratings().await.0, 0);
    let of_pukkila = [scene.give(pukkila, useful.clone()).await, scene.give(pukkila, useful.clone()).await];
    assert_eq!(scene.ratings().await.0, 0);
    scene.give(espoo, useful.clone()).await;
    assert_eq!(scene.ratings().await.0, 4);
    scene.delete(&of_askola).await;
    assert_eq!(scene.ratings().await.0, 4);
    for given in &of_pukkila {
        scene.delete(given).await;
    }
    assert_eq!(scene.ratings().await.0, 4);
    scene.give(vantaa, useful.clone()).await;
    assert_eq!(scene.ratings().await.0, 4);
    scene.give(porvoo, useful).await;
    assert_eq!(scene.ratings().await.0, 3);
    assert_eq!(scene.verify().await, [""; 0]);
}

#[tokio::test]
async fn each_figure_waits_for_three_municipalities_that_answer_it() {
    let scene = scene().await;
    scene.give(CODES[0], json!({"rating": 5})).await;
    scene.give(CODES[1], json!({"rating": 4, "useful": true})).await;
    scene.give(CODES[2], json!({"useful": false, "themes_wanted": ["email"]})).await;
    let published = scene.published().await;
    assert_eq!(
        (&published["count"], &published["rating"], &published["useful"]),
        (&json!(3), &Value::Null, &Value::Null)
    );
    assert_eq!(published["themes_wanted"], json!({}));
    // The rest of a figure waits together with the answers that wait.
    scene.give(CODES[3], json!({"rating": 3})).await;
    scene.give(CODES[4], json!({"rating": 3})).await;
    assert_eq!(scene.ratings().await, (3, vec![0; 5]));
    scene.give(CODES[5], json!({"useful": true})).await;
    let published = scene.published().await;
    assert_eq!((&published["count"], &published["rating"]["count"]), (&json!(6), &json!(4)));
    assert_eq!(published["useful"], json!({"count": 3, "yes": 2, "share": 0.67}));
    assert_eq!(published["themes_wanted"], json!({}));
    assert!(scene.verify().await.is_empty());
}

#[tokio::test]
async fn edits_are_published_when_three_municipalities_have_made_some() {
    let scene = scene().await;
    let mut given = Vec::new();
    for code in &CODES[..4] {
        given.push(scene.give(code, json!({"rating": 5})).await);
    }
    let first = (3, vec![0, 0, 0, 0, 3]);
    scene.edit(&given[0], json!({"rating": 1})).await;
    scene.edit(&given[1], json!({"rating": 1})).await;
    scene.edit(&given[0], json!({"external_id": "x"})).await;
    assert_eq!(scene.ratings().await, first);
    // Undone edits leave nothing to publish.
    scene.edit(&given[1], json!({"rating": 5})).await;
    scene.give(CODES[4], json!({"useful": true})).await;
    scene.give(CODES[5], json!({"useful": true})).await;
    assert_eq!(scene.ratings().await, (6, vec![0, 0, 0, 0, 3]), "the ratings of two municipalities wait");
    scene.edit(&given[1], json!({"rating": 2})).await;
    assert_eq!(scene.ratings().await, (6, vec![1, 1, 0, 0, 2]));
    // An answer that moves to another municipality changes both.
    scene.edit(&given[1], json!({"municipality_code": "235"})).await;
    scene.give(CODES[7], json!({"rating": 5})).await;
    assert_eq!(scene.ratings().await, (7, vec![1, 1, 0, 0, 3]));
    assert!(scene.verify().await.is_empty());
}

#[tokio::test]
async fn deletions_are_published_with_two_others_or_when_no_answer_is_left() {
    let scene = scene().await;
    let mut given = Vec::new();
    for code in &CODES[..6] {
        given.push(scene.give(code, json!({"rating": 4})).await);
    }
    assert_eq!(scene.ratings().await.0, 6);
    scene.delete(&given[0]).await;
    scene.delete(&given[5]).await;
    assert_eq!(scene.ratings().await.0, 6);
    scene.delete(&given[1]).await;
    assert_eq!(scene.ratings().await, (3, vec![0, 0, 0, 3, 0]));
    scene.delete(&given[2]).await;
    scene.delete(&given[3]).await;
    assert_eq!(scene.ratings().await.0, 3, "one answer is left, and its content must stay hidden");
    scene.delete(&given[4]).await;
    let published = scene.published().await;
    assert_eq!((&published["count"], &published["rating"]), (&json!(0), &Value::Null));
    assert!(scene.verify().await.is_empty());
    let delete = scene.coordinator.if_match("*").delete(&format!("/v1/events/{}", scene.event)).await;
    delete.expect(204);
}

#[tokio::test]
async fn no_published_state_is_too_close_to_an_earlier_one() {
    let scene = scene().await;
    for code in &CODES[..3] {
        scene.give(code, json!({"rating": 5})).await;
    }
    let mut second = Vec::new();
    for code in &CODES[3..6] {
        second.push(scene.give(code, json!({"rating": 5})).await);
    }
    assert_eq!(scene.ratings().await.0, 6);
    // Three municipalities have changed since the second step, but only two since the first.
    scene.delete(&second[0]).await;
    scene.delete(&second[1]).await;
    scene.give(CODES[6], json!({"rating": 1})).await;
    assert_eq!(scene.ratings().await, (6, vec![0, 0, 0, 0, 6]));
    scene.give(CODES[7], json!({"rating": 1})).await;
    assert_eq!(scene.ratings().await, (6, vec![2, 0, 0, 0, 4]));
}

#[tokio::test]
async fn comments_appear_with_two_others_and_disappear_at_once() {
    let scene = scene().await;
    let said = |comment: &str| json!({"comment": comment, "language": "fi", "publish_consent": true});
    let mut given = Vec::new();
    for (code, comment) in CODES.iter().zip(["a", "b"]) {
        given.push(scene.give(code, said(comment)).await);
    }
    scene.give(CODES[2], json!({"comment": "secret", "rating": 5})).await;
    assert_eq!((scene.comments().await, scene.ratings().await.0), (vec![], 3), "two comments wait");
    for code in &CODES[3..6] {
        given.push(scene.give(code, said(code)).await);
    }
    assert_eq!(scene.comments().await, ["091", "092", "186", "a", "b"]);
    assert_eq!(scene.published().await["comments"][0]["language"], "fi");
    let version = async || scene.partner.get(&of_event(&scene.event)).await.body["version"].as_i64().unwrap();
    let before = version().await;
    scene.edit(&given[0], json!({"publish_consent": false})).await;
    assert_eq!(scene.comments().await, ["091", "092", "186", "b"]);
    assert!(version().await > before);
    scene.delete(&given[1]).await;
    assert_eq!((scene.comments().await, scene.ratings().await.0), (vec!["091".into(), "092".into(), "186".into()], 6));
    scene.edit(&given[2], json!({"comment": "091 anew"})).await;
    assert_eq!(scene.comments().await, ["092", "186"]);
    assert!(scene.verify().await.is_empty());
}

#[tokio::test]
async fn a_hundred_comments_are_shown_in_an_order_unrelated_to_time() {
    let scene = scene().await;
    for n in 0..120 {
        let said = json!({"comment": format!("{n:03}"), "publish_consent": true});
        scene.give(CODES[n % 8], said).await;
    }
    let published = scene.published().await;
    let shown: Vec<_> =
        published["comments"].as_array().unwrap().iter().map(|c| c["comment"].as_str().unwrap()).collect();
    assert_eq!(shown.len(), 100);
    assert!(!shown.is_sorted() && !shown.iter().rev().is_sorted());
}
