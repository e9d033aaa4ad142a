//! The languages of the page beside English: gettext files in `web/languages`
//! ([the format](https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html)).

use std::collections::BTreeMap;

use super::kind::Language as Kind;

/// A language, with its texts by those of English.
pub(crate) struct Language {
    /// Its tag (RFC 5646), as in `lang`.
    pub(crate) code: &'static str,
    pub(crate) direction: &'static str,
    /// Which form a number `n` takes, as an expression of JavaScript.
    plural: String,
    /// How many forms numbers have.
    pub(crate) numbers: usize,
    texts: BTreeMap<String, Vec<String>>,
}

impl Language {
    /// A language and its file. Panics at what is no such file.
    pub(crate) fn of(kind: Kind, file: Option<&str>) -> Self {
        let (code, direction) = (kind.code(), kind.direction());
        let Some(file) = file else {
            return Self { code, direction, plural: String::new(), numbers: 2, texts: BTreeMap::new() };
        };
        let refused = |error: &dyn std::fmt::Display| -> ! { panic!("web/languages/{code}.po: {error}") };
        let catalog =
            polib::po_file::parse_from_reader(file.as_bytes()).unwrap_or_else(|error| refused(&error));
        let rules = &catalog.metadata.plural_rules;
        let plural = rules.expr.trim().to_owned();
        if !plural.chars().all(|c| c.is_ascii_digit() || "n %=!<>&|?:()".contains(c)) {
            refused(&format!("no such rule for numbers: {plural}"));
        }
        let mut texts = BTreeMap::new();
        for message in catalog.messages() {
            let mut forms = match message.msgstr_plural() {
                Ok(forms) => forms.clone(),
                Err(_) => vec![message.msgstr().unwrap_or_default().to_owned()],
            };
            // What a translator is not sure of is not shown, and neither is a text of which forms are missing.
            if message.is_fuzzy() || forms.iter().any(String::is_empty) {
                forms.clear();
            } else if message.is_plural() && forms.len() != rules.nplurals {
                refused(&format!("{} forms, and not {}: {}", forms.len(), rules.nplurals, message.msgid()));
            }
            if texts.insert(message.msgid().to_owned(), forms).is_some() {
                refused(&format!("twice: {}", message.msgid()));
            }
        }
        Self { code, direction, plural, numbers: rules.nplurals, texts }
    }

    pub(crate) fn is_english(&self) -> bool {
        self.code == "en"
    }

    /// What the scripts do in another way than in English: the file, the code there, and the one in its place. A number stands where
    /// its form has a `#`; and digits are the same in moments and in all other texts.
    pub(crate) fn rules(&self) -> Vec<(&'static str, &'static str, String)> {
        let counted = format!("forms[+({})].replace('#', n)", self.plural);
        let mut rules = vec![("text.js", "`${n} ${forms[+(n != 1)]}`", counted)];
        if self.direction == "rtl" {
            rules.push((
                "time.js",
                "navigator.language.startsWith(lang) ? navigator.language : lang",
                "`${lang}-u-nu-latn`".into(),
            ));
        }
        if self.is_english() { Vec::new() } else { rules }
    }

    /// A text, if it is translated.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.forms(key)?.first().map(String::as_str)
    }

    /// All forms of a text, if it is translated.
    pub(crate) fn forms(&self, key: &str) -> Option<&[String]> {
        self.texts.get(key).map(Vec::as_slice).filter(|forms| !forms.is_empty())
    }

    /// What the server has of it: each text with its forms, none if it is not translated, as an expression of Rust.
    pub(crate) fn catalog(&self) -> String {
        let entries: String =
            self.texts.iter().map(|(key, forms)| format!("({key:?}, &{forms:?}), ")).collect();
        format!("&[{entries}]")
    }
}
