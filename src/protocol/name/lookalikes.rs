//! Characters and pairs that look alike at the size of a name and that the skeletons of
//! [UTS 39](https://www.unicode.org/reports/tr39/#Confusable_Detection) do not unite.

/// Pairs that are read as one letter, as they are typed: `vv` is read as `w`, `Cl` is not read as `D`. They come after
/// the skeleton, which makes `l` of `I`, `1` and `|`, and `rn` of `m`.
const PAIRS: [(&str, &str); 5] = [("vv", "w"), ("VV", "w"), ("vV", "w"), ("Vv", "w"), ("cl", "d")];

/// Letters and digits after case folding, by what they are read as. Letters of other scripts are here for names that
/// are in that script as a whole: others are refused.
const LETTERS: [(char, &str); 113] = [
    // Digits, and the letter that is a stroke.
    ('0', "o"),
    ('1', "l"),
    ('2', "z"),
    ('5', "s"),
    ('8', "b"),
    ('i', "l"),
    ('ı', "l"),
    // Latin with a hook, a tail or turned.
    ('ɓ', "b"),
    ('ɗ', "d"),
    ('ɖ', "d"),
    ('ə', "e"),
    ('ɛ', "e"),
    ('ǝ', "e"),
    ('ɠ', "g"),
    ('ɣ', "y"),
    ('ɩ', "l"),
    ('ƙ', "k"),
    ('ɲ', "n"),
    ('ŋ', "n"),
    ('ɔ', "o"),
    ('ƥ', "p"),
    ('ƭ', "t"),
    ('ʋ', "u"),
    ('ƴ', "y"),
    ('þ', "p"),
    ('đ', "d"),
    ('ħ', "h"),
    ('ł', "l"),
    ('ø', "o"),
    ('ŧ', "t"),
    ('ð', "d"),
    ('ʉ', "u"),
    ('ʒ', "3"),
    ('ȝ', "3"),
    // What skeletons make of small Cyrillic and Greek letters: small capitals and the like.
    ('ʙ', "b"),
    ('ƅ', "b"),
    ('ꞓ', "e"),
    ('ʜ', "h"),
    ('ĸ', "k"),
    ('ʍ', "m"),
    ('ᴛ', "t"),
    ('ᴎ', "u"),
    ('ɜ', "3"),
    // The other small capitals, by their names in UnicodeData.txt (LATIN LETTER SMALL CAPITAL A).
    ('ᴀ', "a"),
    ('ᴄ', "c"),
    ('ᴅ', "d"),
    ('ᴇ', "e"),
    ('ꜰ', "f"),
    ('ɢ', "g"),
    ('ɪ', "l"),
    ('ᴊ', "j"),
    ('ᴋ', "k"),
    ('ʟ', "l"),
    ('ᴍ', "m"),
    ('ɴ', "n"),
    ('ᴏ', "o"),
    ('ᴘ', "p"),
    ('ꞯ', "q"),
    ('ʀ', "r"),
    ('ꜱ', "s"),
    ('ᴜ', "u"),
    ('ᴠ', "v"),
    ('ᴡ', "w"),
    ('ʏ', "y"),
    ('ᴢ', "z"),
    // Cyrillic: small letters that have the shape of Latin capitals, or of other small ones.
    ('в', "b"),
    ('г', "r"),
    ('з', "3"),
    ('и', "u"),
    ('к', "k"),
    ('қ', "k"),
    ('м', "m"),
    ('н', "h"),
    ('п', "n"),
    ('ц', "u"),
    ('т', "t"),
    ('ш', "w"),
    ('щ', "w"),
    ('ь', "b"),
    ('ы', "bl"),
    ('і', "l"),
    // Greek.
    ('α', "a"),
    ('β', "b"),
    ('γ', "y"),
    ('ε', "e"),
    ('ζ', "z"),
    ('η', "n"),
    ('ι', "l"),
    ('κ', "k"),
    ('μ', "u"),
    ('ν', "v"),
    ('π', "n"),
    ('ρ', "p"),
    ('τ', "t"),
    ('υ', "u"),
    ('χ', "x"),
    ('ω', "w"),
    // Arabic: the letters that Arabic, Persian and Urdu keyboards have for one.
    ('ى', "ی"),
    ('ي', "ی"),
    ('ك', "ک"),
    // Katakana, after Hiragana and Han.
    ('ヘ', "へ"),
    ('リ', "り"),
    ('ー', "一"),
    ('エ', "工"),
    ('カ', "力"),
    ('タ', "夕"),
    ('ト', "卜"),
    ('ニ', "二"),
    ('ハ', "八"),
    ('ロ', "口"),
    // Emoji.
    ('⭕', "o"),
    ('❌', "x"),
    ('✖', "x"),
];

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz";

/// How many of them are ASCII; they come first.
const ASCII_LETTERS: usize = 6;

/// What a character is read as, if that is another.
pub(super) fn letter(character: char) -> Option<&'static str> {
    // Negative circled and squared capitals, which Unicode does not decompose; they stand in the order of the alphabet.
    if let Some(place) = place_among(character, '🅐').or_else(|| place_among(character, '🅰')) {
        return ALPHABET.get(place..=place);
    }
    // Most characters of most texts are ASCII, and of those only the first are here.
    let among = if character.is_ascii() { &LETTERS[..ASCII_LETTERS] } else { &LETTERS[ASCII_LETTERS..] };
    among.iter().find(|(from, _)| *from == character).map(|(_, to)| *to)
}

/// The place of a character among the 26 that begin with this one.
fn place_among(character: char, first: char) -> Option<usize> {
    u32::from(character).checked_sub(u32::from(first)).filter(|place| *place < 26).map(|place| place as usize)
}

/// The text with each pair replaced by the letter that it is read as.
pub(super) fn replace_pairs(text: &str) -> String {
    PAIRS.iter().fold(text.to_owned(), |text, (pair, letter)| text.replace(pair, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_comes_first() {
        assert!(
            LETTERS.iter().enumerate().all(|(place, (from, _))| from.is_ascii() == (place < ASCII_LETTERS))
        );
    }
}
