//! Hostile input, computed from the document.

mod wording;
