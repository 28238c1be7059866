//! Summaries of feedback. Everybody may see them, and nobody learns from them what a single municipality answered.
//!
//! # The problem
//!
//! Everybody may see how an event was received. But there are 26 municipalities, and in a small one a single person may
//! have taken part. A reader who compares a summary before and after a new answer learns the content of that answer. A
//! minimum number of answers does not help: the difference between 10 and 11 answers is still a single answer.
//!
//! # The rule
//!
//! The answers of participants are published in *steps*, each with changes of at least three municipalities.
//!
//! * A **figure** is one part of an event's summary: the number of answers, the ratings, whether the event was useful, or
//!   the themes wanted. Each figure has its own steps.
//! * A **tally** is the contribution of one municipality to a figure: a count for each value. A figure is the sum of its
//!   tallies.
//! * A **state** of a figure is the set of its tallies at one time. The first published state is empty.
//! * A **step** publishes the current state of a figure, with all municipalities at once. It happens as soon as the current
//!   state differs from the last published state in the tallies of at least three municipalities. The same must hold for
//!   **every** older published state, except for one that equals the current state.
//!
//! New, edited and deleted answers all count as changes. An edit that is undone before the next step is no change.
//!
//! # An example
//!
//! The number of answers about one event:
//!
//! | What happens | Municipalities that differ from the last published state | Published number |
//! | --- | --- | --- |
//! | Askola gives 1 answer | 1 | 0 |
//! | Pukkila gives 2 answers | 2 | 0 |
//! | Espoo gives 1 answer | 3: a step | 4 |
//! | Askola deletes its answer | 1 | 4 |
//! | Pukkila deletes its answers | 2 | 4 |
//! | Vantaa gives 1 answer | 3, but only Espoo and Vantaa differ from the empty state: no step | 4 |
//! | Porvoo gives 1 answer | 4, and Espoo, Vantaa and Porvoo differ from the empty state: a step | 3 |
//!
//! The last two rows show why a state is compared with every older one. Without that, the sixth row would publish 2, which
//! are the answers of two municipalities alone.
//!
//! # Consequences
//!
//! * Any two published states of a figure are equal, or differ in at least three municipalities. No comparison of them
//!   reveals anything about fewer municipalities.
//! * A few late answers may stay unpublished for ever. A deleted answer stays in the published figures until the next step.
//! * The number of answers goes first: while it has changes that cannot be published yet, the other figures and the
//!   comments of the event wait too.
//! * A tutor's summary adds up the published figures of the tutor's events. Subtracting the figures of some events leaves
//!   the published figures of the others, which everybody may see anyway.
//!
//! # Comments
//!
//! A comment is published when its respondent agreed and the waiting comments of the event are from at least three
//! municipalities. The order is random, so that it reveals neither time nor municipality. When a comment is edited or
//! deleted, or the respondent no longer agrees, it disappears at once, although the figures stay unchanged. An edited
//! comment waits to be published again.
//!
//! # Feedback of tutors
//!
//! The feedback of tutors about participants is summed up without steps. Only the host municipality of the event, its
//! tutors and the coordinator see that part of a summary, and they can read the feedback itself.
//!
//! # Where the rule is implemented
//!
//! Triggers in the migration `publish_feedback` update the summaries in the transaction that writes the feedback. They
//! count all rows of a statement together and take at most one step for each event and statement. Transactions that write
//! feedback on the same event run one after the other, from the first trigger to the commit. [`verify`] recomputes
//! everything from the feedback and reports each difference.

mod api;
pub mod model;
pub mod scopes;
pub mod store;
pub mod verify;

use crate::http::routes::Routes;

pub(super) fn routes(config: &mut Routes<'_, '_>) {
    config.service(api::get_event_feedback_summary).service(api::get_tutor_feedback_summary);
}
