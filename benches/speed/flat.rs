//! The comparison `flat`: whether PostgreSQL's cost of a request grows with the data. The same requests run on a small and
//! on a large database.

use std::{fmt::Write as _, path::Path};

use kuntatutorit::auth::{keys::key_ring::KeyRing, tokens::access_tokens::Tokens};

use super::{
    database::Database,
    load,
    load::{Request, Target, script},
    operations,
    operations::Inputs,
    report::median,
    start::{Process, first_answer, service},
};

const PORTS: [u16; 2] = [18_482, 18_483];
/// The number of connections, and the seconds of each measurement.
const CONNECTIONS: u32 = 4;
const SECONDS: f64 = 1.0;
/// The number of different rows that are requested, which is no more than the small database has. More rows of the large
/// database would compare cached data with data that is not cached.
const DIFFERENT: usize = 20;

/// Lists with each filter and sort, and single rows. `limit` makes both databases return the same number of rows where the
/// small one has few.
const PATHS: &[&str] = &[
    "/v1/events",
    "/v1/events?sort=-starts_at",
    "/v1/events?municipality=CODE&sort=-starts_at",
    "/v1/events?tutor=TUTOR&sort=-starts_at",
    "/v1/events?theme=email&limit=5",
    "/v1/events?theme=training&limit=1",
    "/v1/events?kind=webinar",
    "/v1/events?kind=peer_visit&limit=1&sort=-starts_at",
    "/v1/events?modality=online",
    "/v1/events?modality=hybrid&limit=1",
    "/v1/events?status=published&sort=-starts_at",
    "/v1/events?status=cancelled&limit=1",
    "/v1/events?language=fi&sort=-starts_at",
    "/v1/events?language=se&limit=1",
    "/v1/events?audience=CODE&limit=5&sort=-starts_at",
    "/v1/events?audience=616&limit=1",
    "/v1/events?audience=region",
    "/v1/events?starts_after=2026-11-24T08:00:00Z",
    "/v1/events?starts_before=2026-11-24T08:00:00Z&sort=-starts_at",
    "/v1/events?source=generated",
    "/v1/events?source=generated&external_id=event-777",
    "/v1/events?q=harvinainen0&limit=5",
    "/v1/events?include=tutors,themes,host&limit=5",
    "/v1/events/EVENT",
    "/v1/events/SUMMARIZED/feedback-summary",
    "/v1/tutors/TUTOR/feedback-summary",
    "/v1/events.ics",
    "/v1/tutors?limit=5",
    "/v1/tutors?municipality=CODE&limit=1",
    "/v1/tutors?theme=adult-education-centres&limit=1",
    "/v1/tutors?language=sv&limit=5",
    "/v1/tutors?status=active&sort=-id&limit=5",
    "/v1/tutors/TUTOR",
    "/v1/feedback?event=SUMMARIZED",
    "/v1/feedback?municipality=CODE&sort=created_at",
    "/v1/feedback?direction=participant_to_tutor",
    "/v1/feedback?source=generated&sort=created_at",
    "/v1/feedback?source=generated&external_id=feedback-7-0",
    "/v1/changes?limit=20",
    "/v1/changes?limit=20&resource=tutors",
    "/v1/municipalities",
    "/v1/themes",
];

/// The service on one database, and keys of its rows.
struct Instance {
    target: Target,
    inputs: Inputs,
    _service: Process,
}

impl Instance {
    async fn start(dir: &Path, port: u16, postmaster: u32, database: &Database) -> Self {
        let url = format!("http://127.0.0.1:{port}");
        let process = Process::start(&mut service(dir, &database.url, port));
        first_answer(port, "/readyz");
        let keys = KeyRing::load(&dir.join("keys")).unwrap();
        let client = &database.client;
        let inputs = Inputs {
            tokens: Tokens::new(keys, url.clone(), url.clone()),
            events: operations::spread(
                client,
                "events",
                "source = 'generated' and status <> 'draft' and description is null",
            )
            .await,
            tutors: operations::spread(client, "tutors", "source = 'generated'").await,
            recent: Vec::new(),
            summarized: operations::texts(client, "select event_id::text from feedback_summaries order by 1 limit 10")
                .await,
            codes: operations::texts(client, "select code from municipalities where code <> '616'").await,
            thousandth: Vec::new(),
            moments: Vec::new(),
            tags: Vec::new(),
            hosted: Vec::new(),
            thousands: 1,
            credentials: (String::new(), String::new()),
            account: (String::new(), String::new()),
            run: 0,
        };
        Self { target: Target { url, server: process.id(), postmaster }, inputs, _service: process }
    }

    /// Returns a script that requests the path with different keys in place of the capital letters.
    fn script(&self, path: &str) -> String {
        let token = self.inputs.coordinator();
        let (name, values) = [
            ("CODE", &self.inputs.codes),
            ("TUTOR", &self.inputs.tutors),
            ("EVENT", &self.inputs.events),
            ("SUMMARIZED", &self.inputs.summarized),
        ]
        .into_iter()
        .find(|(name, _)| path.contains(name))
        .unwrap_or(("CODE", &self.inputs.codes));
        let requests: Vec<_> =
            values.iter().take(DIFFERENT).map(|value| Request::get(path.replace(name, value), &token)).collect();
        script(0, &requests)
    }
}

/// Measures every path on both databases in turn, and returns the section of the report.
pub(crate) async fn measure(
    dir: &Path,
    postmaster: u32,
    databases: [&Database; 2],
    thousands: [u32; 2],
    rounds: u32,
) -> String {
    let instances = [
        Instance::start(dir, PORTS[0], postmaster, databases[0]).await,
        Instance::start(dir, PORTS[1], postmaster, databases[1]).await,
    ];
    let mut report = format!(
        "\n## Flat\n\nPostgreSQL's CPU µs per request with {} thousand and with {} thousand events and as much feedback.\n\n\
         | request | small | large | ratio | failed % |\n|---|--:|--:|--:|--:|\n",
        thousands[0], thousands[1]
    );
    for path in PATHS {
        let mut samples = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (instance, samples) in instances.iter().zip(&mut samples) {
                samples.push(load::run(&instance.target, &instance.script(path), CONNECTIONS, SECONDS));
            }
        }
        let [small, large] = samples.each_ref().map(|samples| median(samples, |sample| sample.postgres));
        let failed =
            100.0 * median(&samples[1], |sample| sample.failed).max(median(&samples[0], |sample| sample.failed));
        let line = format!("| `{path}` | {small:.1} | {large:.1} | {:.2} | {failed:.1} |", large / small);
        println!("{line}");
        let _ = writeln!(report, "{line}");
    }
    report
}
