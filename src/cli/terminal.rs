//! Standard output and standard error, each a terminal or not.
//!
//! Everything that is printed while a progress bar may be shown goes through here, logs too, so that nothing is
//! written into the middle of the bar.

use std::env;
use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use textwrap::{Options, WordSeparator, WordSplitter};
use tracing_subscriber::fmt::MakeWriter;

/// Both outputs of this process. Clones share the progress bar.
#[derive(Debug, Clone)]
pub(super) struct Terminal {
    /// Standard output.
    pub(super) out: Output,
    /// Standard error.
    pub(super) err: Output,
    bars: MultiProgress,
}

/// The capabilities of one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Output {
    /// Whether it is a terminal; otherwise a file, a pipe or a service's log, which gets plain lines.
    pub(super) is_terminal: bool,
    /// Whether escape sequences for colours and weight may be used.
    pub(super) colours: bool,
    /// Its width in columns.
    pub(super) columns: usize,
}

impl Output {
    /// Not a terminal: plain lines of any length.
    pub(super) const PLAIN: Output = Output { is_terminal: false, colours: false, columns: usize::MAX };

    fn of(stream: &impl IsTerminal, size: Option<(terminal_size::Width, terminal_size::Height)>) -> Self {
        // A terminal that calls itself dumb cannot move its cursor, so it cannot show a bar.
        if !stream.is_terminal() || env::var_os("TERM").is_some_and(|kind| kind == "dumb") {
            return Self::PLAIN;
        }
        // https://no-color.org: set and not empty.
        let colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let columns = size.map_or(80, |(width, _)| usize::from(width.0).max(20));
        Self { is_terminal: true, colours, columns }
    }
}

impl Terminal {
    /// The outputs of this process.
    pub(super) fn of_this_process() -> Self {
        let out = Output::of(&io::stdout(), terminal_size::terminal_size_of(io::stdout()));
        let err = Output::of(&io::stderr(), terminal_size::terminal_size_of(io::stderr()));
        let target =
            if err.is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { out, err, bars: MultiProgress::with_draw_target(target) }
    }

    /// Prints lines to standard output. A closed pipe is ignored.
    pub(super) fn print(&self, text: &str) {
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        });
    }

    /// Prints a blank line, a text, and under it a line to copy, which is never wrapped.
    pub(super) fn paragraph(&self, words: &str, to_copy: &str) {
        self.print(&format!("\n{}\n  {to_copy}", wrap(words, "  ", self.out.columns)));
    }

    /// Prints lines to standard error.
    pub(super) fn eprint(&self, text: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(io::stderr().lock(), "{text}");
        });
    }

    /// Shows a progress bar, until it is finished and cleared.
    pub(super) fn show(&self, bar: ProgressBar) -> ProgressBar {
        self.bars.add(bar)
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { terminal: self, bytes: Vec::new() }
    }
}

/// One event of the log: collected, then written at once, above the progress bar.
#[derive(Debug)]
pub(super) struct Line<'a> {
    terminal: &'a Terminal,
    bytes: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.terminal.bars.suspend(|| {
            let _ = io::stderr().lock().write_all(&self.bytes);
        });
    }
}

/// Wraps a text into indented lines of at most `columns` columns, between words; a longer word, such as an onion
/// address, is left whole, so that it can be copied.
pub(super) fn wrap(text: &str, indent: &str, columns: usize) -> String {
    if text.is_empty() {
        return String::new();
    }
    let options = Options::new(columns)
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrap("one two three", "  ", 9), "  one two\n  three");
        assert_eq!(wrap("a http://long.onion/ b", "", 6), "a\nhttp://long.onion/\nb");
        assert_eq!(wrap("all on one line", "", usize::MAX), "all on one line");
        assert_eq!(wrap("", "  ", 9), "");
    }
}
