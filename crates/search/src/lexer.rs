//! Characters into tokens.
//!
//! The tokens are those of `sqlparse` 0.5 and 0.6, which MLflow reads filters
//! with, as far as they decide whether a filter is accepted: quoted forms,
//! words, numbers, operators. What the tokens mean together is left to
//! [`crate::grammar`].

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A bare word, or one in backticks or square brackets.
    Name,
    /// A word in double quotes.
    Symbol,
    /// A text in single quotes.
    Text,
    /// `12`, `-3`
    Integer,
    /// `1.5`, `.5`, `-1e-3`
    Float,
    /// `?`, `%s`, `:x`, `$x`
    Placeholder,
    /// `AND`
    And,
    /// `NOT`
    Not,
    /// `NOT NULL`
    NotNull,
    /// `NULL`
    Null,
    /// `IN`
    In,
    /// `IS`
    Is,
    /// Another word of the language, such as `OR`.
    Keyword,
    /// `ASC`, `DESC`, with or without `NULLS FIRST` and `NULLS LAST`
    Direction,
    /// `=`, `!=`, `<`, `LIKE`, `NOT LIKE`, …
    Comparator,
    /// `+`, `-`, `/`, …
    Operator,
    /// `->`, `->>`
    Arrow,
    /// `*`
    Star,
    /// `::`
    Cast,
    /// `.`
    Dot,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenSquare,
    /// `]`
    CloseSquare,
    /// To the end of the line, from `--` or `# `.
    LineComment,
    /// `/* … */`
    BlockComment,
    /// Space between tokens.
    Space,
    /// Anything else, such as a quote that is not closed.
    Other,
}

/// Splits a text into tokens; together they cover all of it.
pub(crate) fn tokens(source: &str) -> Vec<(Token, Range<usize>)> {
    let mut tokens = Vec::new();
    let mut start = 0;
    // Known once, so that many openings of comments without an end stay cheap.
    let last_comment_end = source.rfind("*/").unwrap_or(0);
    while start < source.len() {
        let may_be_comment = start + 2 <= last_comment_end;
        let (token, length) = token_at(source, start, may_be_comment);
        // Every rule takes at least one whole character.
        debug_assert!(length > 0 && source.is_char_boundary(start + length));
        tokens.push((token, start..start + length));
        start += length;
    }
    tokens
}

/// White space as Python's `\s` has it.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// A character of a word, as Python's `\w` has it.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A letter that a word may begin with where the language asks for a letter.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'À'..='Ü' | 'à'..='ü')
}

/// The token that begins at `start`, and its length in bytes.
fn token_at(source: &str, start: usize, may_be_comment: bool) -> (Token, usize) {
    let rest = &source[start..];
    let before = source[..start].chars().next_back();
    comment_or_space(rest, may_be_comment)
        .or_else(|| mark(rest, before))
        .or_else(|| number(rest))
        .or_else(|| quoted(rest, before))
        .or_else(|| word(rest, before))
        .or_else(|| operator(rest))
        .unwrap_or_else(|| (Token::Other, rest.chars().next().map_or(1, char::len_utf8)))
}

fn comment_or_space(rest: &str, may_be_comment: bool) -> Option<(Token, usize)> {
    if rest.starts_with("--") || rest.starts_with("# ") {
        let length = rest.find(['\n', '\r']).map_or(rest.len(), |end| end + 1);
        return Some((Token::LineComment, length));
    }
    if may_be_comment && rest.starts_with("/*") {
        let end = rest[2..].find("*/")?;
        return Some((Token::BlockComment, end + 4));
    }
    let length = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
    (length > 0).then_some((Token::Space, length))
}

