//! [`Yaml`] to text, byte for byte as MLflow has `PyYAML` write it.
//!
//! MLflow 2.17 and 3.17 write with `CSafeDumper`, which is libyaml, in block
//! style, at the default width of 80, with unicode allowed. The rules below are
//! libyaml's as its output shows them; `tests/data/yaml_corpus.json` is that
//! output. Characters beyond the basic plane are escaped, which the dumper in
//! pure Python, used where libyaml is not installed, would not do.

use std::fmt::Write as _;

use runledger_entities::validate::python_float;

use super::{Map, Yaml, scalar};

/// Columns after which a line is folded at the next single space.
const WIDTH: usize = 80;
/// Bytes of the longest key that goes without `? `.
const SIMPLE_KEY: usize = 128;

/// The text of a mapping, with a newline at its end.
pub(crate) fn print(map: &Map) -> String {
    print_with(|emitter| {
        if map.is_empty() {
            emitter.text("{}");
        } else {
            emitter.map(map, 0);
        }
    })
}

/// The text of a whole document, as `PyYAML` prints it in block style with its keys sorted,
/// and with a newline at its end.
///
/// ```
/// use runledger_store_file::yaml::{Yaml, document};
///
/// let list = Yaml::List(vec![Yaml::Int(7), Yaml::from("7")]);
/// assert_eq!(document(&list), "- 7\n- '7'\n");
/// ```
pub fn document(value: &Yaml) -> String {
    match value {
        Yaml::Map(map) => print(map),
        Yaml::List(list) if !list.is_empty() => print_with(|emitter| emitter.list(list, 0)),
        other => print_with(|emitter| emitter.value(other, 0, false)),
    }
}

fn print_with(put: impl FnOnce(&mut Emitter)) -> String {
    let mut emitter = Emitter {
        out: String::with_capacity(512),
        column: 0,
        after_space: true,
        at_indent: true,
    };
    put(&mut emitter);
    emitter.line_break();
    emitter.out
}

struct Emitter {
    out: String,
    /// Characters of the current line.
    column: usize,
    /// Whether nothing or white space stands before.
    after_space: bool,
    /// Whether only indentation and indicators stand on the line.
    at_indent: bool,
}

