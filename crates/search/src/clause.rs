//! What filters and order-by clauses of runs and experiments have in common:
//! how names, quotes, values and directions are read.

use std::ops::Range;

use crate::{
    NumberOp, NumberTest, SearchError, TextOp, TextTest,
    grammar::{self, Comparison, MAX_LENGTH, Part, Shape, Statements},
    lexer::Token,
    python::Literal,
};

/// The most clauses of a filter or an order.
pub const MAX_CLAUSES: usize = 200;

/// The message's list of what numbers can be compared by.
pub(crate) const NUMBER_OPS: &str = "{'=', '!=', '<', '<=', '>', '>='}";
/// The message's list of what texts can be compared by.
pub(crate) const TEXT_OPS: &str = "{'=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'}'";
/// [`TEXT_OPS`] where MLflow forgets the closing quote.
pub(crate) const TEXT_OPS_OPEN: &str = "{'=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'}";

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A number.
    Number {
        /// The number.
        value: f64,
        /// Written with a fraction or an exponent.
        is_float: bool,
    },
    /// A quoted text, without the quotes.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
}

/// Fails if a text is too long to be read.
pub(crate) fn check_length(source: &str) -> Result<(), SearchError> {
    if source.len() > MAX_LENGTH {
        return Err(SearchError::TooLong {
            length: source.len(),
        });
    }
    Ok(())
}

/// Fails if there are too many clauses to be read.
pub(crate) fn check_count(count: usize) -> Result<(), SearchError> {
    if count > MAX_CLAUSES {
        return Err(SearchError::TooManyClauses { count });
    }
    Ok(())
}

/// The comparisons of a filter of runs or experiments, with a name on the left
/// of each. `quote` prints a part that is wrong.
pub(crate) fn comparisons(
    filter: &str,
    quote: fn(&str) -> String,
) -> Result<Vec<Comparison>, SearchError> {
    let (comparisons, invalid) = split(parts(filter)?);
    refuse(filter, &invalid, quote)?;
    check_count(comparisons.len())?;
    Ok(comparisons)
}

/// The comparisons of a filter in which nothing stands between them.
pub(crate) fn comparisons_alone(filter: &str) -> Result<Vec<Comparison>, SearchError> {
    let mut comparisons = Vec::new();
    let mut invalid = Vec::new();
    for part in parts(filter)? {
        match part.shape {
            Shape::Comparison(comparison) => comparisons.push(*comparison),
            _ => invalid.push(part),
        }
    }
    refuse(filter, &invalid, str::to_owned)?;
    Ok(comparisons)
}

/// The parts of a filter that is one statement.
fn parts(filter: &str) -> Result<Vec<Part>, SearchError> {
    if filter.is_empty() {
        return Ok(Vec::new());
    }
    check_length(filter)?;
    let filter_text = || filter.to_owned();
    match grammar::statements(filter) {
        Statements::None => Err(SearchError::BlankFilter {
            filter: filter_text(),
        }),
        Statements::Several => Err(SearchError::SeveralFilters {
            filter: filter_text(),
        }),
        Statements::TooDeep => Err(SearchError::TooDeep {
            filter: filter_text(),
        }),
        Statements::One(parts) => Ok(parts),
    }
}

/// Fails if there are parts that are wrong.
fn refuse(filter: &str, invalid: &[Part], quote: fn(&str) -> String) -> Result<(), SearchError> {
    let Some(first) = invalid.first() else {
        return Ok(());
    };
    let clauses: Vec<String> = invalid
        .iter()
        .map(|part| quote(&filter[part.span.clone()]))
        .collect();
    Err(SearchError::InvalidClauses {
        clauses: clauses.join(", "),
        span: first.span.clone(),
    })
}

/// The comparisons among the parts, and what is neither a comparison nor `AND`.
pub(crate) fn split(parts: Vec<Part>) -> (Vec<Comparison>, Vec<Part>) {
    let mut comparisons = Vec::new();
    let mut invalid = Vec::new();
    for part in parts {
        match part.shape {
            Shape::Comparison(comparison) => comparisons.push(*comparison),
            Shape::Token(Token::And) => {}
            _ => invalid.push(part),
        }
    }
    (comparisons, invalid)
}

/// The name on the left of a comparison.
pub(crate) fn identifier<'a>(
    filter: &'a str,
    comparison: &Comparison,
) -> Result<&'a str, SearchError> {
    let span = comparison.left.span.clone();
    let text = &filter[span.clone()];
    if comparison.left.is_identifier() {
        return Ok(text);
    }
    Err(SearchError::ExpectedIdentifier {
        found: text.to_owned(),
        span,
    })
}

/// A key without its quotes; backticks inside of quotes go as well.
pub(crate) fn unquoted_key(key: &str) -> &str {
    without_backticks(unquoted(key).unwrap_or(key))
}

/// A name without its backticks.
pub(crate) fn without_backticks(name: &str) -> &str {
    between(name, '`').unwrap_or(name)
}

/// What stands between quotes, single or double.
fn unquoted(text: &str) -> Option<&str> {
    between(text, '\'').or_else(|| between(text, '"'))
}

