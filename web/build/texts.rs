//! The texts for people in the page's scripts: they are found in the syntax tree, and replaced there by those of another language.
//!
//! What is a text is told by its look: it begins with a capital letter, or has several words. What does not look like that is
//! marked by `tr('…')`, which is taken away here; `counted(n, 'day', 'days')` has the forms of a number. What looks like a text and is
//! none is in `web/languages/none.txt`, with the reason. A template's parts are `{0}`, `{1}` and so on, and may change places.

use std::collections::BTreeMap;
use std::mem;

use oxc_allocator::{Allocator, TakeIn, Vec as List};
use oxc_ast::AstBuilder;
use oxc_ast::ast::{
    Argument, BinaryExpression, CallExpression, Directive, Expression, Program, StringLiteral,
    TaggedTemplateExpression, TemplateElementValue, TemplateLiteral,
};
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_span::{GetSpan, SPAN};

use super::languages::Language;
use super::look::looks_like_text;
use super::pieces::pieces;

/// Before a part of a text, and after it, in languages that are written from right to left: its direction is its own
/// ([UAX 9](https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates)).
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// A text for people.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) key: String,
    /// Of two forms the one for several.
    pub(crate) plural: Option<String>,
    /// The file of `web/` that has it.
    pub(crate) file: String,
    /// What its parts are, as the source has them.
    pub(crate) parts: Vec<String>,
}

/// What looks like a text and is none, and whether it was come across.
pub(crate) struct Exceptions(BTreeMap<String, bool>);

impl Exceptions {
    /// One on each line, and after a tab the reason. Panics at a line without.
    pub(crate) fn of(list: &str) -> Self {
        let lines = list.lines().filter(|line| !line.starts_with('#'));
        let known = lines.map(|line| {
            let (text, _) = line
                .split_once('\t')
                .unwrap_or_else(|| panic!("web/languages/none.txt: no reason for {line}"));
            (text.to_owned(), false)
        });
        Self(known.collect())
    }

    /// Whether this is no text.
    pub(crate) fn has(&mut self, text: &str) -> bool {
        self.0.get_mut(text).map(|met| *met = true).is_some()
    }

    /// Panics if one was never come across.
    pub(crate) fn refuse_unused(&self) {
        let unused: Vec<_> = self.0.iter().filter(|(_, met)| !**met).map(|(text, _)| text).collect();
        assert!(unused.is_empty(), "web/languages/none.txt has what the page does not: {unused:?}");
    }
}

/// Puts a language in place of English, and collects the texts.
pub(crate) struct Texts<'a, 'l> {
    pub(crate) allocator: &'a Allocator,
    /// All scripts, one after the other; and where each file ends.
    pub(crate) source: &'a str,
    pub(crate) ends: &'l [(usize, String)],
    pub(crate) language: &'l Language,
    pub(crate) exceptions: &'l mut Exceptions,
    pub(crate) found: &'l mut Vec<Text>,
    /// Whether what comes next is a text, whatever it looks like.
    marked: bool,
    /// Whether the parts of the next template are elements, which have a direction of their own.
    tagged: bool,
}

impl<'a, 'l> Texts<'a, 'l> {
    pub(crate) fn new(
        allocator: &'a Allocator,
        source: &'a str,
        ends: &'l [(usize, String)],
        language: &'l Language,
        exceptions: &'l mut Exceptions,
        found: &'l mut Vec<Text>,
    ) -> Self {
        Self { allocator, source, ends, language, exceptions, found, marked: false, tagged: false }
    }

    pub(crate) fn replace(&mut self, program: &mut Program<'a>) {
        self.visit_program(program);
    }

    fn note(&mut self, key: &str, plural: Option<&str>, place: u32, parts: Vec<String>) {
        let file = self.ends.iter().find(|(end, _)| (place as usize) < *end).map(|(_, file)| file.clone());
        let file = file.expect("a text is in a file");
        self.found.push(Text { key: key.to_owned(), plural: plural.map(str::to_owned), file, parts });
    }

    /// Whether this is a text for people.
    fn is_text(&mut self, text: &str) -> bool {
        mem::take(&mut self.marked) || (looks_like_text(text) && !self.exceptions.has(text))
    }

    fn string(&self, text: &str) -> StringLiteral<'a> {
        AstBuilder::new(self.allocator).string_literal(SPAN, self.allocator.alloc_str(text), None)
    }

    /// The forms of what is counted; in other languages than English with `#` in place of the number.
    fn counted(&mut self, call: &mut CallExpression<'a>) {
        let place = call.span.start;
        let forms: Vec<_> = call
            .arguments
            .iter()
            .skip(1)
            .map(|form| match form {
                Argument::StringLiteral(form) => form.value.to_string(),
                _ => panic!("counted() is given words: {}", call.span.source_text(self.source)),
            })
            .collect();
        let [one, many] = &forms[..] else { panic!("counted() is given two forms") };
        self.note(one, Some(many), place, vec![]);
        if self.language.is_english() {
            return;
        }
        // Where they are not translated, all are that for several.
        let forms = match self.language.forms(one) {
            Some(forms) => forms.to_vec(),
            None => vec![many.clone(); self.language.numbers],
        };
        call.arguments.truncate(1);
        for form in forms {
            let form = if form.contains("{0}") { form.replace("{0}", "#") } else { format!("# {form}") };
            call.arguments.push(Argument::StringLiteral(oxc_allocator::Box::new_in(
                self.string(&form),
                self.allocator,
            )));
        }
    }
}

