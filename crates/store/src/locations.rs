//! The URIs under which experiments, runs and models keep their files.

use std::path::Path;

/// A location with more path segments, before its query if it has one
/// (MLflow 3.17 `append_to_uri_path`).
pub fn append(location: &str, segments: &[&str]) -> String {
    let (path, query) = match location.split_once('?') {
        Some((path, query)) if location.contains("://") => (path, Some(query)),
        _ => (location, None),
    };
    let mut joined = path.to_owned();
    for segment in segments {
        if !joined.ends_with('/') {
            joined.push('/');
        }
        joined.push_str(segment);
    }
    if let Some(query) = query {
        joined.push('?');
        joined.push_str(query);
    }
    joined
}

/// A location that means the same from every directory: a relative path becomes
/// absolute, a URI stays as it is.
pub fn absolute(location: &str) -> String {
    let scheme = location.split_once(':').map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| !scheme.is_empty() && !scheme.contains('/')) {
        return location.to_owned();
    }
    let path = std::path::absolute(Path::new(location));
    path.map_or_else(
        |_| location.to_owned(),
        |path| path.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_go_before_the_query() {
        assert_eq!(append("mlflow-artifacts:/", &["1"]), "mlflow-artifacts:/1");
        assert_eq!(append("s3://b/p", &["1", "x"]), "s3://b/p/1/x");
        assert_eq!(append("s3://b/p?k=v", &["1"]), "s3://b/p/1?k=v");
        assert_eq!(append("/a/what?", &["1"]), "/a/what?/1");
    }

    #[test]
    fn relative_paths_become_absolute() {
        assert!(absolute("./mlruns").starts_with('/') && absolute("./mlruns").ends_with("/mlruns"));
        for same in ["/abs", "s3://b/x", "mlflow-artifacts:/", "file:///x"] {
            assert_eq!(absolute(same), same);
        }
    }
}
