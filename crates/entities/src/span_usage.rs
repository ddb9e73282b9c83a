//! Tokens and costs of spans, and what they come to for a trace.

use std::collections::{HashMap, HashSet};

/// Counts of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// Tokens that a model read.
    pub input_tokens: Option<i64>,
    /// Tokens that it wrote.
    pub output_tokens: Option<i64>,
    /// Both together.
    pub total_tokens: Option<i64>,
    /// Tokens that it read from a cache.
    pub cache_read_input_tokens: Option<i64>,
    /// Tokens that it wrote to a cache.
    pub cache_creation_input_tokens: Option<i64>,
    /// Of those, the ones that are kept for longer than an hour.
    pub cache_creation_input_tokens_above_1hr: Option<i64>,
}

/// The name of a number, and where it is.
type Member<T, N> = (&'static str, fn(&mut T) -> &mut Option<N>);

impl TokenUsage {
    /// The counts by their names in JSON and in MLflow's database.
    pub const MEMBERS: [Member<Self, i64>; 6] = [
        ("input_tokens", |usage| &mut usage.input_tokens),
        ("output_tokens", |usage| &mut usage.output_tokens),
        ("total_tokens", |usage| &mut usage.total_tokens),
        ("cache_read_input_tokens", |usage| {
            &mut usage.cache_read_input_tokens
        }),
        ("cache_creation_input_tokens", |usage| {
            &mut usage.cache_creation_input_tokens
        }),
        ("cache_creation_input_tokens_above_1hr", |usage| {
            &mut usage.cache_creation_input_tokens_above_1hr
        }),
    ];

    /// The counts in the order of [`TokenUsage::MEMBERS`].
    pub fn counts(mut self) -> [Option<i64>; 6] {
        Self::MEMBERS.map(|(_, member)| *member(&mut self))
    }
}

/// Costs in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Of what a model read.
    pub input_cost: Option<f64>,
    /// Of what it wrote.
    pub output_cost: Option<f64>,
    /// Of both together.
    pub total_cost: Option<f64>,
}

impl Cost {
    /// The costs by their names in JSON and in MLflow's database.
    pub const MEMBERS: [Member<Self, f64>; 3] = [
        ("input_cost", |cost| &mut cost.input_cost),
        ("output_cost", |cost| &mut cost.output_cost),
        ("total_cost", |cost| &mut cost.total_cost),
    ];

    /// The costs in the order of [`Cost::MEMBERS`].
    pub fn amounts(mut self) -> [Option<f64>; 3] {
        Self::MEMBERS.map(|(_, member)| *member(&mut self))
    }
}

/// A span of a tree, as far as its usage is concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageNode {
    /// The span.
    pub span_id: String,
    /// The span that it is a part of.
    pub parent_id: Option<String>,
    /// What it used.
    pub token_usage: Option<TokenUsage>,
    /// What it cost.
    pub cost: Option<Cost>,
}

/// Spans of one trace.
///
/// A span that says what it used speaks for all spans below it, which are then
/// not counted again.
#[derive(Debug)]
pub struct UsageTree<'a> {
    roots: Vec<&'a UsageNode>,
    children: HashMap<&'a str, Vec<&'a UsageNode>>,
}

impl<'a> UsageTree<'a> {
    /// A tree of these; spans whose parents are not among them are roots.
    pub fn new(nodes: &'a [UsageNode]) -> Self {
        let ids: HashSet<&str> = nodes.iter().map(|node| node.span_id.as_str()).collect();
        let mut tree = Self {
            roots: Vec::new(),
            children: HashMap::new(),
        };
        for node in nodes {
            match node.parent_id.as_deref() {
                Some(parent) if ids.contains(parent) => {
                    tree.children.entry(parent).or_default().push(node);
                }
                _ => tree.roots.push(node),
            }
        }
        tree
    }

    /// The tokens of the trace; nothing if no span says what it used.
    pub fn token_usage(&self) -> Option<TokenUsage> {
        let mut sums = [Some(0_i64), Some(0), Some(0), None, None, None];
        let found = self.visit(
            |node| node.token_usage.map(TokenUsage::counts),
            |counts| {
                for (sum, count) in sums.iter_mut().zip(counts) {
                    if let Some(count) = count {
                        *sum = Some(sum.unwrap_or_default().saturating_add(count));
                    }
                }
            },
        );
        found.then(|| {
            let mut usage = TokenUsage::default();
            for ((_, member), sum) in TokenUsage::MEMBERS.into_iter().zip(sums) {
                *member(&mut usage) = sum;
            }
            usage
        })
    }

    /// The cost of the trace; nothing if no span says what it cost.
    pub fn cost(&self) -> Option<Cost> {
        let mut sums = [0.0; 3];
        let found = self.visit(
            |node| node.cost.map(Cost::amounts),
            |amounts| {
                for (sum, amount) in sums.iter_mut().zip(amounts) {
                    *sum += amount.unwrap_or_default();
                }
            },
        );
        found.then(|| {
            let mut cost = Cost::default();
            for ((_, member), sum) in Cost::MEMBERS.into_iter().zip(sums) {
                *member(&mut cost) = Some(sum).filter(|sum: &f64| sum.is_finite());
            }
            cost
        })
    }

    /// Gives `take` the topmost values on every way down; says if there was one.
    fn visit<T>(&self, value: impl Fn(&UsageNode) -> Option<T>, mut take: impl FnMut(T)) -> bool {
        let mut found = false;
        let mut open = self.roots.clone();
        while let Some(node) = open.pop() {
            if let Some(value) = value(node) {
                found = true;
                take(value);
                continue;
            }
            open.extend(
                self.children
                    .get(node.span_id.as_str())
                    .into_iter()
                    .flatten(),
            );
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(span_id: &str, parent_id: Option<&str>, input: Option<i64>) -> UsageNode {
        UsageNode {
            span_id: span_id.to_owned(),
            parent_id: parent_id.map(str::to_owned),
            token_usage: input.map(|input| TokenUsage {
                input_tokens: Some(input),
                ..TokenUsage::default()
            }),
            cost: input.map(|_| Cost {
                total_cost: Some(0.5),
                ..Cost::default()
            }),
        }
    }

    #[test]
    fn a_span_speaks_for_those_below_it() {
        let nodes = [
            node("root", None, None),
            node("sum", Some("root"), Some(5)),
            node("part", Some("sum"), Some(3)),
            node("lost", Some("elsewhere"), Some(7)),
        ];
        let tree = UsageTree::new(&nodes);
        let usage = tree.token_usage().expect("two spans say what they used");
        assert_eq!(
            usage.counts(),
            [Some(12), Some(0), Some(0), None, None, None]
        );
        let cost = tree.cost().expect("two spans say what they cost");
        assert_eq!(cost.amounts(), [Some(0.0), Some(0.0), Some(1.0)]);
    }

    #[test]
    fn spans_that_say_nothing_come_to_nothing() {
        let nodes = [node("a", None, None)];
        assert_eq!(UsageTree::new(&nodes).token_usage(), None);
        assert_eq!(UsageTree::new(&[]).cost(), None);
    }

    #[test]
    fn spans_in_a_circle_end() {
        let nodes = [node("a", Some("b"), Some(1)), node("b", Some("a"), Some(1))];
        assert_eq!(UsageTree::new(&nodes).token_usage(), None);
    }
}