/// `::`, `*`, and placeholders.
fn mark(rest: &str, before: Option<char>) -> Option<(Token, usize)> {
    if rest.starts_with("::") {
        return Some((Token::Cast, 2));
    }
    let mut chars = rest.chars();
    match chars.next()? {
        '*' => Some((Token::Star, 1)),
        '?' => Some((Token::Placeholder, 1)),
        '%' if matches!(chars.next(), Some('s' | 'S')) => Some((Token::Placeholder, 2)),
        '$' | ':' if !before.is_some_and(is_word) => {
            let length = word_length(&rest[1..], is_word);
            (length > 0).then_some((Token::Placeholder, 1 + length))
        }
        _ => None,
    }
}

/// The length of the run of characters at the start of `rest`.
fn word_length(rest: &str, is_part: fn(char) -> bool) -> usize {
    rest.find(|c| !is_part(c)).unwrap_or(rest.len())
}

/// A number may not be followed by a letter. Where it is, the number loses its
/// last digits until it is not: `12a` is the number `1` and the word `2a`.
fn number(rest: &str) -> Option<(Token, usize)> {
    let sign = usize::from(rest.starts_with('-'));
    let unsigned = &rest[sign..];
    let whole = digits(unsigned);
    if whole == 1
        && unsigned.starts_with('0')
        && unsigned[1..].starts_with(['x', 'X'])
        && unsigned[2..].starts_with(|c: char| c.is_ascii_hexdigit())
    {
        let length = word_length(&unsigned[2..], |c| c.is_ascii_hexdigit());
        return Some((Token::Other, sign + 2 + length));
    }
    let fraction = unsigned[whole..].strip_prefix('.').map(digits);
    if let Some(length) = exponent(unsigned, whole, fraction) {
        return Some((Token::Float, sign + length));
    }
    let before_letter =
        |length: usize| unsigned[length..].starts_with(|c: char| is_letter(c) || c == '_');
    if let Some(fraction) = fraction {
        let least = if whole == 0 { 2 } else { whole + 1 };
        let mut length = whole + 1 + fraction;
        if length > least && before_letter(length) {
            length -= 1;
        }
        if length >= least && !before_letter(length) {
            return Some((Token::Float, sign + length));
        }
    }
    let mut length = whole;
    if length > 1 && before_letter(length) {
        length -= 1;
    }
    (length > 0 && !before_letter(length)).then_some((Token::Integer, sign + length))
}

fn digits(text: &str) -> usize {
    word_length(text, |c| c.is_ascii_digit())
}

/// The length of a number with an exponent.
fn exponent(unsigned: &str, whole: usize, fraction: Option<usize>) -> Option<usize> {
    let mantissa = match fraction {
        _ if whole == 0 => return None,
        Some(fraction) if fraction > 0 => whole + 1 + fraction,
        _ => whole,
    };
    let after = unsigned[mantissa..].strip_prefix(['e', 'E'])?;
    let sign = usize::from(after.starts_with('-'));
    let power = digits(&after[sign..]);
    (power > 0).then_some(mantissa + 1 + sign + power)
}

fn quoted(rest: &str, before: Option<char>) -> Option<(Token, usize)> {
    let first = rest.chars().next()?;
    match first {
        '\'' => Some((Token::Text, quoted_length(rest, '\'', true)?)),
        '"' => Some((Token::Symbol, quoted_length(rest, '"', true)?)),
        '`' | '´' => Some((Token::Name, quoted_length(rest, first, false)?)),
        '[' if !before.is_some_and(|c| is_word(c) || c == ']' || c == ')') => {
            let end = rest[1..].find(['[', ']'])?;
            (end > 0 && rest[1 + end..].starts_with(']')).then_some((Token::Name, end + 2))
        }
        _ => None,
    }
}

/// The length of a quoted form: to the first quote that is not doubled, and not
/// behind a backslash where backslashes count. If there is no such quote, a
/// later one of those closes it after all: `'C:\'` is whole.
fn quoted_length(rest: &str, quote: char, backslash: bool) -> Option<usize> {
    let width = quote.len_utf8();
    let mut position = width;
    while let Some(step) = rest[position..].find([quote, '\\']) {
        let at = position + step;
        let after = if rest[at..].starts_with('\\') {
            at + 1
        } else {
            at + width
        };
        let pair = rest[after..].starts_with(quote);
        position = match (rest[at..].starts_with(quote), pair) {
            (true, false) => return Some(after),
            (false, true) if !backslash => after,
            (_, true) => after + width,
            (false, false) => after,
        };
    }
    reopened_length(rest, quote, backslash)
}

