//! A search: what is looked for, and whether a text has it.
//!
//! Neither case nor accents count, nor which of several compatible characters is written ([`Folder`]). Several words must all be in a
//! text, in any order and also as parts of words; a phrase in quotation marks as it is, but for how much space is in it.

use caseless::Caseless;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, compose};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::id::GuestId;
use super::json::{self, optional_number, optional_number_within as within};
use super::refusal::{Code, Refusal};
use super::{NUMBER_LIMIT, SEARCH_BYTES_MAX, SEARCH_DEFAULT, SEARCH_MAX, SEARCH_TERMS_MAX};

/// What begins and ends a phrase. Phones write the others.
const QUOTES: [char; 4] = ['"', '“', '”', '„'];

/// A request for the messages that have something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// What they have.
    pub query: Query,
    /// Only those of this guest.
    pub from: Option<GuestId>,
    /// Only those with lower sequence numbers than this.
    pub before: Option<u64>,
    /// At most so many of the newest of them, from 1 to [`SEARCH_MAX`].
    pub limit: usize,
}

impl SearchRequest {
    /// Reads the members of a frame or of a body.
    ///
    /// # Errors
    /// `missing_field`, `wrong_kind`, `text_empty` or `text_too_long`.
    pub(super) fn from_members(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let from = optional_number(members, "from")?.map(GuestId);
        let text = match from {
            Some(_) => json::optional_text(members, "text")?.unwrap_or_default(),
            None => json::text(members, "text")?,
        };
        Ok(Self {
            query: Query::parse(text, from.is_some())?,
            from,
            before: within(members, "before", 1..=NUMBER_LIMIT - 1)?,
            limit: within(members, "limit", 1..=SEARCH_MAX)?.unwrap_or(SEARCH_DEFAULT) as usize,
        })
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// As a frame's members.
    pub fn from_body(text: &str) -> Result<Self, Refusal> {
        Self::from_members(&json::object("The body", text)?)
    }
}

/// What a text must have: words and phrases, folded. None if all texts have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Vec<String>);

impl Query {
    /// Reads what a guest has typed, of at most [`SEARCH_BYTES_MAX`] bytes and [`SEARCH_TERMS_MAX`] words and phrases; what has
    /// no letters once it is folded looks for all messages, where that is `allowed`. A phrase that is not closed ends with the text.
    ///
    /// # Errors
    /// `text_empty` or `text_too_long`.
    pub fn parse(text: &str, allows_all: bool) -> Result<Self, Refusal> {
        let too_long = |sentence: String| Err(Refusal::new(Code::TextTooLong, sentence));
        if text.len() > SEARCH_BYTES_MAX {
            let bytes = text.len();
            return too_long(format!("A search has at most {SEARCH_BYTES_MAX} bytes; this one has {bytes}."));
        }
        let (mut terms, mut folder) = (Vec::<String>::new(), Folder::default());
        for (place, part) in text.split(QUOTES).enumerate() {
            // Each second part is between quotation marks.
            let words = (place % 2 == 0).then(|| part.split_whitespace());
            let phrase = (place % 2 == 1).then_some(part);
            for term in words.into_iter().flatten().chain(phrase) {
                let term = folder.fold(term).trim();
                if !term.is_empty() && !terms.iter().any(|known| known == term) {
                    terms.push(term.to_owned());
                }
            }
        }
        if terms.len() > SEARCH_TERMS_MAX {
            return too_long(format!("A search has at most {SEARCH_TERMS_MAX} words and phrases."));
        }
        if terms.is_empty() && !allows_all {
            return Err(Refusal::new(Code::TextEmpty, "A search needs a word to look for."));
        }
        Ok(Self(terms))
    }

    /// Whether a text has all of it.
    pub fn is_in(&self, text: &str, folder: &mut Folder) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let folded = folder.fold(text);
        self.0.iter().all(|term| folded.contains(term.as_str()))
    }
}

