//! Municipalities: every caller reads them; the coordinator and the municipality itself write.

use serde_json::{Value, json};

use crate::support::Server;

/// The body of a new municipality.
pub(super) fn new_municipality() -> Value {
    json!({
        "code": "998", "name": {"fi": "Uusi kunta", "sv": "Nya kommunen"}, "region_code": "01",
        "region_name": {"fi": "Uusimaa"}, "language_status": "sv-fi", "sami_languages": [],
        "population": 1234, "population_on": "2026-01-01", "support_stage": "starting", "support_since": 2026,
        "location": {"lat": 60.5, "lon": 24.5}, "website": "https://kunta.example", "profile": {"sv": "Allt är nytt."}
    })
}

#[tokio::test]
async fn the_reference_data_has_the_26_municipalities_of_uusimaa() {
    let server = Server::start();
    let all = server.municipality("049").all("/v1/municipalities").await;
    assert_eq!(all.len(), 26);
    assert_eq!(all.iter().map(|m| m["population"].as_i64().unwrap()).sum::<i64>(), 1_733_033);
    assert_eq!(all.iter().filter(|m| m["language_status"] != "fi").count(), 15);
}

#[tokio::test]
async fn get_returns_every_field() {
    let server = Server::start();
    let answer = server.municipality("049").get("/v1/municipalities/049").await.expect(200);
    assert_eq!(
        answer.stable(),
        json!({
            "code": "049", "name": {"fi": "Espoo", "sv": "Esbo"}, "region_code": "01",
            "region_name": {"fi": "Uusimaa", "sv": "Nyland", "en": "Uusimaa"}, "language_status": "fi-sv",
            "sami_languages": [], "population": 305_274, "population_on": "2022-12-31", "support_stage": "established", "support_since": null,
            "location": {"lat": 60.20631, "lon": 24.6567}, "website": "https://www.espoo.fi", "profile": null,
            "successor_code": null, "ended_on": null,
            "version": "version", "created_at": "time", "updated_at": "time"
        })
    );
    assert_eq!(answer.header("cache-control"), "private, no-store");
    server.municipality("049").get("/v1/municipalities/999").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn an_unchanged_municipality_answers_304() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let etag = espoo.get("/v1/municipalities/049").await.etag();
    let again = espoo.with("if-none-match", &etag).get("/v1/municipalities/049").await.expect(304);
    assert_eq!((again.text.as_str(), again.etag()), ("", etag));
    espoo.with("if-none-match", "\"1-other\"").get("/v1/municipalities/049").await.expect(200);
}

#[tokio::test]
async fn names_are_sorted_by_finnish_rules() {
    let server = Server::start();
    let coordinator = server.coordinator();
    for (code, name) in [("991", "Äänekoski"), ("992", "Åbo"), ("993", "Öja"), ("994", "Zeta")] {
        let mut new = new_municipality();
        (new["code"], new["name"]) = (json!(code), json!({"fi": name}));
        coordinator.post("/v1/municipalities", &new).await.expect(201);
    }
    let names = coordinator.all("/v1/municipalities?sort=name&limit=7").await;
    let names: Vec<_> = names.iter().map(|m| m["name"]["fi"].as_str().unwrap()).collect();
    assert_eq!(&names[26..], ["Zeta", "Åbo", "Äänekoski", "Öja"]);
    assert_eq!(&names[..3], ["Askola", "Espoo", "Hanko"]);
    let mut turned = coordinator.all("/v1/municipalities?sort=-name&limit=7").await;
    turned.reverse();
    assert_eq!(names, turned.iter().map(|m| m["name"]["fi"].as_str().unwrap()).collect::<Vec<_>>());
}

#[tokio::test]
async fn pages_contain_every_row_once_in_any_order() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for sort in ["code", "-code", "name", "-name", "population", "-population"] {
        for limit in [1, 5, 13, 26, 100] {
            let all = espoo.all(&format!("/v1/municipalities?sort={sort}&limit={limit}")).await;
            let mut codes: Vec<_> = all.iter().map(|m| m["code"].as_str().unwrap()).collect();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!((all.len(), codes.len()), (26, 26), "sort={sort}&limit={limit}");
        }
    }
    let people = espoo.all("/v1/municipalities?sort=-population").await;
    assert!(people.windows(2).all(|two| two[0]["population"].as_i64() >= two[1]["population"].as_i64()));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for (query, codes) in [
        ("support_stage=established", vec!["049", "091", "092", "186"]),
        ("language_status=sv-fi", vec!["149", "710"]),
        ("language_status=sv-fi&language_status=sv", vec!["149", "710"]),
        ("population_min=200000", vec!["049", "091", "092"]),
        ("population_max=2000", vec!["504", "616"]),
        ("region=02", vec![]),
        ("region=01&population_min=60000&support_stage=unknown", vec![]),
        ("region=01&population_min=51000&support_stage=unknown", vec!["638"]),
    ] {
        assert_eq!(
            espoo.get(&format!("/v1/municipalities?{query}")).await.expect(200).column("code"),
            codes,
            "{query}"
        );
    }
}

