//! The resources: one line each.

pub mod accounts;
pub mod calendar_links;
pub mod calendars;
pub mod changes;
pub mod clients;
pub mod events;
pub mod feedback;
pub mod municipalities;
pub mod service;
pub mod sign_in;
pub mod summaries;
pub mod themes;
pub mod tutors;

use crate::http::routes::Routes;

/// Registers every operation; nothing else can be reached. Patterns are tried in this order: what is asked for most comes
/// first.
pub fn routes(config: &mut Routes<'_, '_>) {
    config
        .configure(events::reads)
        .configure(tutors::reads)
        .configure(events::writes)
        .configure(tutors::writes)
        .configure(feedback::routes)
        .configure(municipalities::routes)
        .configure(themes::routes)
        .configure(summaries::routes)
        .configure(calendars::routes)
        .configure(calendar_links::routes)
        .configure(accounts::routes)
        .configure(clients::routes)
        .configure(changes::routes)
        .configure(sign_in::routes)
        .configure(service::routes);
}
