//! Emoji in names: whole sequences as [UTS 51](https://www.unicode.org/reports/tr51/#Emoji_Sequences) has them, and no
//! part of one by itself.

use unicode_properties::UnicodeEmoji;
use unicode_properties::emoji::EmojiStatus;

/// ZERO WIDTH JOINER, between the elements of a sequence.
const JOINER: char = '\u{200d}';

/// VARIATION SELECTOR-16: the character before it is shown as an emoji.
pub(super) const EMOJI_SELECTOR: char = '\u{fe0f}';

/// COMBINING ENCLOSING KEYCAP.
const KEYCAP: char = '\u{20e3}';

/// The regions that have a flag (UTS 51, ED-14; emoji-sequences.txt, `RGI_Emoji_Flag_Sequence`, of Unicode 17). Other
/// pairs of regional indicators are shown as two letters.
const FLAGS: &str = "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CQ CR CU CV CW CX CY CZ DE DG DJ DK DM DO DZ EA EC EE EG \
    EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU IC ID \
    IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD \
    ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH \
    PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC \
    TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// The subdivisions that have a flag (emoji-sequences.txt, `RGI_Emoji_Tag_Sequence`): England, Scotland, Wales.
const TAGGED_FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// The emoji at the beginning of `text`, as a whole sequence: how many characters it takes, and the sequence with the
/// selectors that belong into it (UTS 51, ED-17a, fully qualified). `text` has no variation selectors.
///
/// Emoji that are letters or words in a frame are none here: 🅰, 🆗, 🈁, ©, ℹ. Nor are the
/// keycaps of # and *, which leave nothing to compare names by.
pub(super) fn sequence(text: &[char]) -> Option<(usize, String)> {
    if let Some(whole) = keycap(text).or_else(|| flag(text)).or_else(|| tagged_flag(text)) {
        return Some(whole);
    }
    let (mut taken, mut whole) = element(text)?;
    while text.get(taken) == Some(&JOINER) {
        let (more, next) = element(&text[taken + 1..])?;
        whole.push(JOINER);
        whole.push_str(&next);
        taken += 1 + more;
    }
    Some((taken, whole))
}

/// Whether a character is a skin tone (UTS 51, ED-11).
pub(super) fn is_modifier(character: char) -> bool {
    character.emoji_status() == EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent
}

/// Whether a character belongs to emoji sequences and shows nothing of its own beside the picture.
pub(super) fn is_invisible_part(character: char) -> bool {
    matches!(character, JOINER | EMOJI_SELECTOR | KEYCAP)
}

fn keycap(text: &[char]) -> Option<(usize, String)> {
    match text {
        [key @ '0'..='9', KEYCAP, ..] => Some((2, [*key, EMOJI_SELECTOR, KEYCAP].iter().collect())),
        _ => None,
    }
}

fn flag(text: &[char]) -> Option<(usize, String)> {
    let letter = |character: char| match character {
        '\u{1f1e6}'..='\u{1f1ff}' => {
            char::from_u32(u32::from('A') + u32::from(character) - u32::from('\u{1f1e6}'))
        }
        _ => None,
    };
    let [first, second, ..] = text else { return None };
    let region = String::from_iter([letter(*first)?, letter(*second)?]);
    let known = FLAGS.split(' ').any(|flag| flag == region);
    known.then(|| (2, String::from_iter([*first, *second])))
}

fn tagged_flag(text: &[char]) -> Option<(usize, String)> {
    let tag = |letter: char| char::from_u32(0xe0000 + u32::from(letter));
    TAGGED_FLAGS.iter().find_map(|subdivision| {
        let tags = subdivision.chars().filter_map(tag).chain(['\u{e007f}']);
        let whole: Vec<char> = std::iter::once('\u{1f3f4}').chain(tags).collect();
        text.starts_with(&whole).then(|| (whole.len(), whole.into_iter().collect()))
    })
}

/// One picture, with its skin tone.
fn element(text: &[char]) -> Option<(usize, String)> {
    use EmojiStatus::{EmojiModifierBase, EmojiOther, EmojiPresentationAndModifierBase};
    let picture = *text.first().filter(|character| is_picture(**character))?;
    let status = picture.emoji_status();
    let is_base = matches!(status, EmojiModifierBase | EmojiPresentationAndModifierBase);
    match text.get(1) {
        Some(tone) if is_base && is_modifier(*tone) => Some((2, String::from_iter([picture, *tone]))),
        _ if matches!(status, EmojiModifierBase | EmojiOther) => {
            Some((1, String::from_iter([picture, EMOJI_SELECTOR])))
        }
        _ => Some((1, picture.to_string())),
    }
}

fn is_picture(character: char) -> bool {
    character.is_emoji_char()
        && !is_modifier(character)
        // What comes before the arrows is ASCII and letterlike; the rest are letters, numbers and words in frames.
        && !matches!(character, '\0'..'\u{2190}' | '\u{2460}'..='\u{24ff}' | '\u{3000}'..='\u{33ff}')
        && !matches!(character, '\u{1f100}'..='\u{1f2ff}')
}
