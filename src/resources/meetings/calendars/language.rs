//! The languages of calendars.

use crate::domain::{localized_text::LocalizedText, words::column_words};

column_words! {
    /// The language of a calendar.
    #[derive(Default)]
    pub enum Language {
        /// Finnish.
        #[default]
        Finnish = "fi",
        /// Swedish.
        Swedish = "sv",
        /// English.
        English = "en",
    }
}

impl Language {
    /// Returns how a calendar in this language says that an event is postponed.
    pub(super) fn postponed(self) -> &'static str {
        match self {
            Self::Finnish => "Siirretty",
            Self::Swedish => "Uppskjutet",
            Self::English => "Postponed",
        }
    }

    /// Returns what the description of a calendar says when events are missing.
    pub(super) fn cut_notice(self) -> &'static str {
        match self {
            Self::Finnish => "Tapahtumia on niin paljon, että kalenterissa ovat vain ajallisesti lähimmät.",
            Self::Swedish => "Evenemangen är så många att kalendern bara har de som ligger närmast i tiden.",
            Self::English => "There are so many events that this calendar has only the ones nearest in time.",
        }
    }

    /// Returns the part of a text that a calendar in this language shows, with the tag of the part's language. This is the
    /// part in this language, or else the first part of the text.
    pub(super) fn part_of<const MAX: usize>(self, text: &LocalizedText<MAX>) -> Option<(&'static str, &str)> {
        let own = text.part(self.as_str()).map(|part| (self.as_str(), part));
        own.or_else(|| text.parts().next())
    }
}