impl Emitter {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            self.put(c);
        }
        self.after_space = false;
        self.at_indent = false;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.after_space = true;
    }

    fn indent(&mut self, indent: usize) {
        if !self.at_indent || self.column > indent || (self.column == indent && !self.after_space) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.after_space = true;
        self.at_indent = true;
    }

    fn space(&mut self) {
        if !self.after_space {
            self.put(' ');
        }
    }

    /// An indicator of block structure: `-` or `?`, or `:` after a long key.
    fn indicator(&mut self, c: char) {
        self.space();
        self.put(c);
        self.after_space = false;
    }

    fn map(&mut self, map: &Map, indent: usize) {
        for (key, value) in map {
            self.indent(indent);
            let shape = Shape::of(key);
            if shape.lines || key.len() > SIMPLE_KEY {
                self.indicator('?');
                self.string(key, indent + 2, false);
                self.indent(indent);
                self.indicator(':');
            } else {
                self.string(key, indent + 2, true);
                self.put(':');
                self.after_space = false;
                self.at_indent = false;
            }
            self.value(value, indent, true);
        }
    }

    fn list(&mut self, list: &[Yaml], indent: usize) {
        for item in list {
            self.indent(indent);
            self.indicator('-');
            self.value(item, indent, false);
        }
    }

    fn value(&mut self, value: &Yaml, indent: usize, in_map: bool) {
        match value {
            Yaml::Map(map) if map.is_empty() => self.flow("{}"),
            Yaml::List(list) if list.is_empty() => self.flow("[]"),
            Yaml::Map(map) => self.map(map, indent + 2),
            Yaml::List(list) => {
                // A list as the value of a key is not indented.
                let indent = if in_map && !self.at_indent {
                    indent
                } else {
                    indent + 2
                };
                self.list(list, indent);
            }
            Yaml::Null => self.flow("null"),
            Yaml::Bool(true) => self.flow("true"),
            Yaml::Bool(false) => self.flow("false"),
            Yaml::Int(number) => self.flow(&number.to_string()),
            Yaml::Float(number) => self.flow(&float(*number)),
            Yaml::Other(text) => self.flow(text),
            Yaml::Str(text) => self.string(text, indent + 2, false),
        }
    }

    fn flow(&mut self, text: &str) {
        self.space();
        self.text(text);
    }

    fn string(&mut self, text: &str, indent: usize, is_key: bool) {
        let shape = Shape::of(text);
        let fold = (!is_key).then_some(indent);
        let plain = shape.plain && !scalar::is_ambiguous(text);
        // A key cannot be spread over lines.
        let single = shape.single && !(is_key && shape.lines);
        self.space();
        if plain {
            self.plain(text, fold);
        } else if single {
            self.single_quoted(text, fold, indent);
        } else {
            self.double_quoted(text, fold);
        }
        self.after_space = false;
        self.at_indent = false;
    }

    /// Whether a line is long enough to be folded here.
    fn is_over(&self, fold: Option<usize>) -> Option<usize> {
        fold.filter(|_| self.column > WIDTH)
    }

    fn plain(&mut self, text: &str, fold: Option<usize>) {
        let mut after_blank = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let is_blank = c == ' ';
            match self.is_over(fold) {
                Some(indent) if is_blank && !after_blank && chars.peek() != Some(&' ') => {
                    self.indent(indent);
                }
                _ => {
                    self.put(c);
                    self.at_indent = false;
                }
            }
            after_blank = is_blank;
        }
    }

    fn single_quoted(&mut self, text: &str, fold: Option<usize>, indent: usize) {
        self.put('\'');
        self.at_indent = false;
        let mut first = true;
        let (mut after_blank, mut after_break) = (false, false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' {
                let inside = !first && chars.peek().is_some_and(|next| *next != ' ');
                match self.is_over(fold) {
                    Some(indent) if !after_blank && inside => self.indent(indent),
                    _ => self.put(c),
                }
                after_blank = true;
            } else if is_break(c) {
                // One more, because reading folds a single break into a space.
                if !after_break && c == '\n' {
                    self.line_break();
                }
                self.any_break(c);
                self.at_indent = true;
                after_break = true;
            } else {
                if after_break {
                    self.indent(indent);
                }
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.at_indent = false;
                (after_blank, after_break) = (false, false);
            }
            first = false;
        }
        if after_break {
            self.indent(indent);
        }
        self.put('\'');
    }

    fn any_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
    }

    fn double_quoted(&mut self, text: &str, fold: Option<usize>) {
        self.put('"');
        self.at_indent = false;
        let mut first = true;
        let mut after_blank = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' {
                match (self.is_over(fold), chars.peek()) {
                    (Some(indent), Some(next)) if !after_blank && !first => {
                        self.indent(indent);
                        if *next == ' ' {
                            self.put('\\');
                        }
                    }
                    _ => self.put(c),
                }
                after_blank = true;
            } else {
                if !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                    self.escape(c);
                } else {
                    self.put(c);
                }
                after_blank = false;
            }
            first = false;
        }
        self.put('"');
    }

    fn escape(&mut self, c: char) {
        self.put('\\');
        let short = match c {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0b' => 'v',
            '\x0c' => 'f',
            '\r' => 'r',
            '\x1b' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let before = self.out.len();
                // Writing to a string does not fail.
                let _ = match u32::from(c) {
                    code @ ..=0xff => write!(self.out, "x{code:02X}"),
                    code @ ..=0xffff => write!(self.out, "u{code:04X}"),
                    code => write!(self.out, "U{code:08X}"),
                };
                self.column += self.out.len() - before;
                return;
            }
        };
        self.put(short);
    }
}

/// Which styles a text may have.
struct Shape {
    plain: bool,
    single: bool,
    /// Whether it has line breaks.
    lines: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let (mut plain, mut single, mut lines) = (true, true, false);
        if text.starts_with("---") || text.starts_with("...") {
            plain = false;
        }
        let mut before = ' ';
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            let ends_word = chars.peek().is_none_or(|next| is_blank(*next));
            let indicates = if first {
                "#,[]{}&*!|>'\"%@`".contains(c) || (matches!(c, '-' | '?' | ':') && ends_word)
            } else {
                (c == ':' && ends_word) || (c == '#' && is_blank(before))
            };
            let edge = first || chars.peek().is_none();
            if indicates || is_break(c) || (c == ' ' && edge) {
                plain = false;
            }
            lines |= is_break(c);
            let around_break =
                !first && ((c == ' ' && is_break(before)) || (before == ' ' && is_break(c)));
            if around_break || !is_printable(c) {
                (plain, single) = (false, false);
            }
            before = c;
            first = false;
        }
        Self {
            plain,
            single,
            lines,
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\0') || is_break(c)
}

/// What libyaml prints as it is.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// A float as `PyYAML` prints it: Python's `repr`, always with a point.
fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = python_float(number);
    if text.contains('.') {
        text
    } else {
        text.replacen('e', ".0e", 1)
    }
}
