//! Finds the files of a folder.

use std::sync::Arc;

use runledger_artifacts::{ArtifactError, ArtifactPath, ArtifactRepository, FileInfo};

use super::{ArchiveError, MAX_FILES, MAX_FOLDERS};
use crate::admission::{BodyBudget, Share};
use crate::artifact_routes::ArtifactRouteError;
use crate::failure::Failure;

/// What a file costs beside its name, here and in the archive's directory.
const FILE_BYTES: usize = 128;

/// The files of a folder.
pub(super) struct Found {
    /// Their paths in the folder.
    pub(super) files: Vec<ArtifactPath>,
    /// What their names take of the memory.
    pub(super) share: Share,
}

/// All files below `folder`, a folder's before those of its subfolders.
pub(super) async fn files(
    repository: &Arc<dyn ArtifactRepository>,
    folder: &ArtifactPath,
    names: &BodyBudget,
) -> Result<Found, Failure> {
    let mut found = Found {
        files: Vec::new(),
        share: Share::default(),
    };
    let mut ahead = vec![ArtifactPath::root()];
    let mut bytes = 0;
    let mut folders = 0;
    while let Some(inner) = ahead.pop() {
        folders += 1;
        let path = folder.join(&inner).map_err(ArtifactRouteError::from)?;
        let entries = repository.list(&path).await?;
        refuse_twins(&inner, &entries)?;
        for entry in entries.into_iter().rev() {
            let path = in_archive(&inner, &entry.name)?;
            bytes += path.as_str().len() + FILE_BYTES;
            names.cover(&mut found.share, bytes)?;
            let (list, what, max) = if entry.is_dir {
                (&mut ahead, "folders", MAX_FOLDERS - folders)
            } else {
                (&mut found.files, "files", MAX_FILES)
            };
            if list.len() >= max {
                let max = if entry.is_dir { MAX_FOLDERS } else { MAX_FILES };
                let path = folder.clone();
                return Err(ArchiveError::TooMany { path, what, max }.into());
            }
            list.push(path);
        }
    }
    if found.files.is_empty() {
        refuse_what_is_no_folder(repository, folder).await?;
    }
    found.files.sort_unstable();
    Ok(found)
}

/// The name of an entry in the archive.
///
/// It is checked as if it came from a client: taken out of its folder it could
/// begin with what is a drive, or another root, where it is unpacked.
fn in_archive(inner: &ArtifactPath, name: &str) -> Result<ArtifactPath, ArchiveError> {
    let path = if inner.is_root() {
        name.to_owned()
    } else {
        format!("{inner}/{name}")
    };
    let is_one = !name.is_empty() && !name.contains('/');
    match ArtifactPath::parse(&path) {
        Ok(parsed) if is_one && parsed.as_str() == path => Ok(parsed),
        _ => Err(ArchiveError::Name {
            path,
            reason: "has a name that is not safe to unpack",
        }),
    }
}

/// Storages of objects can have a file and a folder of one name; a disk cannot.
fn refuse_twins(inner: &ArtifactPath, entries: &[FileInfo]) -> Result<(), ArchiveError> {
    let twins = entries.windows(2).find(|pair| pair[0].name == pair[1].name);
    let Some([entry, _]) = twins else {
        return Ok(());
    };
    Err(ArchiveError::Name {
        path: in_archive(inner, &entry.name)?.to_string(),
        reason: "is both a file and a folder",
    })
}

/// An empty folder is an empty archive; a file, or nothing, is no folder.
async fn refuse_what_is_no_folder(
    repository: &Arc<dyn ArtifactRepository>,
    path: &ArtifactPath,
) -> Result<(), Failure> {
    match repository.get(path, None).await {
        Err(ArtifactError::IsDirectory { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(ArchiveError::IsFile { path: path.clone() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_when_unpacked_are_refused() {
        let root = ArtifactPath::root();
        let folder = ArtifactPath::parse("a").unwrap();
        for name in [
            "..",
            ".",
            "C:x",
            "a/b",
            "a\\b",
            "%2e%2e",
            "file:x",
            "a\n",
            "",
            ".runledger-x",
        ] {
            assert!(in_archive(&root, name).is_err(), "{name}");
        }
        assert_eq!(in_archive(&folder, "C:x").unwrap().as_str(), "a/C:x");
        assert!(in_archive(&folder, "..").is_err());
    }

    #[test]
    fn a_file_and_a_folder_of_one_name_are_refused() {
        let entry = |name: &str, is_dir| FileInfo {
            name: name.to_owned(),
            is_dir,
            file_size: 0,
        };
        let root = ArtifactPath::root();
        assert!(refuse_twins(&root, &[entry("a", false), entry("b", true)]).is_ok());
        let error = refuse_twins(&root, &[entry("a", false), entry("a", true)]).unwrap_err();
        assert!(error.to_string().contains("'a' in it is both"), "{error}");
    }
}
