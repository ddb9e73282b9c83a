//! Tokens into the parts of a statement.
//!
//! A statement is cut into comparisons and what stands between them. The rules
//! are those of `sqlparse`'s grouping, one pass each and in its order, because
//! they decide what MLflow accepts: `metrics.a[0]` and `metrics.a::b` are names,
//! `metrics.a-b` is a subtraction. What the parts mean is left to the modules
//! of the things that are searched.

use std::ops::Range;

use crate::lexer::{self, Token};

/// The longest filter or order-by clause that is read, in bytes.
pub const MAX_LENGTH: usize = 100_000;
/// The deepest nesting of brackets that is read.
const MAX_DEPTH: usize = 100;

/// What a part of a statement is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A token that is part of nothing larger.
    Token(Token),
    /// A name, with or without qualifiers.
    Identifier,
    /// Something in parentheses.
    Parenthesis,
    /// Something in square brackets.
    Square,
    /// A name and something in parentheses.
    Function,
    /// Arithmetic.
    Operation,
    /// A comparison.
    Comparison(Box<Comparison>),
    /// Several parts with commas between.
    List,
}

/// A part of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// What it is.
    pub(crate) shape: Shape,
    /// Where it is, in bytes.
    pub(crate) span: Range<usize>,
}

/// A comparison: two sides, or only a left one before `IS NULL`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    /// What is compared.
    pub(crate) left: Part,
    /// The operator as it was written; word pairs in upper case.
    pub(crate) comparator: String,
    /// Where the operator is, in bytes.
    pub(crate) comparator_span: Range<usize>,
    /// What it is compared with.
    pub(crate) right: Option<Part>,
}

/// A text as statements.
#[derive(Debug)]
pub(crate) enum Statements {
    /// Nothing but white space.
    None,
    /// One statement: its parts without the white space.
    One(Vec<Part>),
    /// More than one.
    Several,
    /// Nested too deep to be read.
    TooDeep,
}

impl Part {
    fn is(&self, token: Token) -> bool {
        self.shape == Shape::Token(token)
    }

    fn is_any(&self, tokens: &[Token]) -> bool {
        matches!(&self.shape, Shape::Token(token) if tokens.contains(token))
    }

    pub(crate) fn is_identifier(&self) -> bool {
        self.shape == Shape::Identifier
    }

    /// A part from the start of this one to the end of another.
    fn to(&self, end: &Self, shape: Shape) -> Self {
        Self {
            shape,
            span: self.span.start..end.span.end,
        }
    }

    /// The shape, without what is inside.
    fn flat_shape(&self) -> Shape {
        match &self.shape {
            Shape::Comparison(_) => Shape::Operation,
            shape => shape.clone(),
        }
    }

    /// A side of arithmetic or of a comparison.
    fn is_operand(&self) -> bool {
        matches!(
            self.shape,
            Shape::Identifier | Shape::Parenthesis | Shape::Function | Shape::Operation
        ) || self.is_any(&[
            Token::Integer,
            Token::Float,
            Token::Text,
            Token::Symbol,
            Token::Name,
            Token::Placeholder,
        ])
    }
}

/// Reads a text.
pub(crate) fn statements(source: &str) -> Statements {
    let tokens = lexer::tokens(source);
    if tokens.iter().all(|(token, _)| *token == Token::Space) {
        return Statements::None;
    }
    if is_several(&tokens) {
        return Statements::Several;
    }
    let parts = tokens
        .into_iter()
        .filter(|(token, _)| *token != Token::Space)
        .map(|(token, span)| Part {
            shape: Shape::Token(token),
            span,
        })
        .collect();
    let Some(parts) = group_brackets(parts, Token::OpenSquare, Token::CloseSquare, &Shape::Square)
    else {
        return Statements::TooDeep;
    };
    let Some(parts) = group_brackets(parts, Token::Open, Token::Close, &Shape::Parenthesis) else {
        return Statements::TooDeep;
    };
    let parts = group_functions(parts);
    let parts = group_qualified_names(parts);
    let parts = group_subscripts(parts);
    let parts = group_directions(parts);
    let parts = group_casts(parts);
    let parts = group_operations(parts);
    let parts = group_comparisons(source, parts);
    let parts = group_aliases(parts);
    let parts = group_lists(parts);
    Statements::One(group_word_comparisons(source, &parts))
}

/// Whether something follows a `;` that stands outside of parentheses.
fn is_several(tokens: &[(Token, Range<usize>)]) -> bool {
    // Closing what is not open counts too, as in `sqlparse`.
    let mut depth = 0_i64;
    let mut ended = false;
    for (token, _) in tokens {
        match token {
            Token::Space | Token::LineComment => {}
            _ if ended => return true,
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Semicolon => ended = depth <= 0,
            _ => {}
        }
    }
    false
}

