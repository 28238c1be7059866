//! Many concurrent writers on one event and on several.

use diesel::{QueryableByName, sql_types::Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::future::join_all;
use serde_json::json;

use super::{CODES, scene};
use crate::support::{client::retry_while_busy, fixtures};

#[tokio::test]
async fn parallel_writers_leave_correct_totals() {
    let scene = scene().await;
    let (partner, event) = (&scene.partner, &scene.event);
    let writes = (0..50).map(async |n: usize| {
        let body = json!({
            "event_id": event, "direction": "participant_to_tutor", "municipality_code": CODES[n % 8],
            "respondent": format!("parallel {n}"), "rating": 1 + n % 5, "themes_wanted": ["email"], "comment": "x",
            "publish_consent": true
        });
        retry_while_busy(async || partner.post("/v1/feedback", &body).await).await.expect(201)
    });
    assert_eq!(join_all(writes).await.len(), 50);
    assert_eq!(scene.verify().await, [""; 0]);
    let (count, ratings) = scene.ratings().await;
    assert!(count > 40 && ratings.iter().sum::<i64>() > 40, "{count}, {ratings:?}");
}

/// A statement that inserts the answers from `first` to `last`: of both directions and eight municipalities, each with
/// other values.
fn answers(events: &[&str], first: u32, last: u32) -> String {
    let (events, codes) = (events.join("', '"), CODES.join("', '"));
    format!(
        "insert into feedback (id, source, event_id, direction, municipality_code, respondent, rating, useful, themes_wanted,
           comment, publish_consent)
         select gen_random_uuid(), 'many', event_id::uuid, (array['participant_to_tutor', 'tutor_to_participant'])[1 + n % 2],
           (array['{codes}'])[1 + n / 3 % 8], n::text, nullif(n % 6, 0), nullif(n % 3, 2)::boolean,
           (array['{{}}', '{{email}}', '{{email, applications}}'])[1 + n % 3]::text[], case n / 2 % 2 when 0 then 'Kiitos' end,
           n / 4 % 2 = 0
         from generate_series({first}, {last}) as n, unnest(array['{events}']) as event_id"
    )
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    kept: String,
}

/// Returns every stored total of an event's feedback, published or not.
async fn stored_totals(conn: &mut AsyncPgConnection, event: &str) -> String {
    let query = format!(
        "select concat(
           (select jsonb_agg(array[figure, municipality_code, tally::text] order by figure, municipality_code)
             from feedback_tallies where event_id = '{event}'),
           (select figures from feedback_summaries where event_id = '{event}' and direction = 'tutor_to_participant'),
           (select jsonb_agg(array[direction, municipality_code, respondent] order by direction, respondent)
             from feedback_comments join feedback using (event_id, direction, municipality_code)
             where id = feedback_id and event_id = '{event}')) as kept"
    );
    diesel::sql_query(query).get_result::<Kept>(conn).await.unwrap().kept
}

#[tokio::test]
async fn answers_inserted_in_one_statement_give_the_same_totals_as_single_inserts() {
    let scene = scene().await;
    let (apart, together) = (&scene.event, fixtures::insert_event(&scene.server, json!({})).await);
    let also_together = fixtures::insert_event(&scene.server, json!({})).await;
    // A tutor of each municipality presents at each event, so that all of them may answer as tutors.
    for code in CODES {
        fixtures::insert_tutor(&scene.server, code).await;
    }
    let present = "update events set tutors = array(select id from tutors where name = 'Kuntatutor')";
    let mut conn = AsyncPgConnection::establish(&scene.server.database_url).await.unwrap();
    let present = format!("{present} where id in ('{apart}', '{together}', '{also_together}')");
    conn.batch_execute(&present).await.unwrap();
    for (first, last) in [(1, 30), (31, 31), (32, 75)] {
        conn.batch_execute(&answers(&[&together, &also_together], first, last)).await.unwrap();
        for n in first..=last {
            conn.batch_execute(&answers(&[apart], n, n)).await.unwrap();
        }
        let expected = stored_totals(&mut conn, apart).await;
        for told in ["themes_wanted", "given", "\"tutor_to_participant\", \"091\""] {
            assert!(expected.contains(told), "{told}: {expected}");
        }
        assert_eq!(stored_totals(&mut conn, &together).await, expected);
        assert_eq!(stored_totals(&mut conn, &also_together).await, expected);
    }
    assert_eq!(scene.verify().await, [""; 0]);
}
