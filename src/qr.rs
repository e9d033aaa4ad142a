//! QR codes of links, for a phone to scan: from the terminal, made of half blocks, and from a page, as a drawing.

use std::fmt::Write;

use qrcode::render::unicode::Dense1x2;
use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;

/// The longest text of a [`Drawing`], in bytes.
pub const TEXT_BYTES_MAX: usize = 512;

/// The light modules around a code.
const QUIET_ZONE: usize = 4;

/// Black on white, from the fixed part of the 256-colour palette: the first 16 are whatever the terminal's
/// theme makes of them, and a code needs real contrast.
const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
const RESET: &str = "\u{1b}[0m";

/// A code as the data of an SVG path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drawing {
    /// Width and height in modules, with the quiet zone.
    pub size: usize,
    /// The dark modules as lines one unit thick, whose middle is at a whole number: for a view that begins at 0 and -0.5.
    pub path: String,
}

impl Drawing {
    /// The code of a text.
    ///
    /// `None` if the text is empty or longer than [`TEXT_BYTES_MAX`].
    pub fn of(text: &str) -> Option<Self> {
        if !(1..=TEXT_BYTES_MAX).contains(&text.len()) {
            return None;
        }
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let (width, mut path) = (code.width(), String::new());
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|one, next| one == next) {
                if run[0] == Color::Dark {
                    let _ = write!(path, "M{} {}h{}", x + QUIET_ZONE, y + QUIET_ZONE, run.len());
                }
                x += run.len();
            }
        }
        Some(Self { size: width + 2 * QUIET_ZONE, path })
    }
}

/// The code, two rows of modules to a line, four modules of quiet zone around it; an onion address takes 41
/// columns and 21 lines.
///
/// With colours it is right on every background. Without, the light modules are drawn and the dark ones left
/// out, which is right on a dark background, and which many scanners read on a light one too.
///
/// `None` if the code is wider than `columns`.
pub fn code(url: &str, colours: bool, columns: usize) -> Option<String> {
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

    /// What a camera sees of pixels.
    fn read(width: usize, pixels: &[u8]) -> String {
        let mut decoder = quircs::Quirc::default();
        let codes: Vec<_> = decoder.identify(width, pixels.len() / width, pixels).collect();
        assert_eq!(codes.len(), 1, "one code in the picture");
        String::from_utf8(codes[0].as_ref().unwrap().decode().unwrap().payload).unwrap()
    }

    /// A path drawn as a browser does, 4 by 4 pixels to a module.
    fn drawn(Drawing { size, path }: &Drawing) -> Vec<u8> {
        let mut pixels = vec![255; size * size * 16];
        for line in path.split('M').skip(1) {
            let numbers: Vec<usize> = line.split([' ', 'h']).map(|number| number.parse().unwrap()).collect();
            let [x, y, length] = numbers[..] else { panic!("{line}") };
            assert!(
                x >= QUIET_ZONE
                    && x + length <= size - QUIET_ZONE
                    && (QUIET_ZONE..size - QUIET_ZONE).contains(&y)
            );
            for row in y * 4..y * 4 + 4 {
                pixels[row * size * 4 + x * 4..][..length * 4].fill(0);
            }
        }
        pixels
    }

    #[test]
    fn a_drawing_scans() {
        let link = format!("{URL}#invite={}", "w4-_".repeat(11).split_at(43).0);
        for text in [URL, &link, "a", &"x".repeat(TEXT_BYTES_MAX)] {
            let drawing = Drawing::of(text).unwrap();
            assert_eq!(read(drawing.size * 4, &drawn(&drawing)), text);
        }
        let Drawing { size, path } = Drawing::of(&link).unwrap();
        assert!(size <= 53 && path.len() < 6000, "{size} modules, {} bytes", path.len());
        assert_eq!(Drawing::of(""), None);
        assert_eq!(Drawing::of(&"x".repeat(TEXT_BYTES_MAX + 1)), None);
    }

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
        read(width, &pixels)
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