/// Folds texts for a search, and remembers how for each character: three megabytes at most.
#[derive(Default)]
pub struct Folder {
    /// By the character's number without its last bits; empty until there is a character beyond ASCII.
    blocks: Vec<Option<Box<Block>>>,
    used: usize,
    folded: String,
}

/// How characters that follow each other are folded.
type Block = [Option<Box<str>>; BLOCK];

/// How many characters a block has.
const BLOCK: usize = 128;

/// How many blocks are remembered at most: as many as the Basic Multilingual Plane has.
const BLOCKS_MAX: usize = 0x1_0000 / BLOCK;

impl Folder {
    /// The text without case, accents and compatibility forms, with one space where it has some. It is what the compatibility
    /// caseless match compares (The Unicode Standard, section 3.13, D146), without marks.
    pub fn fold(&mut self, text: &str) -> &str {
        self.folded.clear();
        for character in text.chars() {
            if character.is_ascii_graphic() {
                self.folded.push(character.to_ascii_lowercase());
                continue;
            }
            let block = Self::block(&mut self.blocks, &mut self.used, character);
            let unknown;
            let folded = match block.map(|block| &mut block[character as usize % BLOCK]) {
                Some(known) => &**known.get_or_insert_with(|| fold_one(character)),
                None => {
                    unknown = fold_one(character);
                    &*unknown
                }
            };
            append(folded, &mut self.folded);
        }
        &self.folded
    }

    /// The block of a character; `None` if it would be one too many.
    fn block<'a>(
        blocks: &'a mut Vec<Option<Box<Block>>>,
        used: &mut usize,
        character: char,
    ) -> Option<&'a mut Block> {
        if blocks.is_empty() {
            blocks.resize_with(char::MAX as usize / BLOCK + 1, || None);
        }
        let block = &mut blocks[character as usize / BLOCK];
        if block.is_none() && *used < BLOCKS_MAX {
            *used += 1;
            *block = Some(Box::new([const { None }; BLOCK]));
        }
        block.as_deref_mut()
    }
}

/// One character without case, accents and compatibility forms. To fold a text is to fold each of its characters: what would be put
/// in another order, marks, is left out.
fn fold_one(character: char) -> Box<str> {
    let folded = [character].into_iter().nfd().default_case_fold().nfkd().default_case_fold().nfkd();
    let (mut out, mut text) = (String::new(), [0; 4]);
    for character in folded.filter(|character| !is_overlooked(*character)) {
        let character = if character.is_whitespace() { ' ' } else { character };
        append(character.encode_utf8(&mut text), &mut out);
    }
    out.into()
}

/// Appends what was folded: no space after a space, and a voiced mark of kana as one character with what it stands behind, which would
/// be found without it otherwise.
fn append(folded: &str, out: &mut String) {
    let mut rest = folded.chars();
    match rest.next() {
        Some(' ') if out.ends_with(' ') => out.push_str(rest.as_str()),
        Some(mark @ ('\u{3099}' | '\u{309a}')) => {
            let voiced = out.chars().next_back().and_then(|last| compose(last, mark));
            match voiced {
                Some(voiced) => {
                    out.pop();
                    out.push(voiced);
                }
                None => out.push(mark),
            }
            out.push_str(rest.as_str());
        }
        _ => out.push_str(folded),
    }
}

/// Whether a character makes no difference: an accent, a vowel point, or what is not seen.
fn is_overlooked(character: char) -> bool {
    if character.general_category_group() == GeneralCategoryGroup::Mark {
        // Accents and points have a class. Signs for vowels have none; without the voiced mark of kana and without virama (UAX 44,
        // table 15) it would be another word.
        let is_variation = matches!(
            character,
            '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        );
        return is_variation || !matches!(canonical_combining_class(character), 0 | 8 | 9);
    }
    // Joiners, marks of direction, soft hyphens; and what stretches a word, and is no letter.
    character.general_category() == GeneralCategory::Format || character == '\u{640}'
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
