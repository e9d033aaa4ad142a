//! Pictures for the documentation: SVG by hand, which follows the reader's choice of light or dark.

use std::fmt::{Arguments, Write};

const STYLE: &str = "\
    svg { --paper: #fff; --ink: #1f2328; --soft: #5c6570; --line: #d8dee4; --tor: #7d4698; --near: #0a7a5c; }\n\
    @media (prefers-color-scheme: dark) { svg { --paper: #16181d; --ink: #e6e8eb; --soft: #9aa4af; \
    --line: #343a43; --tor: #c79be0; --near: #54c8a6; } }\n\
    text { font: 13px system-ui, sans-serif; fill: var(--ink); }\n\
    .head { font-weight: 600; } .soft { fill: var(--soft); font-size: 12px; } .end { text-anchor: end; }\n\
    .middle { text-anchor: middle; } .paper { fill: var(--paper); } .line { stroke: var(--line); }\n\
    .tor { fill: var(--tor); stroke: var(--tor); } .near { fill: var(--paper); stroke: var(--near); }\n\
    .tor, .near { stroke-width: 2; } .bar { fill: var(--tor); }\n";

/// A picture that is being drawn.
#[derive(Default)]
pub(crate) struct Svg(String);

impl Svg {
    /// An empty sheet; `title` is what a screen reader says.
    pub(crate) fn begin(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self::default();
        svg.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>"
        ));
        svg
    }

    /// The finished text.
    pub(crate) fn end(mut self) -> String {
        self.put(format_args!("</svg>"));
        self.0
    }

    /// One element.
    pub(crate) fn put(&mut self, element: Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{element}");
    }

    /// Words.
    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, words: &str) {
        self.put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{words}</text>"));
    }
}
