//! The `verify` command recomputes the summaries.

use std::process::{Command, Output};

use serde_json::json;

use super::{CODES, Scene, of_participants, scene_with};

async fn with_answers() -> Scene {
    // A tutor of the host answers, too.
    let scene = scene_with(&[], json!({"host_municipality_code": "049"})).await;
    for code in &CODES[..4] {
        let said = json!({"rating": 4, "useful": true, "comment": "x", "publish_consent": true});
        scene.give(code, said).await;
    }
    scene.partner.post("/v1/feedback", &of_participants(&scene.event, "t", 5)).await.expect(201);
    scene
}

fn command(scene: &Scene) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuntatutorit"));
    command.arg("verify").env("DATABASE_URL", &scene.server.database_url).output().unwrap()
}

#[tokio::test]
async fn verify_prints_nothing_when_all_is_correct_and_each_difference_otherwise() {
    let scene = with_answers().await;
    assert_eq!(scene.verify().await, [""; 0]);
    let output = command(&scene);
    assert!(output.status.success(), "{output:?}");
    let tampered = "update feedback_summaries set figures = jsonb_set(figures, '{rating,4}', '9')
                    where direction = 'participant_to_tutor'";
    scene.server.execute(tampered).await;
    let output = command(&scene);
    assert_eq!(output.status.code(), Some(1));
    let line = format!("event {}: rating of participant_to_tutor: {{\"4\": 9}}; expected {{\"4\": 3}}\n", scene.event);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), line);
    assert!(String::from_utf8(output.stderr).unwrap().contains("1 differ"));
}

#[tokio::test]
async fn verify_finds_every_kind_of_difference() {
    for (tampering, found) in [
        (
            "update feedback_summaries set figures = '{}' where direction = 'tutor_to_participant'",
            "answers of tutor_to_participant",
        ),
        (
            "update feedback_tallies set tally = '{}' where figure = 'useful' and municipality_code = '616'",
            "useful of participants",
        ),
        (
            "update feedback_tallies set published = '{\"given\": 2}' where municipality_code = '616' and figure = 'answers'",
            "answers of participant_to_tutor",
        ),
        (
            "update feedback_tallies set since = 2 where municipality_code = '616' and figure = 'rating'",
            "rating in step 2",
        ),
        (
            "update feedback_tally_states set until_step = 7 where municipality_code = '616' and figure = 'rating'",
            "rating in earlier steps",
        ),
        ("delete from feedback_comments where municipality_code = '616'", "comments"),
        (
            "alter table feedback disable trigger summarize_on_delete; delete from feedback where municipality_code = '616'",
            "answers of participants",
        ),
        ("delete from feedback_summaries", "answers of"),
    ] {
        let scene = with_answers().await;
        for statement in tampering.split(';') {
            scene.server.execute(statement).await;
        }
        let told = scene.verify().await;
        assert!(told.iter().any(|line| line.contains(found)), "{tampering}: {told:?}");
        // The event's id may contain these digits, too.
        assert!(!told.iter().any(|line| line.replace(&scene.event, "").contains("616")), "{told:?}");
    }
}
