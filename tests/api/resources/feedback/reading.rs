//! The visibility of feedback.

use serde_json::{Value, json};

use super::{BOTH, PATH, from_partner, ids, of_participant, of_tutor, one, scene, with_themes};
use crate::support::{client::Answer, fixtures};

#[tokio::test]
async fn only_the_giver_and_the_coordinator_see_feedback_of_participants() {
    let scene = scene().await;
    let server = &scene.server;
    let path = one(&scene.of_participant);
    for client in [&scene.partner, &server.partner("region", BOTH, Some("092")), &server.coordinator()] {
        assert_eq!(client.get(&path).await.expect(200).body, scene.of_participant.body);
    }
    let own_tutor = fixtures::insert_tutor(server, "616").await;
    for client in [
        server.municipality("616"),
        server.municipality("091"),
        server.tutor("616", &own_tutor),
        server.tutor("049", &scene.presenter),
        server.partner("other", BOTH, Some("616")),
        server.partner("kuntatutorit-2", BOTH, None),
    ] {
        client.get(&path).await.expect_problem(404, "not_found");
        client.if_match("*").put(&path, &scene.of_participant.body).await.expect_problem(404, "not_found");
        client.if_match("*").patch(&path, &json!({})).await.expect_problem(404, "not_found");
        client.if_match("*").delete(&path).await.expect_problem(404, "not_found");
        assert!(!ids(&client, "direction=participant_to_tutor").await.contains(&path[PATH.len() + 1..].to_owned()));
    }
    // Two accounts of one municipality do not see each other's feedback.
    let event = fixtures::insert_event(server, json!({})).await;
    let (one_account, other_account) = (server.municipality("616"), server.municipality("616"));
    let given = one_account.post(PATH, &of_participant(&event, "616")).await.expect(201);
    one_account.get(&one(&given)).await.expect(200);
    other_account.get(&one(&given)).await.expect(404);
    other_account.if_match("*").delete(&one(&given)).await.expect(404);
    assert_eq!(ids(&one_account, "").await.len(), 1);
    assert!(ids(&other_account, "").await.is_empty());
}

#[tokio::test]
async fn the_host_and_the_tutors_see_feedback_of_tutors_without_its_origin() {
    let scene = scene().await;
    let server = &scene.server;
    let path = one(&scene.of_tutor);
    let mut reduced = scene.of_tutor.body.clone();
    for hidden in ["respondent", "source", "external_id"] {
        assert!(reduced[hidden].is_string());
        reduced[hidden] = Value::Null;
    }
    let of_host = fixtures::insert_tutor(server, "091").await;
    for client in [server.municipality("091"), server.tutor("091", &of_host), server.tutor("049", &scene.presenter)] {
        let answer = client.get(&path).await.expect(200);
        assert_eq!(answer.body, reduced);
        assert!(answer.etag().ends_with("-reduced\""), "{}", answer.etag());
        assert_eq!(client.all(PATH).await, [reduced.clone()]);
        let writer = client.if_match(&answer.etag());
        writer.put(&path, &scene.of_tutor.body).await.expect_problem(403, "out_of_reach");
        writer.patch(&path, &json!({"rating": 9})).await.expect_problem(403, "out_of_reach");
        writer.delete(&path).await.expect_problem(403, "out_of_reach");
        // Filters must not reveal the origin either.
        for guess in ["source=region", "source=kuntatutorit", "external_id=x-t"] {
            assert!(ids(&client, guess).await.is_empty(), "{guess}");
        }
    }
    let full = scene.partner.get(&path).await.expect(200);
    assert_eq!(full.body, scene.of_tutor.body);
    server.coordinator().if_match("\"1-reduced\"").delete(&path).await.expect(412);
    let another = fixtures::insert_tutor(server, "049").await;
    for client in [server.municipality("049"), server.tutor("049", &another), server.partner("host", BOTH, Some("091"))]
    {
        client.get(&path).await.expect_problem(404, "not_found");
        assert!(ids(&client, "").await.is_empty());
    }
}