/// `None` if they are nested too deep.
fn group_brackets(parts: Vec<Part>, open: Token, close: Token, shape: &Shape) -> Option<Vec<Part>> {
    let mut grouped: Vec<Part> = Vec::with_capacity(parts.len());
    let mut opened = Vec::new();
    for part in parts {
        if part.is(open) {
            if opened.len() == MAX_DEPTH {
                return None;
            }
            opened.push(grouped.len());
        } else if part.is(close)
            && let Some(start) = opened.pop()
        {
            let group = grouped[start].to(&part, shape.clone());
            grouped.truncate(start);
            grouped.push(group);
            continue;
        }
        grouped.push(part);
    }
    Some(grouped)
}

/// `f (x)`
fn group_functions(parts: Vec<Part>) -> Vec<Part> {
    group_pairs(parts, &Shape::Function, |left, right| {
        left.is(Token::Name) && right.shape == Shape::Parenthesis
    })
}

/// `a.b`, `a."b"`, `a.`
fn group_qualified_names(parts: Vec<Part>) -> Vec<Part> {
    let mut grouped: Vec<Part> = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        if part.is_any(&[Token::Dot, Token::Arrow])
            && let Some(left) = grouped.last_mut()
            && (left.is_any(&[Token::Name, Token::Symbol])
                || matches!(left.shape, Shape::Identifier | Shape::Square))
        {
            let right = parts.next_if(|right| {
                right.is_any(&[Token::Name, Token::Symbol, Token::Star, Token::Text])
                    || matches!(right.shape, Shape::Square | Shape::Function)
            });
            *left = left.to(right.as_ref().unwrap_or(&part), Shape::Identifier);
            continue;
        }
        grouped.push(part);
    }
    grouped
}

/// `a[0]`; and names become identifiers.
fn group_subscripts(parts: Vec<Part>) -> Vec<Part> {
    let mut grouped: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        if part.shape == Shape::Square
            && let Some(left) = grouped.last_mut()
            && matches!(
                left.shape,
                Shape::Identifier | Shape::Square | Shape::Function
            )
        {
            *left = left.to(&part, Shape::Identifier);
            continue;
        }
        let is_name = part.is_any(&[Token::Name, Token::Symbol]);
        let shape = if is_name {
            Shape::Identifier
        } else {
            part.shape
        };
        grouped.push(Part {
            shape,
            span: part.span,
        });
    }
    grouped
}

/// `a DESC`
fn group_directions(parts: Vec<Part>) -> Vec<Part> {
    let mut grouped: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        if part.is(Token::Direction)
            && let Some(left) = grouped.last_mut()
            && (left.is_identifier() || left.is_any(&[Token::Integer, Token::Float]))
        {
            *left = left.to(&part, Shape::Identifier);
            continue;
        }
        grouped.push(part);
    }
    grouped
}

/// `a::b`
fn group_casts(parts: Vec<Part>) -> Vec<Part> {
    group_infix(
        parts,
        |part| part.is(Token::Cast),
        |_| true,
        |left, _, right| left.to(&right, Shape::Identifier),
    )
}

/// `a - b`
fn group_operations(parts: Vec<Part>) -> Vec<Part> {
    group_infix(
        parts,
        |part| part.is_any(&[Token::Operator, Token::Arrow, Token::Star]),
        |part| part.is_operand() || part.shape == Shape::Square,
        |left, _, right| left.to(&right, Shape::Operation),
    )
}

/// `a = b`
fn group_comparisons(source: &str, parts: Vec<Part>) -> Vec<Part> {
    group_infix(
        parts,
        |part| part.is(Token::Comparator),
        |part| {
            part.is_operand() || part.is(Token::Null) || matches!(part.shape, Shape::Comparison(_))
        },
        |left, comparator, right| {
            let span = left.span.start..right.span.end;
            let comparison = Comparison {
                // A chain such as `a = b = c` must not become a deep tree.
                left: left.to(&left, left.flat_shape()),
                comparator: source[comparator.span.clone()].to_owned(),
                comparator_span: comparator.span,
                right: Some(right),
            };
            Part {
                shape: Shape::Comparison(Box::new(comparison)),
                span,
            }
        },
    )
}

/// `a b`: `b` is an alias for the column `a`.
fn group_aliases(parts: Vec<Part>) -> Vec<Part> {
    group_pairs(parts, &Shape::Identifier, |left, right| {
        right.is_identifier()
            && (matches!(
                left.shape,
                Shape::Identifier
                    | Shape::Parenthesis
                    | Shape::Function
                    | Shape::Operation
                    | Shape::Comparison(_)
            ) || left.is_any(&[Token::Integer, Token::Float]))
    })
}

