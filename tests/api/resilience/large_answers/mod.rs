//! The largest answers that there are: pages, calendars and included resources whose texts are as long as they may be.

mod growth;
mod limits;
mod memory;

use crate::support::Server;

/// Returns the SQL of a localised text with this many characters of four bytes in each language.
fn longest(length: usize) -> String {
    let parts = ["fi", "sv", "en", "se", "smn", "sms"].map(|tag| format!("'{tag}', repeat('😀', {length})"));
    format!("jsonb_build_object({})", parts.join(", "))
}

/// Inserts tutors of Espoo with the longest texts.
async fn insert_tutors(server: &Server, count: usize) {
    let (title, perspective) = (longest(200), longest(10_000));
    let insert = format!(
        "insert into tutors (id, source, name, title, municipality_code, perspective)
         select gen_random_uuid(), 'longest', repeat('😀', 200), {title}, '049', {perspective}
         from generate_series(1, {count})"
    );
    server.execute(&insert).await;
}

/// Inserts published events of Espoo with the longest texts and all tutors, one each hour, so many before and so many after now.
async fn insert_events(server: &Server, each_way: usize) {
    let (title, reason, description) = (longest(200), longest(1000), longest(10_000));
    let insert = format!(
        "insert into events (id, source, title, description, kind, modality, starts_at, ends_at, venue,
           host_municipality_code, tutors, audience, status, status_reason)
         select gen_random_uuid(), 'longest', {title}, {description}, 'workshop', 'onsite',
           now() + (n - 0.5) * interval '1 hour', now() + (n + 0.5) * interval '1 hour',
           jsonb_build_object('name', {title}, 'address', repeat('😀', 500)), '049',
           (select coalesce(array_agg(id), '{{}}') from (select id from tutors where source = 'longest' limit 50) as t),
           array['091'], 'published', {reason}
         from generate_series(1 - {each_way}, {each_way}) as n"
    );
    server.execute(&insert).await;
}