#[tokio::test]
async fn a_tutor_sees_its_own_feedback_in_full() {
    let server = with_themes().await;
    let presenter = fixtures::insert_tutor(&server, "049").await;
    let event = fixtures::insert_event(&server, json!({"tutors": [presenter], "host_municipality_code": null})).await;
    let tutor = server.tutor("049", &presenter);
    let given = tutor.post(PATH, &of_tutor(&event, "049")).await.expect(201);
    assert_eq!(tutor.get(&one(&given)).await.expect(200).body, given.body);
    assert_eq!(tutor.all(PATH).await, std::slice::from_ref(&given.body));
    assert_eq!(ids(&tutor, "source=kuntatutorit").await.len(), 1);
    let colleague = server.tutor("049", &presenter);
    assert_eq!(colleague.get(&one(&given)).await.expect(200).body["respondent"], Value::Null);
    server.partner("region", BOTH, None).get(&one(&given)).await.expect(404);
}

#[tokio::test]
async fn pages_contain_every_row_once_newest_first() {
    let scene = scene().await;
    let event = fixtures::insert_event(&scene.server, json!({})).await;
    let mut given = vec![scene.of_tutor.body.clone(), scene.of_participant.body.clone()];
    let other = scene.server.partner("other", BOTH, None);
    for n in 0..14 {
        let body = from_partner(&n.to_string(), &n.to_string(), of_participant(&event, ["616", "504"][n / 8]));
        let giver = if n % 3 == 0 { &other } else { &scene.partner };
        given.push(giver.post(PATH, &body).await.expect(201).body);
    }
    for filter in ["", "source=region", "municipality=616", "municipality=049", "direction=participant_to_tutor"] {
        let (field, value) = filter.split_once('=').unwrap_or_default();
        let field = if field == "municipality" { "municipality_code" } else { field };
        for (client, source) in
            [(&scene.partner, Some("region")), (&other, Some("other")), (&scene.server.coordinator(), None)]
        {
            let seen = given.iter().filter(|body| source.is_none_or(|own| body["source"] == own));
            let those = seen.filter(|body| field.is_empty() || body[field] == value);
            let those: Vec<_> = those.map(|body| body["id"].as_str().unwrap().to_owned()).collect();
            let newest_first: Vec<_> = those.iter().rev().cloned().collect();
            for limit in [1, 5, 13, 100] {
                assert_eq!(ids(client, &format!("{filter}&limit={limit}")).await, newest_first);
                assert_eq!(ids(client, &format!("{filter}&sort=-created_at&limit={limit}")).await, newest_first);
                assert_eq!(ids(client, &format!("{filter}&sort=created_at&limit={limit}")).await, those);
            }
        }
    }
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let scene = scene().await;
    let event = scene.of_tutor.body["event_id"].as_str().unwrap();
    let another = fixtures::insert_event(&scene.server, json!({})).await;
    let third = scene.server.municipality("504").post(PATH, &of_participant(&another, "504")).await.expect(201);
    let id = |answer: &Answer| answer.body["id"].as_str().unwrap().to_owned();
    let (third, second, first) = (id(&third), id(&scene.of_participant), id(&scene.of_tutor));
    for (query, expected) in [
        (format!("event={event}"), vec![&second, &first]),
        (format!("event={event}&event={another}"), vec![&third, &second, &first]),
        (format!("event={another}&direction=tutor_to_participant"), vec![]),
        ("municipality=504&municipality=049".into(), vec![&third, &first]),
        ("direction=participant_to_tutor".into(), vec![&third, &second]),
        ("direction=participant_to_tutor&direction=tutor_to_participant".into(), vec![&third, &second, &first]),
        ("source=kuntatutorit".into(), vec![&third]),
        ("source=kuntatutorit&source=region&sort=created_at".into(), vec![&first, &second, &third]),
        ("external_id=x-t&external_id=x-p&external_id=no".into(), vec![&second, &first]),
        ("external_id=x-t&source=other".into(), vec![]),
    ] {
        let found = ids(&scene.server.coordinator(), &query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    assert_eq!(ids(&scene.partner, "source=kuntatutorit").await, [""; 0]);
    assert_eq!(ids(&scene.partner, "external_id=x-p").await, [second]);
    let helsinki = scene.server.municipality("091");
    assert_eq!(ids(&helsinki, &format!("event={event}&municipality=049")).await, [first]);
    for (query, at, code) in [
        ("event=nonsense", "?event", "invalid_value"),
        ("municipality=12", "?municipality", "invalid_code"),
        ("direction=sideways", "?direction", "invalid_value"),
        ("external_id=", "?external_id", "too_short"),
        ("sort=rating", "?sort", "invalid_value"),
    ] {
        helsinki.get(&format!("{PATH}?{query}")).await.expect_violations(&[(at, code)]);
    }
    helsinki.get(&format!("{PATH}?respondent=p")).await.expect_problem(400, "unknown_parameter");
}