fn between(text: &str, quote: char) -> Option<&str> {
    text.strip_prefix(quote)?.strip_suffix(quote)
}

/// The text of a part that is a quoted text or a name; `None` for other parts.
/// A name without quotes is an error.
pub(crate) fn quoted_text(filter: &str, part: &Part) -> Result<Option<Value>, SearchError> {
    if !part.is_identifier() && part.shape != Shape::Token(Token::Text) {
        return Ok(None);
    }
    let text = &filter[part.span.clone()];
    match unquoted(text) {
        Some(value) => Ok(Some(Value::Text(value.to_owned()))),
        None => Err(SearchError::NotQuoted {
            found: text.to_owned(),
            span: part.span.clone(),
        }),
    }
}

/// The number of a part, or an error that says that one was needed.
pub(crate) fn number(filter: &str, part: &Part, what: &str) -> Result<Value, SearchError> {
    let text = &filter[part.span.clone()];
    let is_float = part.shape == Shape::Token(Token::Float);
    match text.parse() {
        Ok(value) if is_float || part.shape == Shape::Token(Token::Integer) => {
            Ok(Value::Number { value, is_float })
        }
        _ => Err(SearchError::ExpectedNumber {
            what: what.to_owned(),
            found: text.to_owned(),
            span: part.span.clone(),
        }),
    }
}

/// The list of a part in parentheses.
pub(crate) fn list(filter: &str, part: &Part) -> Result<Vec<String>, SearchError> {
    let span = part.span.clone();
    let items = match Literal::parse(&filter[span.clone()]) {
        None => return Err(SearchError::IllFormedList { span }),
        Some(Literal::Tuple(items)) => items,
        Some(item) => vec![item],
    };
    if items.is_empty() {
        return Err(SearchError::EmptyList { span });
    }
    let texts: Option<Vec<String>> = items
        .iter()
        .map(|item| match item {
            Literal::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    texts.ok_or_else(|| SearchError::ListOfOthers {
        list: Literal::Tuple(items).print(),
        span,
    })
}

/// A test of a number, if the operator is one for numbers.
pub(crate) fn number_test(comparator: &str, value: f64) -> Option<NumberTest> {
    let op = match comparator {
        "<" => NumberOp::Less,
        "<=" => NumberOp::LessOrEqual,
        ">" => NumberOp::Greater,
        ">=" => NumberOp::GreaterOrEqual,
        "=" => NumberOp::Equal,
        "!=" => NumberOp::NotEqual,
        _ => return None,
    };
    Some(NumberTest { op, value })
}

/// A test of a text against one value, if the operator is one for that.
pub(crate) fn text_test(comparator: &str, value: String) -> Option<TextTest> {
    let op = match comparator {
        "=" => TextOp::Equal,
        "!=" => TextOp::NotEqual,
        "LIKE" => TextOp::Like,
        "ILIKE" => TextOp::ILike,
        _ => return None,
    };
    Some(TextTest::Compare { op, value })
}

/// A test of a text against a list.
pub(crate) fn list_test(
    comparator: &str,
    span: Range<usize>,
    values: Vec<String>,
) -> Result<TextTest, SearchError> {
    let negated = match comparator {
        "IN" => false,
        "NOT IN" => true,
        _ => {
            return Err(SearchError::ListComparator {
                comparator: comparator.to_owned(),
                span,
            });
        }
    };
    Ok(TextTest::In { negated, values })
}

/// `IS NULL` or `IS NOT NULL`.
pub(crate) fn null_test(comparator: &str) -> TextTest {
    if comparator == "IS NULL" {
        TextTest::IsNull
    } else {
        TextTest::IsNotNull
    }
}

/// The name of an order-by clause, and whether it is descending.
pub(crate) fn order_clause(clause: &str) -> Result<(String, bool), SearchError> {
    check_length(clause)?;
    let invalid = || SearchError::InvalidOrder {
        clause: clause.to_owned(),
    };
    let Statements::One(parts) = grammar::statements(clause) else {
        return Err(invalid());
    };
    match parts.as_slice() {
        [part] if part.is_identifier() && part.span == (0..clause.len()) => {}
        _ => return Err(invalid()),
    }
    let words = shell_words(&clause.replace('`', "\"")).ok_or_else(invalid)?;
    match words.as_slice() {
        [name, direction] => {
            let descending = match direction.to_lowercase().as_str() {
                "asc" => false,
                "desc" => true,
                _ => {
                    return Err(SearchError::InvalidDirection {
                        clause: clause.to_owned(),
                    });
                }
            };
            Ok((name.trim().to_owned(), descending))
        }
        [] | [_] => Ok((clause.trim().to_owned(), false)),
        _ => Err(invalid()),
    }
}

/// Splits a text into words as a POSIX shell does; `None` if a quote is open.
fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' if c == '"' => {
                            let escaped = chars.next()?;
                            if escaped != '"' && escaped != '\\' {
                                word.push('\\');
                            }
                            word.push(escaped);
                        }
                        inner => word.push(inner),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}
