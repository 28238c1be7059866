//! The directory: municipalities, tutors, and themes of digital support.

pub mod municipalities;
pub mod themes;
pub mod tutors;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config.configure(tutors::writes).configure(municipalities::routes).configure(themes::routes);
}
