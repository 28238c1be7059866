//! Summaries of feedback: what everybody sees of it, when its givers must not be given away.
//!
//! With 26 municipalities one answer from Pukkila is a person. So what participants say is published in steps, and what
//! a reader could find by comparing any two published figures is always about three municipalities at least:
//!
//! * A *figure* of an event is how many answers there are, the ratings, whether it was useful, or the themes wanted. What
//!   one municipality's answers say to a figure is its *tally*, from value to count.
//! * What is written waits. Of each figure the tallies are kept twice, as they are now and as they are published.
//! * A *step* publishes a figure as it is now, all municipalities together, as soon as that differs from **each** state
//!   of the figure that was published before (from nothing, at the beginning, too) in the tallies of three
//!   municipalities at least, or is equal to it. New answers, edits and deletions count alike; what changes nothing,
//!   or is changed back before a step, does not count. Held against the last state alone, one could come within one or
//!   two municipalities of an older one.
//! * The other figures and the comments wait for as long as answers wait to be counted.
//! * A tutor's summary adds up the published figures of the tutor's events: with an event's taken away, what remains is
//!   other events' published figures.
//!
//! What follows from it. What is left over is never published alone. An edit or a deletion is seen with the next step
//! only, not by itself; when just one or two municipalities' answers are left, the figures stand as they were until three
//! have changed or nothing is left, which is the state at the beginning and is published as such.
//!
//! Comments are shown when they are consented to, once those that wait are of three municipalities, in an order that
//! is drawn by lot. A text that is taken back, edited, deleted or no longer consented to is gone at once: erasure beats
//! figures, and the figures do not move with it. An edited text waits anew.
//!
//! What tutors say of participants is summed up as it is, for those who see it anyway: the event's host, its tutors and
//! the coordinator.
//!
//! The triggers of the migration `publish_feedback` keep all this in the transaction that writes feedback; [`verify`] recomputes it. Who writes on one event takes turns, from the roll-up to the commit; what is given in
//! one statement is held against the rule once, when all of it has been added.

mod api;
pub mod model;
pub mod scopes;
pub mod store;
pub mod verify;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::get_event_feedback_summary).service(api::get_tutor_feedback_summary);
}
