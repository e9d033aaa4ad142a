//! Markup by hand: escaping, the beginning of a document, and the policy that goes with it.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// What all documents share.
const BASE: &str = include_str!("../../../web/frames/base.css");

/// What a document looks like, on top of the style they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The room with its frames.
    Room,
    /// What is said.
    Messages,
    /// The form.
    Composer,
}

impl Look {
    const ALL: [Self; 3] = [Self::Room, Self::Messages, Self::Composer];

    fn style(self) -> &'static str {
        match self {
            Self::Room => include_str!("../../../web/frames/room.css"),
            Self::Messages => include_str!("../../../web/frames/messages.css"),
            Self::Composer => include_str!("../../../web/frames/composer.css"),
        }
    }
}

/// The Content-Security-Policy ([CSP 3](https://www.w3.org/TR/CSP3/)) of all these documents: no script, no
/// picture, nothing from anywhere; the styles they hold, frames and forms of the room itself.
pub static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let mut policy = "default-src 'none'; style-src".to_owned();
    for style in std::iter::once(BASE).chain(Look::ALL.map(Look::style)) {
        let _ = write!(policy, " 'sha256-{}'", BASE64.encode(&Sha256::digest(style)));
    }
    policy + "; form-action 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'"
});

/// Text as text, in content and in quoted attributes.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            formatter.write_str(&rest[..at])?;
            formatter.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        formatter.write_str(rest)
    }
}

/// A document's beginning, up to the open body.
///
/// With `refresh` the browser loads it again that many seconds after it *ended*: browsers start counting when
/// a document has come completely, so for one that never ends this is what happens when its circuit breaks.
pub fn begin(look: Look, title: &str, refresh: Option<u32>) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        Escaped(title)
    );
    if let Some(seconds) = refresh {
        let _ = writeln!(page, "<meta http-equiv=\"refresh\" content=\"{seconds}\">");
    }
    let _ = write!(page, "<style>{BASE}</style><style>{}</style>\n</head>\n<body>\n", look.style());
    page
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_left_that_means_anything() {
        assert_eq!(Escaped("a<b> & \"c\" 'd'").to_string(), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
    }

    #[test]
    fn the_policy_allows_each_style_and_nothing_unsafe() {
        let page = begin(Look::Messages, "x", None);
        for style in page.split("<style>").skip(1).map(|rest| rest.split("</style>").next().unwrap()) {
            assert!(CONTENT_SECURITY_POLICY.contains(&BASE64.encode(&Sha256::digest(style))));
        }
        assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
        assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none'; "));
        for look in Look::ALL {
            assert!(!look.style().contains("url(") && !look.style().contains('<'));
        }
    }

    proptest! {
        #[test]
        fn escaping_can_be_undone_and_leaves_no_markup(text in any::<String>()) {
            let escaped = Escaped(&text).to_string();
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let back = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            prop_assert_eq!(back.replace("&#39;", "'").replace("&amp;", "&"), text);
        }
    }
}