#[tokio::test]
async fn search_finds_names_in_both_languages() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for q in ["Helsinki", "helsingfors", "HELSINKI", "Helsingin", "Helsingissä"] {
        let answer = espoo.get(&format!("/v1/municipalities?q={q}")).await.expect(200);
        assert_eq!(answer.column("code").first(), Some(&"091"), "{q}");
    }
    assert_eq!(espoo.get("/v1/municipalities?q=%21%28%26").await.expect(200).column("code"), Vec::<&str>::new());
}

#[tokio::test]
async fn an_invalid_query_is_refused() {
    let server = Server::start();
    let espoo = server.municipality("049");
    espoo.get("/v1/municipalities?stage=unknown").await.expect_problem(400, "unknown_parameter");
    espoo.get("/v1/municipalities/049?stage=unknown").await.expect_problem(400, "unknown_parameter");
    espoo.get("/v1/municipalities?limit=0").await.expect_violations(&[("?limit", "too_small")]);
    espoo.get("/v1/municipalities?limit=101").await.expect_violations(&[("?limit", "too_large")]);
    espoo.get("/v1/municipalities?limit=ten").await.expect_violations(&[("?limit", "invalid_value")]);
    espoo.get("/v1/municipalities?support_stage=best").await.expect_violations(&[("?support_stage", "invalid_value")]);
    espoo.get("/v1/municipalities?region=1").await.expect_violations(&[("?region", "invalid_code")]);
    espoo.get("/v1/municipalities?q=%ff").await.expect_problem(400, "malformed_query");
    espoo.get("/v1/municipalities?q=a%00b").await.expect_violations(&[("?q", "nul")]);
    espoo.get("/v1/municipalities?cursor=nonsense").await.expect_problem(400, "bad_cursor");
    let page = espoo.get("/v1/municipalities?limit=2").await.expect(200);
    let cursor = page.body["next"].as_str().unwrap();
    espoo.get(&format!("/v1/municipalities?limit=3&cursor={cursor}")).await.expect(200);
    espoo.get(&format!("/v1/municipalities?sort=name&cursor={cursor}")).await.expect_problem(400, "bad_cursor");
    espoo.get(&format!("/v1/municipalities?region=01&cursor={cursor}")).await.expect_problem(400, "bad_cursor");
}

#[tokio::test]
async fn the_coordinator_creates_replaces_and_deletes() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let created = coordinator.post("/v1/municipalities", &new_municipality()).await.expect(201);
    assert_eq!(created.header("location"), format!("{}/v1/municipalities/998", server.url));
    let mut expected = new_municipality();
    expected
        .as_object_mut()
        .unwrap()
        .extend([("successor_code".into(), json!(null)), ("ended_on".into(), json!(null))]);
    for field in ["version", "created_at", "updated_at"] {
        expected[field] = json!(if field == "version" { "version" } else { "time" });
    }
    assert_eq!(created.stable(), expected);

    // The body of a GET can be sent back with PUT.
    let mut changed = created.body.clone();
    changed["population"] = json!(1235);
    let path = "/v1/municipalities/998";
    let replaced = coordinator.if_match(&created.etag()).put(path, &changed).await.expect(200);
    assert_eq!(replaced.body["population"], 1235);
    assert!(replaced.body["version"].as_i64() > created.body["version"].as_i64());
    assert_eq!(coordinator.get(path).await.body, replaced.body);

    coordinator.post("/v1/municipalities", &new_municipality()).await.expect_problem(409, "municipalities_pkey");
    coordinator.if_match(&created.etag()).delete(path).await.expect_problem(412, "precondition_failed");
    coordinator.if_match(&replaced.etag()).delete(path).await.expect(204);
    coordinator.get(path).await.expect(404);
    let again = coordinator.post("/v1/municipalities", &new_municipality()).await.expect(201);
    assert!(again.body["version"].as_i64() > replaced.body["version"].as_i64(), "a version was reused");
}

#[tokio::test]
async fn a_municipality_changes_its_own_fields_only() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let path = "/v1/municipalities/049";
    let etag = espoo.get(path).await.etag();
    let own = json!({"support_stage": "developing", "support_since": 2005, "website": "https://espoo.example", "profile": {"fi": "Oma kulma."}});
    let changed = espoo.if_match(&etag).patch(path, &own).await.expect(200);
    for field in ["support_stage", "support_since", "website", "profile"] {
        assert_eq!(changed.body[field], own[field]);
    }
    let refused =
        espoo.if_match(&changed.etag()).patch(path, &json!({"population": 1, "name": {"fi": "Espoonen"}})).await;
    let refused = refused.expect_problem(403, "out_of_reach");
    assert!(refused.body["detail"].as_str().unwrap().contains("`name`, `population`"), "{}", refused.text);
    let helsinki = "/v1/municipalities/091";
    let etag = espoo.get(helsinki).await.etag();
    espoo.if_match(&etag).patch(helsinki, &own).await.expect_problem(403, "out_of_reach");
    espoo.if_match(&etag).delete(helsinki).await.expect_problem(403, "out_of_reach");
    espoo.post("/v1/municipalities", &new_municipality()).await.expect_problem(403, "out_of_reach");
}

