//! The floors of `docs/architecture.md`: a crate depends only on crates below it, and stays free of
//! what its duty does not need.
//!
//! Dependencies of tests are exempt: a store runs the conformance suite, the server is tested on a
//! real store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cargo_metadata::{DependencyKind, Metadata, PackageId};

/// A crate's place in the house.
struct Rule {
    package: &'static str,
    /// Tenths of a floor: the suite stands between the store traits and the stores.
    floor: u32,
    /// What must not be in its dependency tree, however deep.
    never: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        package: "runledger-entities",
        floor: 0,
        never: &[
            "axum", "diesel", "http", "hyper", "rusqlite", "serde", "tokio",
        ],
    },
    Rule {
        package: "runledger-search",
        floor: 10,
        never: &["axum", "diesel", "http", "hyper", "rusqlite", "tokio"],
    },
    Rule {
        package: "runledger-protocol",
        floor: 10,
        never: &[
            "axum",
            "diesel",
            "hyper",
            "rusqlite",
            "runledger-store",
            "tokio",
        ],
    },
    Rule {
        package: "runledger-store",
        floor: 20,
        never: &[
            "axum",
            "diesel",
            "http",
            "hyper",
            "runledger-protocol",
            "rusqlite",
            "tokio",
        ],
    },
    Rule {
        package: "runledger-store-conformance",
        floor: 25,
        never: &[
            "axum",
            "diesel",
            "http",
            "hyper",
            "runledger-protocol",
            "rusqlite",
        ],
    },
    Rule {
        // Its index is a database of the SQL store's.
        package: "runledger-store-file",
        floor: 35,
        never: &["axum", "http", "hyper", "runledger-protocol"],
    },
    Rule {
        package: "runledger-store-sql",
        floor: 30,
        never: &["axum", "http", "hyper", "runledger-protocol"],
    },
    Rule {
        package: "runledger-artifacts",
        floor: 30,
        never: &["axum", "diesel", "runledger-store", "rusqlite"],
    },
    Rule {
        package: "runledger-server",
        floor: 40,
        never: &[
            "diesel",
            "runledger-store-file",
            "runledger-store-sql",
            "rusqlite",
        ],
    },
    Rule {
        package: "runledger",
        floor: 40,
        never: &["axum"],
    },
    Rule {
        package: "runledger-ui",
        floor: 40,
        never: &[
            "runledger-artifacts",
            "runledger-entities",
            "runledger-protocol",
            "runledger-search",
            "runledger-store",
        ],
    },
    Rule {
        package: "runledger-cli",
        floor: 50,
        never: &[],
    },
];

/// Every edge that points up or sideways, every dependency that a crate must do without, and every crate without a
/// place.
pub(super) fn breaches(metadata: &Metadata) -> Vec<String> {
    let graph = Graph::new(metadata);
    let mut breaches = Vec::new();
    for package in super::published(metadata) {
        let name = package.name.as_str();
        let Some(rule) = rule(name) else {
            breaches.push(format!(
                "floors: the crate `{name}` has no floor: give it one in xtask/src/lint/floors.rs and docs/architecture.md"
            ));
            continue;
        };
        for below in graph.direct(&package.id) {
            if let Some(other) = self::rule(below)
                && let Some(breach) = edge_breach(rule, other)
            {
                breaches.push(breach);
            }
        }
        let tree = graph.closure(&package.id);
        for unwanted in rule.never {
            if tree.contains(unwanted) {
                breaches.push(format!(
                    "floors: `{name}` must not depend on `{unwanted}`, not even through others: see `cargo tree -p {name} -e normal -i {unwanted}`"
                ));
            }
        }
    }
    breaches
}

fn rule(package: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.package == package)
}

fn edge_breach(upper: &Rule, lower: &Rule) -> Option<String> {
    (lower.floor >= upper.floor).then(|| {
        format!(
            "floors: `{}` (floor {}) depends on `{}` (floor {}): a crate may depend only on floors below it",
            upper.package,
            f64::from(upper.floor) / 10.0,
            lower.package,
            f64::from(lower.floor) / 10.0
        )
    })
}

/// The resolved dependencies without those of tests.
struct Graph<'a> {
    names: BTreeMap<&'a PackageId, &'a str>,
    edges: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let names = metadata
            .packages
            .iter()
            .map(|package| (&package.id, package.name.as_str()))
            .collect();
        let edges = metadata
            .resolve
            .iter()
            .flat_map(|resolve| &resolve.nodes)
            .map(|node| {
                let below = node
                    .deps
                    .iter()
                    .filter(|dependency| {
                        dependency
                            .dep_kinds
                            .iter()
                            .any(|kind| kind.kind != DependencyKind::Development)
                    })
                    .map(|dependency| &dependency.pkg)
                    .collect();
                (&node.id, below)
            })
            .collect();
        Self { names, edges }
    }

    fn direct(&self, package: &PackageId) -> impl Iterator<Item = &'a str> {
        self.edges
            .get(package)
            .into_iter()
            .flatten()
            .filter_map(|below| self.names.get(below).copied())
    }

    fn closure(&self, package: &PackageId) -> BTreeSet<&'a str> {
        let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
        let mut queue: VecDeque<&PackageId> = VecDeque::from([package]);
        let mut names = BTreeSet::new();
        while let Some(next) = queue.pop_front() {
            for below in self.edges.get(next).into_iter().flatten() {
                if seen.insert(below) {
                    names.extend(self.names.get(below));
                    queue.push_back(below);
                }
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_may_only_point_down() {
        let [search, server] =
            ["runledger-search", "runledger-server"].map(|name| rule(name).expect("a known crate"));
        assert_eq!(edge_breach(server, search), None);
        assert!(edge_breach(search, server).is_some_and(|text| text.contains("runledger-search")));
    }

    #[test]
    fn a_tree_goes_all_the_way_down_but_not_through_tests() {
        let metadata = cargo_metadata::MetadataCommand::new()
            .current_dir(crate::cache::repository())
            .exec()
            .expect("the workspace resolves");
        let graph = Graph::new(&metadata);
        let tree = |name: &str| {
            let package = metadata
                .workspace_packages()
                .into_iter()
                .find(|package| package.name == name)
                .expect("a crate of the workspace");
            graph.closure(&package.id)
        };
        assert!(tree("runledger-cli").contains("libsqlite3-sys"));
        // Its tests run on a real store.
        assert!(!tree("runledger-server").contains("libsqlite3-sys"));
    }

    #[test]
    fn crates_of_one_floor_do_not_know_each_other() {
        let [sql, artifacts, file] = [
            "runledger-store-sql",
            "runledger-artifacts",
            "runledger-store-file",
        ]
        .map(|name| rule(name).expect("a known crate"));
        assert!(edge_breach(sql, artifacts).is_some());
        assert!(edge_breach(artifacts, sql).is_some());
        assert!(edge_breach(sql, file).is_some());
        assert!(edge_breach(file, sql).is_none());
    }
}
