//! The generated data set: the service could have written every row of it.

use kuntatutorit::seed::generated::generate;

use crate::support::{
    Server,
    databases::{parameters, summary_differences},
    sql::query_lines,
};

/// Totals that are stored twice. Each line is empty when both agree.
const BOTH_WAYS: &str = "
    select format('%s: %s, %s', name, kept, meant) as line from (
      select 'tutors' as name, (select count(*) from event_tutors) as kept, (select sum(cardinality(tutors)) from events) as meant
      union all select 'themes', (select count(*) from event_themes), (select sum(cardinality(themes)) from events)
      union all select 'languages', (select count(*) from event_languages), (select sum(cardinality(languages)) from events)
      union all select 'audience', (select count(*) from event_audience), (select sum(cardinality(audience)) from events)
      union all select 'of tutors', (select count(*) from tutor_themes), (select sum(cardinality(themes)) from tutors)
      union all select 'wanted', (select count(*) from feedback_themes_wanted), (select sum(cardinality(themes_wanted)) from feedback)
      union all select 'ledger', (select count(*) from changes where operation = 'create' and resource in ('events', 'tutors', 'feedback')),
        (select count(*) from events) + (select count(*) from tutors) + (select count(*) from feedback)
    ) as counts where kept <> meant or kept = 0";
/// References to rows that do not exist. The generator switches the foreign keys off.
const DANGLING: &str = "
    select 'tutor' as line from event_tutors left join tutors on id = tutor_id where id is null
    union all select 'theme' from event_themes left join themes on slug = theme_slug where slug is null
    union all select 'host' from events left join municipalities on code = host_municipality_code
      where host_municipality_code is not null and code is null
    union all select 'event' from feedback left join events on events.id = event_id where events.id is null
    union all select 'giver' from feedback left join municipalities on code = municipality_code where code is null";
const CONTENT: &str = "
    select md5(string_agg(format('%s %s %s %s', id, title, starts_at, tutors), ',' order by id)) as line from events
    union all select md5(string_agg(format('%s %s %s %s', id, event_id, rating, comment), ',' order by id)) from feedback";

#[tokio::test]
async fn the_generated_data_is_consistent_and_the_same_on_every_run() {
    let mut contents = Vec::new();
    for _ in 0..2 {
        let server = Server::start();
        generate(&parameters(&server.database_url), 2, |_| {}).await.unwrap();
        let counted = "select format('%s %s %s', (select count(*) from events where source = 'generated'),
            (select count(*) from tutors where source = 'generated'), (select count(*) from feedback)) as line";
        assert_eq!(query_lines(&server, counted).await, ["2000 40 2000"]);
        assert_eq!(query_lines(&server, BOTH_WAYS).await, [""; 0]);
        assert_eq!(query_lines(&server, DANGLING).await, [""; 0]);
        assert_eq!(summary_differences(&server.database_url).await, []);
        contents.push(query_lines(&server, CONTENT).await);
        let found = server.municipality("049").get("/v1/events?q=harvinainen0&limit=1").await.expect(200);
        assert_eq!(found.body["items"].as_array().unwrap().len(), 1);
        let again = generate(&parameters(&server.database_url), 1, |_| {}).await.unwrap_err().to_string();
        assert!(again.contains("already has generated data"), "{again}");
    }
    assert_eq!(contents[0], contents[1]);
}
