//! Search: the best matches come first.

use serde_json::json;

use super::{HELSINKI, JARVENPAA};
use crate::support::Server;

#[tokio::test]
async fn search_finds_texts_in_every_language() {
    let server = Server::start();
    let espoo = server.municipality("049");
    for q in ["kansalaisopisto", "medborgarinstitutet", "education%20centre", "VERKOSTON", "sektorille"] {
        assert_eq!(espoo.get(&format!("/v1/tutors?q={q}")).await.expect(200).column("id"), [JARVENPAA], "{q}");
    }
    assert_eq!(espoo.get("/v1/tutors?q=digituki&theme=email").await.expect(200).column("id"), Vec::<&str>::new());
    assert_eq!(espoo.get("/v1/tutors?q=digituki&municipality=091").await.expect(200).column("id"), [HELSINKI]);
    assert_eq!(espoo.get("/v1/tutors?q=%21%28%26").await.expect(200).column("id"), Vec::<&str>::new());
}

#[tokio::test]
async fn a_name_ranks_like_a_title_for_callers_that_see_it() {
    let server = Server::start();
    let named = json!({"name": "Sipuli"});
    let named = server.create_tutor_with("091", &named).await;
    let told = server.create_tutor_with("091", &json!({"perspective": {"fi": "Torilla myydään sipulia."}})).await;
    let titled = server.create_tutor_with("091", &json!({"title": {"fi": "Sipuli"}})).await;
    let query = "/v1/tutors?q=sipuli";
    for caller in [server.municipality("049"), server.municipality("091"), server.coordinator()] {
        assert_eq!(caller.get(query).await.expect(200).column("id"), [&*named, &titled, &told]);
        assert_eq!(caller.get(&format!("{query}&sort=id")).await.column("id"), [&*named, &told, &titled]);
    }
    let without = server.partner("events", "tutors:read", None);
    assert_eq!(without.get(query).await.expect(200).column("id"), [&*titled, &told]);
}

#[tokio::test]
async fn ranked_pages_contain_every_row_once() {
    let server = Server::start();
    for index in 0..7 {
        let text = if index % 2 == 0 { "Sipuli" } else { "Sipuleita ja muuta" };
        let visibility = if index % 3 == 0 { "coordinator" } else { "network" };
        let fields =
            json!({"name": text, "title": {"fi": "Sipulimies"}, "perspective": {"fi": text}, "visibility": visibility});
        server.create_tutor_with("091", &fields).await;
    }
    for caller in [server.municipality("049"), server.coordinator(), server.partner("events", "tutors:read", None)] {
        let whole = caller.get("/v1/tutors?q=sipuli&limit=100").await.expect(200);
        assert_eq!(whole.column("id").len(), 7);
        for limit in [1, 2, 3] {
            let paged = caller.all(&format!("/v1/tutors?q=sipuli&limit={limit}")).await;
            assert_eq!(paged.iter().map(|t| t["id"].as_str().unwrap()).collect::<Vec<_>>(), whole.column("id"));
        }
    }
}
