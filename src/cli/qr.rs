//! The room's URL as a QR code made of half blocks, for a phone to scan from the terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Black on white, from the fixed part of the 256-colour palette: the first 16 are whatever the terminal's
/// theme makes of them, and a code needs real contrast.
const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
const RESET: &str = "\u{1b}[0m";

/// The code, two rows of modules to a line, four modules of quiet zone around it; an onion address takes 41
/// columns and 21 lines.
///
/// With colours it is right on every background. Without, the light modules are drawn and the dark ones left
/// out, which is right on a dark background, and which many scanners read on a light one too.
///
/// `None` if the code is wider than `columns`.
pub(super) fn code(url: &str, colours: bool, columns: usize) -> Option<String> {
    // A screen is clean: the lowest level of error correction gives the smallest code.
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    if code.width() + 8 > columns {
        return None;
    }
    let (dark, light) =
        if colours { (Dense1x2::Dark, Dense1x2::Light) } else { (Dense1x2::Light, Dense1x2::Dark) };
    let picture = code.render::<Dense1x2>().dark_color(dark).light_color(light).quiet_zone(true).build();
    if !colours {
        return Some(picture);
    }
    let lines: Vec<String> = picture.lines().map(|line| format!("{BLACK_ON_WHITE}{line}{RESET}")).collect();
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    const URL: &str = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/";

    /// What a camera sees: each character as two modules of 4 by 4 pixels, `true` for ink of the foreground.
    fn scan(picture: &str, foreground: u8, background: u8) -> String {
        let rows: Vec<Vec<bool>> = picture
            .lines()
            .flat_map(|line| {
                let half = |top: bool| {
                    line.chars().map(move |block| match block {
                        '█' => true,
                        '▀' => top,
                        '▄' => !top,
                        ' ' => false,
                        other => panic!("unexpected {other:?}"),
                    })
                };
                [half(true).collect(), half(false).collect()]
            })
            .collect();
        let (width, height) = (rows[0].len() * 4, rows.len() * 4);
        let pixels: Vec<u8> = (0..width * height)
            .map(|i| if rows[i / width / 4][i % width / 4] { foreground } else { background })
            .collect();
        let mut decoder = quircs::Quirc::default();
        let codes: Vec<_> = decoder.identify(width, height, &pixels).collect();
        assert_eq!(codes.len(), 1, "one code in the picture");
        String::from_utf8(codes[0].as_ref().unwrap().decode().unwrap().payload).unwrap()
    }

    #[test]
    fn with_colours_it_scans_on_every_background() {
        let picture = code(URL, true, 80).unwrap();
        assert!(picture.lines().all(|line| line.starts_with(BLACK_ON_WHITE) && line.ends_with(RESET)));
        assert_eq!(scan(&picture.replace(BLACK_ON_WHITE, "").replace(RESET, ""), 0, 255), URL);
    }

    #[test]
    fn without_colours_it_scans_on_a_dark_background() {
        let picture = code(URL, false, 80).unwrap();
        assert!(!picture.contains('\u{1b}'));
        assert_eq!(scan(&picture, 230, 30), URL);
    }

    #[test]
    fn it_fits_a_small_terminal_or_is_left_out() {
        let with_port = URL.replace(".onion/", ".onion:65535/");
        for url in [URL, &with_port] {
            let picture = code(url, false, 41).unwrap();
            assert!(picture.lines().all(|line| line.chars().count() == 41));
            assert_eq!(picture.lines().count(), 21);
        }
        assert_eq!(code(URL, true, 40), None);
    }
}