/// Where a quoted form ends that has no quote of its own to end it: the longest
/// reading in which some doubled or escaped quote is the end.
fn reopened_length(rest: &str, quote: char, backslash: bool) -> Option<usize> {
    let width = quote.len_utf8();
    // The end of the form if reading goes on one, two or more characters later,
    // found from the back.
    let (mut next, mut next_but_one): (Option<usize>, Option<usize>) = (None, None);
    let mut after: Option<char> = None;
    for (at, c) in rest.char_indices().rev() {
        if at == 0 {
            return next;
        }
        let pair = after == Some(quote) && (c == quote || (backslash && c == '\\'));
        let end = match (pair, c == quote) {
            (true, true) => next_but_one.or(Some(at + width)),
            (true, false) => next_but_one.or(next),
            (false, true) => Some(at + width),
            (false, false) => next,
        };
        (next_but_one, next) = (next, end);
        after = Some(c);
    }
    None
}

fn word(rest: &str, before: Option<char>) -> Option<(Token, usize)> {
    let first = rest.chars().next()?;
    if matches!(first, '@' | '#') {
        let marks = if rest.starts_with("##") { 2 } else { 1 };
        let length = word_length(&rest[marks..], is_word);
        let named = rest[marks..].starts_with(is_letter)
            && rest[marks..].chars().nth(1).is_some_and(is_word);
        return named.then_some((Token::Name, marks + length));
    }
    if !is_word(first) {
        return None;
    }
    let length = word_length(rest, is_word);
    let text = &rest[..length];
    let after = &rest[length..];
    let is = |keyword: &str| text.eq_ignore_ascii_case(keyword);
    if ["CASE", "IN", "VALUES", "USING", "FROM", "AS"]
        .into_iter()
        .any(is)
    {
        let token = if is("IN") { Token::In } else { Token::Keyword };
        return Some((token, length));
    }
    if is_letter(first) && (before == Some('.') || is_qualifier(after) || after.starts_with('(')) {
        return Some((Token::Name, length));
    }
    if let Some(found) = phrase(text, after) {
        return Some(found);
    }
    let length = word_length(rest, |c| is_word(c) || c == '$' || c == '#');
    let token = match rest[..length].to_ascii_uppercase().as_str() {
        "AND" => Token::And,
        "NOT" => Token::Not,
        "NULL" => Token::Null,
        "IS" => Token::Is,
        "OR" | "BETWEEN" | "EXISTS" | "SELECT" | "WHERE" | "ORDER" | "BY" | "LIMIT" | "TRUE"
        | "FALSE" => Token::Keyword,
        _ => Token::Name,
    };
    Some((token, length))
}

/// Whether a dot follows that a further name may follow.
fn is_qualifier(after: &str) -> bool {
    after
        .trim_start_matches(is_space)
        .strip_prefix('.')
        .is_some_and(|name| !name.starts_with(|c: char| c.is_ascii_digit()))
}

