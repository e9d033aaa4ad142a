//! The languages.

/// A language that the room speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, in which all texts are written.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Persian.
    Persian,
    /// Russian.
    Russian,
    /// Arabic.
    Arabic,
    /// Chinese in simplified characters.
    Chinese,
}

impl Language {
    /// All of them: English, and then in the order of the catalog.
    pub const ALL: [Self; 8] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Persian,
        Self::Russian,
        Self::Arabic,
        Self::Chinese,
    ];

    /// The tag of the language ([RFC 5646](https://www.rfc-editor.org/rfc/rfc5646)), as it stands in `lang` and in the cookie.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Persian => "fa",
            Self::Russian => "ru",
            Self::Arabic => "ar",
            Self::Chinese => "zh-Hans",
        }
    }

    /// The language with this tag, as [`Language::code`] writes it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The direction in which it is written: `ltr` or `rtl`.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::Persian | Self::Arabic => "rtl",
            _ => "ltr",
        }
    }

    /// What the language calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::French => "Français",
            Self::Spanish => "Español",
            Self::Persian => "فارسی",
            Self::Russian => "Русский",
            Self::Arabic => "العربية",
            Self::Chinese => "简体中文",
        }
    }
}
