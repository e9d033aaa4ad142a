//! How a guest wants the pages to look, where that is not what the system has: Tor Browser tells every page "light".
//!
//! All documents begin in the same way, so what a browser has kept is known while an answer is made ([`Theme::during`]), and
//! not handed from one function to the next.

use crate::language::Language;

/// What there is to choose: the words that stand in the document and in the cookie. The first two exclude each other.
const CHOICES: [&str; 4] = ["light", "dark", "contrast", "compact"];

tokio::task_local! {
    static THEME: Theme;
}

/// What a guest has chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Theme([bool; CHOICES.len()]);

impl Theme {
    /// What a cookie says; what is not understood is passed over.
    pub fn parse(text: &str) -> Self {
        Self(CHOICES.map(|word| text.split('.').any(|given| given == word)))
    }

    /// The same for a cookie.
    pub fn encode(self) -> String {
        self.words().join(".")
    }

    /// With this word where it was without, or the other way round.
    pub fn switched(self, word: &str) -> Self {
        let mut on = self.0;
        for (place, _) in CHOICES.iter().enumerate().filter(|(_, known)| **known == word) {
            on[place] = !on[place];
            if place < 2 {
                on[1 - place] = false;
            }
        }
        Self(on)
    }

    /// Makes an answer whose documents look so.
    pub async fn during<F: Future>(self, answer: F) -> F::Output {
        THEME.scope(self, answer).await
    }

    /// That of the answer which is being made.
    pub fn now() -> Self {
        THEME.try_with(|theme| *theme).unwrap_or_default()
    }

    /// The attribute of the document's root, with a space before it.
    pub(super) fn attribute(self) -> String {
        match self.words().join(" ") {
            words if words.is_empty() => words,
            words => format!(" data-theme=\"{words}\""),
        }
    }

    fn words(self) -> Vec<&'static str> {
        CHOICES.into_iter().zip(self.0).filter_map(|(word, on)| on.then_some(word)).collect()
    }

    /// What there is to choose: each word, what stands on its button, and whether it is chosen.
    pub(super) fn choices(self, l: Language) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let labels = [l.say("Light"), l.say("Dark"), l.say("High contrast"), l.say("Compact")];
        CHOICES.into_iter().zip(labels).zip(self.0).map(|((word, label), on)| (word, label, on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_switched_and_light_excludes_dark() {
        let theme = Theme::default().switched("dark").switched("contrast");
        assert_eq!((theme.encode().as_str(), Theme::parse("dark.contrast")), ("dark.contrast", theme));
        assert_eq!(theme.switched("light").encode(), "light.contrast");
        assert_eq!(theme.switched("dark").encode(), "contrast");
        assert_eq!(theme.switched("\"><script>"), theme);
        assert_eq!(Theme::parse("dark.x\"><script>.compact").attribute(), " data-theme=\"dark compact\"");
    }

    #[tokio::test]
    async fn a_theme_is_that_of_one_answer() {
        let dark = Theme::parse("dark");
        assert_eq!(dark.during(async { Theme::now() }).await, dark);
        assert_eq!((Theme::now(), Theme::now().attribute()), (Theme::default(), String::new()));
    }
}