#[tokio::test]
async fn a_merge_patch_can_remove_parts_of_a_text_but_not_the_last_one() {
    let server = Server::start();
    let espoo = server.municipality("049");
    let path = "/v1/municipalities/049";
    let both = json!({"profile": {"fi": "Suomeksi", "sv": "På svenska"}});
    let answer = espoo.if_match(&espoo.get(path).await.etag()).patch(path, &both).await.expect(200);
    let merge = espoo.if_match(&answer.etag()).with("content-type", "application/merge-patch+json");
    let answer = merge.patch(path, &json!({"profile": {"sv": null, "en": "In English"}})).await.expect(200);
    assert_eq!(answer.body["profile"], json!({"fi": "Suomeksi", "en": "In English"}));
    let none = json!({"profile": {"fi": null, "en": null}});
    espoo.if_match(&answer.etag()).patch(path, &none).await.expect_violations(&[("/profile", "required")]);
    let answer = espoo.if_match(&answer.etag()).patch(path, &json!({"profile": null})).await.expect(200);
    assert_eq!(answer.body["profile"], Value::Null);
    espoo.if_match(&answer.etag()).patch(path, &json!([1])).await.expect_violations(&[("", "wrong_type")]);
}

#[tokio::test]
async fn a_write_needs_the_current_etag() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let path = "/v1/municipalities/049";
    let read = coordinator.get(path).await;
    coordinator.put(path, &read.body).await.expect_problem(428, "precondition_required");
    coordinator.patch(path, &json!({})).await.expect_problem(428, "precondition_required");
    coordinator.delete(path).await.expect_problem(428, "precondition_required");
    coordinator
        .if_match(&format!("W/{}", read.etag()))
        .put(path, &read.body)
        .await
        .expect_problem(412, "precondition_failed");
    coordinator.if_match("\"0-full\"").patch(path, &json!({})).await.expect_problem(412, "precondition_failed");
    coordinator.if_match(&format!("\"0-full\", {}", read.etag())).patch(path, &json!({})).await.expect(200);
    coordinator.if_match("*").patch(path, &json!({})).await.expect(200);
    // The service checks the body before the condition, and the condition before the row.
    coordinator.put(path, &json!({"code": "049"})).await.expect(422);
    coordinator.delete("/v1/municipalities/999").await.expect(428);
    coordinator.if_match("*").delete("/v1/municipalities/999").await.expect(404);
}

#[tokio::test]
async fn every_broken_rule_is_reported_at_once() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let mut new = new_municipality();
    new["code"] = json!("12");
    new["name"] = json!({"fi": " ", "sv": "x".repeat(201), "de": "Neu"});
    new["population"] = json!(-1);
    new["population_on"] = json!("1899-12-31");
    new["support_since"] = json!(1979);
    new["location"]["lat"] = json!(90.1);
    new["website"] = json!("ftp://kunta.example");
    new["profile"] = json!({});
    new["mayor"] = json!("nobody");
    coordinator.post("/v1/municipalities", &new).await.expect_violations(&[
        ("/mayor", "unknown_field"),
        ("/name/de", "unknown_field"),
        ("/code", "invalid_code"),
        ("/name/fi", "blank"),
        ("/name/sv", "too_long"),
        ("/population", "too_small"),
        ("/population_on", "out_of_range"),
        ("/support_since", "too_small"),
        ("/location/lat", "too_large"),
        ("/website", "invalid_url"),
        ("/profile", "required"),
    ]);
    for (field, value, at, code) in [
        ("population", json!("many"), "/population", "wrong_type"),
        ("population", json!(1e300), "/population", "wrong_type"),
        ("population_on", json!("9999-99-99"), "/population_on", "wrong_type"),
        ("support_stage", json!("best"), "/support_stage", "wrong_type"),
        ("location", json!({"lat": 60}), "/location/lon", "required"),
        ("name", Value::Null, "/name", "wrong_type"),
    ] {
        let mut new = new_municipality();
        new[field] = value;
        coordinator.post("/v1/municipalities", &new).await.expect_violations(&[(at, code)]);
    }
}

#[tokio::test]
async fn only_one_of_two_callers_with_the_same_etag_can_write() {
    let server = Server::start();
    let coordinator = server.coordinator();
    let path = "/v1/municipalities/049";
    let read = coordinator.get(path).await;
    let writer = coordinator.if_match(&read.etag());
    let (one, other) = (json!({"population": 1}), json!({"population": 2}));
    let (first, second) = tokio::join!(writer.patch(path, &one), writer.patch(path, &other));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}
