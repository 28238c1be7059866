//! The cost of a summary does not grow with the number of answers.

use std::str::FromStr as _;

use diesel::{QueryableByName, sql_types::BigInt};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use kuntatutorit::{auth::reach::Reach, resources::feedback::summaries::store};
use uuid::Uuid;

use super::scene;

/// A statement that inserts this many published answers on an event, from all municipalities, with the rows that
/// triggers would write.
fn answers(event: &str, count: u32) -> String {
    format!(
        "set session_replication_role = replica;
         insert into feedback (id, source, event_id, direction, municipality_code, respondent, rating, useful,
           themes_wanted, comment, language, publish_consent)
         select gen_random_uuid(), 'many', '{event}', 'participant_to_tutor', codes[1 + n % cardinality(codes)], n::text,
           1 + n % 5, n % 4 <> 0, array['email'], 'Kiitos ' || n, 'fi', true
         from generate_series(1, {count}) as n, (select array_agg(code) as codes from municipalities) as municipality;
         insert into feedback_themes_wanted (theme_slug, feedback_id)
         select 'email', id from feedback where source = 'many';
         insert into feedback_comments (feedback_id, event_id, direction, municipality_code, shown)
         select id, event_id, direction, municipality_code, false from feedback where source = 'many';
         insert into feedback_tallies (event_id, figure, municipality_code, tally)
         select event_id, figure, municipality_code, jsonb_object_agg(value, count) from (
           select event_id, municipality_code, figure, value, count(*) from feedback, lateral (values
             ('answers', 'given'), ('rating', rating::text), ('useful', useful::text), ('themes_wanted', 'email')
           ) as said (figure, value) where source = 'many' group by 1, 2, 3, 4) as counted group by 1, 2, 3;
         insert into feedback_summaries (event_id, direction) values ('{event}', 'participant_to_tutor');
         set session_replication_role = origin;
         select publish_feedback('{event}');
         update feedback_comments set shown = true;
         analyze feedback; analyze feedback_themes_wanted; analyze feedback_comments; analyze feedback_tallies;"
    )
}

#[derive(QueryableByName)]
struct Touched {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Returns the number of rows that this session has read, in triggers too. PostgreSQL may reset it between
/// transactions.
async fn touched(conn: &mut AsyncPgConnection) -> i64 {
    let query = "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint as rows from pg_stat_xact_user_tables";
    diesel::sql_query(query).get_result::<Touched>(conn).await.unwrap().rows
}

/// Returns how many rows a new answer, a change, a deletion and the summary touch.
async fn costs(count: u32) -> Vec<(&'static str, i64)> {
    let scene = scene().await;
    let mut conn = AsyncPgConnection::establish(&scene.server.database_url).await.unwrap();
    conn.batch_execute(&answers(&scene.event, count)).await.unwrap();
    let insert = format!(
        "insert into feedback (id, source, event_id, direction, municipality_code, respondent, rating, themes_wanted,
           comment, publish_consent)
         values ('{}', 'one', '{}', 'participant_to_tutor', '049', 'one', 4, array['email'], 'Uusi', true)",
        Uuid::now_v7(),
        scene.event
    );
    let mut costs = Vec::new();
    for (what, statement) in [
        ("insert", insert.as_str()),
        ("edit", "update feedback set rating = 1, comment = 'Toinen' where source = 'one' and respondent = 'one'"),
        ("delete", "delete from feedback where source = 'one' and respondent = 'one'"),
    ] {
        conn.batch_execute("begin").await.unwrap();
        let before = touched(&mut conn).await;
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
        costs.push((what, touched(&mut conn).await - before));
        conn.batch_execute("commit").await.unwrap();
    }
    conn.batch_execute("begin").await.unwrap();
    let before = touched(&mut conn).await;
    let event = Uuid::from_str(&scene.event).unwrap();
    let summary = store::of_event(&conn, &Reach::of_command_line(), event).await.unwrap();
    costs.push(("summary", touched(&mut conn).await - before));
    assert!(summary.participant_to_tutor.comments.len() <= 100);
    costs
}

#[tokio::test]
async fn a_summary_costs_the_same_with_260_and_with_30000_answers() {
    let (few, many) = (costs(260).await, costs(30_000).await);
    for ((what, few), (_, many)) in few.iter().zip(&many) {
        assert!(*many <= few + few / 2 + 10, "{what}: {few} rows of 260 answers, {many} rows of 30,000");
    }
}