impl<'a> VisitMut<'a> for Texts<'a, '_> {
    fn visit_expression(&mut self, expression: &mut Expression<'a>) {
        if let Expression::CallExpression(call) = expression
            && call.callee.is_specific_id("tr")
        {
            self.marked = true;
            let text = call.arguments[0].to_expression_mut().take_in(self.allocator);
            *expression = text;
        }
        walk_mut::walk_expression(self, expression);
        assert!(!self.marked, "tr() is given a text: {}", expression.span().source_text(self.source));
    }

    fn visit_call_expression(&mut self, call: &mut CallExpression<'a>) {
        let name = match &call.callee {
            Expression::Identifier(callee) => callee.name.as_str(),
            Expression::StaticMemberExpression(callee) => callee.property.name.as_str(),
            _ => "",
        };
        // Tags, classes, selectors and styles.
        let none: &[usize] = match name {
            "counted" => {
                self.counted(call);
                &[1, 2, 3, 4, 5, 6]
            }
            "make" => &[0, 1],
            "button" => &[2],
            "style" | "querySelector" | "querySelectorAll" | "closest" | "addEventListener" => &[0],
            _ => &[],
        };
        self.visit_expression(&mut call.callee);
        for (place, argument) in call.arguments.iter_mut().enumerate() {
            if !none.contains(&place) {
                self.visit_argument(argument);
            }
        }
    }

    fn visit_directive(&mut self, _: &mut Directive<'a>) {}

    /// What is compared is no text.
    fn visit_binary_expression(&mut self, binary: &mut BinaryExpression<'a>) {
        for side in [&mut binary.left, &mut binary.right] {
            if !(binary.operator.is_equality() && side.is_string_literal()) {
                self.visit_expression(side);
            }
        }
    }

    fn visit_string_literal(&mut self, literal: &mut StringLiteral<'a>) {
        let value = literal.value.as_str();
        let key = value.trim();
        if !self.is_text(key) {
            return;
        }
        self.note(key, None, literal.span.start, vec![]);
        if let Some(text) = self.language.text(key) {
            let whole = value.replacen(key, text, 1);
            *literal = self.string(&whole);
        }
    }

    fn visit_tagged_template_expression(&mut self, tagged: &mut TaggedTemplateExpression<'a>) {
        self.tagged = true;
        walk_mut::walk_tagged_template_expression(self, tagged);
    }

    fn visit_template_literal(&mut self, template: &mut TemplateLiteral<'a>) {
        let elements = mem::take(&mut self.tagged);
        let mut whole = String::new();
        for (place, part) in template.quasis.iter().enumerate() {
            whole += part.value.cooked.as_ref().map_or("", |text| text.as_str());
            if !part.tail {
                whole += &format!("{{{place}}}");
            }
        }
        let key = whole.trim();
        if self.is_text(key) {
            let parts =
                template.expressions.iter().map(|part| part.span().source_text(self.source).to_owned());
            let parts = parts.collect();
            self.note(key, None, template.span.start, parts);
            if let Some(text) = self.language.text(key) {
                let whole = whole.replacen(key, text, 1);
                self.put_template(template, &whole, !elements && self.language.direction == "rtl");
            }
        }
        walk_mut::walk_template_literal(self, template);
    }
}

impl<'a> Texts<'a, '_> {
    /// Writes a template anew, with the same parts where the text has them.
    fn put_template(&self, template: &mut TemplateLiteral<'a>, text: &str, isolated: bool) {
        let build = AstBuilder::new(self.allocator);
        let mut parts: Vec<_> = mem::replace(&mut template.expressions, List::new_in(self.allocator))
            .into_iter()
            .map(Some)
            .collect();
        let mut quasis = vec![String::new()];
        for piece in pieces(text) {
            match piece {
                Ok(text) => quasis.last_mut().expect("there is one").push_str(text),
                Err(number) => {
                    let part = parts.get_mut(number).and_then(Option::take);
                    template.expressions.push(part.unwrap_or_else(|| panic!("a part is there once: {text}")));
                    let [before, after] =
                        ISOLATE.map(|mark| if isolated { mark.to_string() } else { String::new() });
                    quasis.last_mut().expect("there is one").push_str(&before);
                    quasis.push(after);
                }
            }
        }
        assert!(parts.iter().all(Option::is_none), "a translation has all parts: {text}");
        let last = quasis.len() - 1;
        template.quasis = List::from_iter_in(
            quasis.iter().enumerate().map(|(place, text)| {
                let text = self.allocator.alloc_str(text);
                let value = TemplateElementValue { raw: text.into(), cooked: Some(text.into()) };
                build.template_element(SPAN, value, place == last, true)
            }),
            self.allocator,
        );
    }
}