/// `a, b`
fn group_lists(parts: Vec<Part>) -> Vec<Part> {
    group_infix(
        parts,
        |part| part.is(Token::Comma),
        |part| {
            matches!(
                part.shape,
                Shape::Identifier
                    | Shape::Function
                    | Shape::Operation
                    | Shape::Comparison(_)
                    | Shape::List
            ) || part.is_any(&[
                Token::Integer,
                Token::Float,
                Token::Text,
                Token::Placeholder,
                Token::Star,
                Token::And,
                Token::Not,
                Token::NotNull,
                Token::Null,
                Token::In,
                Token::Is,
                Token::Keyword,
            ])
        },
        |left, _, right| left.to(&right, Shape::List),
    )
}

/// Joins neighbours, each part once.
fn group_pairs(
    parts: Vec<Part>,
    shape: &Shape,
    is_pair: impl Fn(&Part, &Part) -> bool,
) -> Vec<Part> {
    let mut grouped: Vec<Part> = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter().peekable();
    while let Some(left) = parts.next() {
        match parts.next_if(|right| is_pair(&left, right)) {
            Some(right) => grouped.push(left.to(&right, shape.clone())),
            None => grouped.push(left),
        }
    }
    grouped
}

/// Joins what stands left and right of an operator, from the left.
fn group_infix(
    parts: Vec<Part>,
    is_operator: impl Fn(&Part) -> bool,
    is_side: impl Fn(&Part) -> bool,
    join: impl Fn(Part, Part, Part) -> Part,
) -> Vec<Part> {
    let mut grouped: Vec<Part> = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        if is_operator(&part)
            && grouped.last().is_some_and(&is_side)
            && let Some(right) = parts.next_if(&is_side)
            && let Some(left) = grouped.pop()
        {
            grouped.push(join(left, part, right));
            continue;
        }
        grouped.push(part);
    }
    grouped
}

/// `a IN (…)`, `a NOT IN (…)`, `a IS NULL`, `a IS NOT NULL`.
///
/// This is MLflow's own pass. An identifier that begins none of the four takes
/// the three parts after it out of the search, whatever they are; the last two
/// parts of a statement begin none.
fn group_word_comparisons(source: &str, parts: &[Part]) -> Vec<Part> {
    let mut grouped: Vec<Part> = Vec::with_capacity(parts.len());
    let mut rest = parts;
    while let [first, after @ ..] = rest {
        if after.len() < 2 {
            grouped.extend_from_slice(rest);
            break;
        }
        let joined = first.is_identifier().then(|| word_comparison(source, rest));
        let (taken, comparison) = match joined {
            None => (1, None),
            Some(None) => (rest.len().min(4), None),
            Some(Some((taken, comparison))) => (taken, Some(comparison)),
        };
        match comparison {
            Some(comparison) => grouped.push(Part {
                span: first.span.start..rest[taken - 1].span.end,
                shape: Shape::Comparison(Box::new(comparison)),
            }),
            None => grouped.extend_from_slice(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    grouped
}

/// The comparison in words at the start of `parts`, and of how many it is made.
fn word_comparison(source: &str, parts: &[Part]) -> Option<(usize, Comparison)> {
    let make = |comparator: &str, words: &[Part], right: Option<&Part>| Comparison {
        left: parts[0].clone(),
        comparator: comparator.to_owned(),
        comparator_span: words[0].span.start..words[words.len() - 1].span.end,
        right: right.cloned(),
    };
    match parts {
        [_, word, list, ..] if word.is(Token::In) && list.shape == Shape::Parenthesis => {
            let comparator = &source[word.span.clone()];
            Some((3, make(comparator, &parts[1..2], Some(list))))
        }
        [_, is, null, ..] if is.is(Token::Is) && null.is(Token::Null) => {
            Some((3, make("IS NULL", &parts[1..3], None)))
        }
        // With more than one space between, `NOT NULL` is not what MLflow looks for.
        [_, is, null, ..]
            if is.is(Token::Is)
                && null.is(Token::NotNull)
                && source[null.span.clone()].eq_ignore_ascii_case("NOT NULL") =>
        {
            Some((3, make("IS NOT NULL", &parts[1..3], None)))
        }
        [_, not, word, list, ..]
            if not.is(Token::Not) && word.is(Token::In) && list.shape == Shape::Parenthesis =>
        {
            Some((4, make("NOT IN", &parts[1..3], Some(list))))
        }
        _ => None,
    }
}
