//! The resources, a file or folder for each.

mod accounts;
mod calendars;
mod changes;
mod clients;
mod events;
mod feedback;
mod mergers;
mod metrics;
mod municipalities;
mod sami_languages;
mod search;
mod service;
mod summaries;
mod themes;
mod tutors;
