//! The resources of the API, by area.

pub mod access;
pub mod directory;
pub mod feedback;
pub mod integration;
pub mod meetings;
pub mod references;
pub mod service;
pub mod update;

use crate::http::routes::Routes;

/// Registers every operation. actix tries the routes in this order, so the most frequent operations come first.
pub fn routes(config: &mut Routes<'_, '_>) {
    config
        .configure(meetings::events::reads)
        .configure(directory::tutors::reads)
        .configure(meetings::routes)
        .configure(directory::routes)
        .configure(feedback::routes)
        .configure(access::routes)
        .configure(integration::changes::routes)
        .configure(service::routes);
}