/// `ASC NULLS LAST`, `NOT NULL`, `NOT LIKE` and the like: one token each.
fn phrase(text: &str, after: &str) -> Option<(Token, usize)> {
    let length = text.len();
    let follows = |after: &str, words: &[&str]| -> Option<usize> {
        let spaces = after.len() - after.trim_start_matches(is_space).len();
        let next = &after[spaces..][..word_length(&after[spaces..], is_word)];
        let found = spaces > 0 && words.iter().any(|word| next.eq_ignore_ascii_case(word));
        found.then_some(spaces + next.len())
    };
    let nulls = |after: &str| {
        let end = follows(after, &["NULLS"])?;
        Some(end + follows(&after[end..], &["FIRST", "LAST"])?)
    };
    match text.to_ascii_uppercase().as_str() {
        "ASC" | "DESC" => Some((Token::Direction, length + nulls(after).unwrap_or(0))),
        "NULLS" => Some((
            Token::Direction,
            length + follows(after, &["FIRST", "LAST"])?,
        )),
        "LIKE" | "ILIKE" | "RLIKE" => Some((Token::Comparator, length)),
        "REGEXP" => Some((
            Token::Comparator,
            length + follows(after, &["BINARY"]).unwrap_or(0),
        )),
        "NOT" => {
            if let Some(end) = follows(after, &["NULL"]) {
                return Some((Token::NotNull, length + end));
            }
            let end = follows(after, &["LIKE", "ILIKE", "RLIKE", "REGEXP"])?;
            Some((Token::Comparator, length + end))
        }
        _ => None,
    }
}

fn operator(rest: &str) -> Option<(Token, usize)> {
    let first = rest.chars().next()?;
    let punctuation = match first {
        ';' => Some(Token::Semicolon),
        '(' => Some(Token::Open),
        ')' => Some(Token::Close),
        '[' => Some(Token::OpenSquare),
        ']' => Some(Token::CloseSquare),
        ',' => Some(Token::Comma),
        '.' => Some(Token::Dot),
        _ => None,
    };
    if let Some(token) = punctuation {
        return Some((token, 1));
    }
    for (text, token) in [
        ("->>", Token::Arrow),
        ("->", Token::Arrow),
        ("#>>", Token::Operator),
        ("#>", Token::Operator),
        ("@>", Token::Operator),
        ("<@", Token::Operator),
        ("-", Token::Operator),
        ("#-", Token::Operator),
    ] {
        if rest.starts_with(text) {
            return Some((token, text.len()));
        }
    }
    let comparator = word_length(rest, |c| "<>=~!".contains(c));
    if comparator > 0 {
        return Some((Token::Comparator, comparator));
    }
    let operator = word_length(rest, |c| "+/@#%^&|-".contains(c));
    (operator > 0).then_some((Token::Operator, operator))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<(Token, &str)> {
        tokens(source)
            .into_iter()
            .filter(|(token, _)| *token != Token::Space)
            .map(|(token, span)| (token, &source[span]))
            .collect()
    }

    #[test]
    fn a_number_before_a_letter_loses_a_digit() {
        assert_eq!(
            texts("12a 1a 1.5x -3.25 .5 1e400 0x1F"),
            [
                (Token::Integer, "1"),
                (Token::Name, "2a"),
                (Token::Name, "1a"),
                (Token::Float, "1."),
                (Token::Name, "5x"),
                (Token::Float, "-3.25"),
                (Token::Float, ".5"),
                (Token::Float, "1e400"),
                (Token::Other, "0x1F"),
            ]
        );
    }

    #[test]
    fn a_quote_ends_at_the_first_quote_that_is_neither_doubled_nor_escaped() {
        assert_eq!(
            texts(r"'it''s' 'x"),
            [
                (Token::Text, "'it''s'"),
                (Token::Other, "'"),
                (Token::Name, "x"),
            ]
        );
        assert_eq!(texts(r"'a\'b'"), [(Token::Text, r"'a\'b'")]);
    }

    #[test]
    fn an_escaped_quote_ends_a_text_that_nothing_else_ends() {
        assert_eq!(texts(r"'C:\'"), [(Token::Text, r"'C:\'")]);
        assert_eq!(
            texts("'a''b"),
            [
                (Token::Text, "'a'"),
                (Token::Other, "'"),
                (Token::Name, "b"),
            ]
        );
    }

    #[test]
    fn words_after_a_dot_are_names() {
        assert_eq!(
            texts("tags.and"),
            [
                (Token::Name, "tags"),
                (Token::Dot, "."),
                (Token::Name, "and"),
            ]
        );
        assert_eq!(texts("tags.in")[2], (Token::In, "in"));
    }
}
