//! Lists of tutors: filters, orders and pages.

use serde_json::json;

use super::{HELSINKI, JARVENPAA, espoo_tutor};
use crate::support::Server;

#[tokio::test]
async fn the_reference_data_has_the_tutors_of_the_programme() {
    let server = Server::start();
    let all = server.municipality("049").all("/v1/tutors").await;
    let codes: Vec<_> = all.iter().map(|tutor| tutor["municipality_code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["092", "091", "186", "049", "106"]);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let server = Server::start();
    let mut crm = espoo_tutor();
    crm["languages"] = json!(["sv", "en"]);
    let partner = server.partner("espoo-crm", "tutors:write", Some("049"));
    let crm = partner.post("/v1/tutors", &crm).await.expect(201).body["id"].as_str().unwrap().to_owned();
    let new = server.create_tutor_with("091", &json!({"themes": ["email"], "languages": ["fi"]})).await;
    let (crm, new) = (crm.as_str(), new.as_str());
    let espoo = server.municipality("049");
    for (query, ids) in [
        ("municipality=186", vec![JARVENPAA]),
        ("municipality=091&municipality=186", vec![HELSINKI, JARVENPAA, new]),
        ("theme=adult-education-centres", vec![JARVENPAA]),
        ("theme=email", vec![crm, new]),
        ("theme=email&sort=-id", vec![new, crm]),
        ("theme=email&theme=adult-education-centres&theme=courses", vec![JARVENPAA, crm, new]),
        ("theme=email&language=fi", vec![new]),
        ("language=en&language=sv", vec![crm]),
        ("language=se", vec![]),
        ("status=active", vec![new]),
        ("status=active&status=paused", vec![crm, new]),
        ("source=espoo-crm", vec![crm]),
        ("source=kuntatutorit&municipality=091", vec![HELSINKI, new]),
        ("external_id=t-1", vec![crm]),
        ("external_id=t-1&external_id=t-2&source=kuntatutorit", vec![]),
    ] {
        assert_eq!(espoo.get(&format!("/v1/tutors?{query}")).await.expect(200).column("id"), ids, "{query}");
    }
}

#[tokio::test]
async fn pages_contain_every_row_once_in_either_order() {
    let server = Server::start();
    let mut made = Vec::new();
    for index in 0..9 {
        let (themes, languages) = (["email", "courses"], ["fi", "sv", "en"]);
        let fields = json!({"themes": &themes[index % 2..], "languages": &languages[..=index % 3]});
        made.push(server.create_tutor_with("091", &fields).await);
    }
    let espoo = server.municipality("049");
    let whole = [
        ("", 14),
        ("theme=courses&", 9),
        ("theme=email&", 5),
        ("theme=email&theme=courses&", 9),
        ("language=sv&", 6),
        ("language=sv&theme=email&", 3),
        ("municipality=091&municipality=186&", 11),
        ("status=active&language=en&language=sv&", 6),
    ];
    for (filter, count) in whole {
        let all = espoo.get(&format!("/v1/tutors?{filter}limit=100")).await.expect(200);
        let all = all.column("id");
        assert_eq!(all.len(), count, "{filter}");
        assert!(all.is_sorted());
        for limit in [1, 2, 3, 5] {
            let paged = espoo.all(&format!("/v1/tutors?{filter}limit={limit}")).await;
            assert_eq!(paged.iter().map(|t| t["id"].as_str().unwrap()).collect::<Vec<_>>(), all, "{filter}{limit}");
            let turned = espoo.all(&format!("/v1/tutors?{filter}limit={limit}&sort=-id")).await;
            let turned: Vec<_> = turned.iter().rev().map(|t| t["id"].as_str().unwrap()).collect();
            assert_eq!(turned, all, "-{filter}{limit}");
        }
    }
    // Ids increase with time, so the newest comes last.
    let all = espoo.all("/v1/tutors").await;
    assert_eq!(all[5..].iter().map(|t| t["id"].as_str().unwrap()).collect::<Vec<_>>(), made);
}

#[tokio::test]
async fn an_invalid_query_is_refused() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for (query, parameter, code) in [
        ("municipality=49", "?municipality", "invalid_code"),
        ("theme=E-mail", "?theme", "invalid_slug"),
        ("language=finnish", "?language", "invalid_language"),
        ("status=left", "?status", "invalid_value"),
        ("source=", "?source", "too_short"),
        ("external_id=", "?external_id", "too_short"),
        ("sort=name", "?sort", "invalid_value"),
        ("q=", "?q", "too_short"),
        ("limit=101", "?limit", "too_large"),
    ] {
        espoo.get(&format!("/v1/tutors?{query}")).await.expect_violations(&[(parameter, code)]);
    }
    espoo.get("/v1/tutors?name=Anna").await.expect_problem(400, "unknown_parameter");
    let page = espoo.get("/v1/tutors?limit=2").await.expect(200);
    let cursor = page.body["next"].as_str().unwrap();
    espoo.get(&format!("/v1/tutors?limit=3&cursor={cursor}")).await.expect(200);
    espoo.get(&format!("/v1/tutors?sort=-id&cursor={cursor}")).await.expect_problem(400, "bad_cursor");
    espoo.get(&format!("/v1/tutors?theme=email&cursor={cursor}")).await.expect_problem(400, "bad_cursor");
}
