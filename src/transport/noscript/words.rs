//! Texts in the guest's language whose parts are markup.

use maud::{Markup, PreEscaped, Render, html};

use crate::language::{Language, pieces};
use crate::protocol::Role;

/// Texts with parts, as [`Language::fill`], for documents.
pub(super) trait Marked {
    /// A text with `{0}`, `{1}` and so on replaced by the parts. All of it is escaped but what is markup.
    fn mark(self, english: &'static str, parts: &[&dyn Render]) -> Markup;

    /// The same, in the form for this number.
    fn mark_plural(self, count: u64, one: &'static str, many: &'static str, parts: &[&dyn Render]) -> Markup;
}

impl Marked for Language {
    fn mark(self, english: &'static str, parts: &[&dyn Render]) -> Markup {
        marked(self.say(english), parts)
    }

    fn mark_plural(self, count: u64, one: &'static str, many: &'static str, parts: &[&dyn Render]) -> Markup {
        marked(self.plural(count, one, many), parts)
    }
}

fn marked(text: &str, parts: &[&dyn Render]) -> Markup {
    let mut out = String::with_capacity(text.len() + 32 * parts.len());
    for piece in pieces(text) {
        match piece {
            Ok(text) => text.render_to(&mut out),
            Err(number) => {
                if let Some(part) = parts.get(number) {
                    part.render_to(&mut out);
                }
            }
        }
    }
    PreEscaped(out)
}

/// What a guest has written, a name or a title: its direction is its own.
pub(super) fn bdi(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// The word for a role.
pub(super) fn role_name(language: Language, role: Role) -> &'static str {
    match role {
        Role::Guest => language.plural(1, "guest", "guests"),
        Role::Moderator => language.say("moderator"),
        Role::Host => language.say("host"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_markup_is_not() {
        let shown = Language::English.mark("<{1}> & {0}", &[&bdi("a<b"), &"\"{0}\""]).0;
        assert_eq!(shown, "&lt;&quot;{0}&quot;&gt; &amp; <bdi>a&lt;b</bdi>");
        let shown = Language::English.mark_plural(2, "{0} guest", "{0} guests", &[&2]).0;
        assert_eq!(shown, "2 guests");
    }
}
