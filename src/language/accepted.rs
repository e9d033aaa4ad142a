//! Which language a request is answered in: that of a cookie, or of `Accept-Language` ([RFC 9110, section 12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)).

use super::kind::Language;

/// So many ranges are looked at; browsers send a handful.
const RANGES_MAX: usize = 64;

impl Language {
    /// The language of a request: that of the cookie, if it names one; else the one that `Accept-Language` prefers
    /// ([RFC 9110, section 12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)); else English. Never fails: what is
    /// malformed is passed over.
    pub fn negotiate(cookie: Option<&str>, accept_language: Option<&str>) -> Self {
        cookie.and_then(Self::from_code).or_else(|| accept_language.and_then(preferred)).unwrap_or_default()
    }
}

/// The language of the highest weight, the first of several; `None` where none of them is spoken. A range counts by its primary
/// subtag alone, so every Chinese is simplified Chinese. A `*` is the first language that no other range names.
fn preferred(header: &str) -> Option<Language> {
    let ranges = || header.split(',').take(RANGES_MAX).filter_map(range);
    let named = |language: Language| ranges().any(|(tag, _)| spoken(tag) == Some(language));
    let meant = |tag: &str| match tag {
        "*" => Language::ALL.into_iter().find(|language| !named(*language)),
        tag => spoken(tag),
    };
    let mut best = None;
    for (tag, weight) in ranges() {
        if weight > best.map_or(0, |(_, weight)| weight)
            && let Some(language) = meant(tag)
        {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

/// A range and its weight in thousandths; `None` for what is malformed.
fn range(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(|part| part.trim_matches([' ', '\t']));
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => {
            let (name, value) = parameter.split_once('=')?;
            weight(value).filter(|_| name.eq_ignore_ascii_case("q"))?
        }
    };
    parts.next().is_none().then_some((tag, weight))
}

/// A weight ([RFC 9110, section 12.4.2](https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2)) in thousandths: 0 to 1 with at most
/// three digits after the point.
fn weight(text: &str) -> Option<u16> {
    let (whole, after) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || after.len() > 3 || !after.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{whole}{after:0<3}").parse().ok()?;
    (thousandths <= 1000).then_some(thousandths)
}

/// The language that a tag means: tags are compared without case ([RFC 4647, section 2](https://www.rfc-editor.org/rfc/rfc4647#section-2)).
fn spoken(tag: &str) -> Option<Language> {
    let primary = |tag: &str| tag.split('-').next().map(str::to_ascii_lowercase);
    let wanted = primary(tag);
    Language::ALL.into_iter().find(|language| primary(language.code()) == wanted)
}
