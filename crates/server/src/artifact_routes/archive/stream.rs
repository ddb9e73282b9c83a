//! Reads the files of an archive, one after the other.

use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use runledger_artifacts::{ArtifactError, ArtifactPath, ArtifactRead, ArtifactRepository};

use super::walk::Found;
use super::zip::{File, Zip};
use crate::admission::Share;

/// About how much of the directory is sent at once.
const DIRECTORY_PIECE: usize = 64 << 10;

/// An archive of which some is sent.
struct Archive {
    repository: Arc<dyn ArtifactRepository>,
    folder: ArtifactPath,
    ahead: vec::IntoIter<ArtifactPath>,
    open: Option<(ArtifactRead, File)>,
    zip: Zip,
    ended: bool,
    _share: Share,
}

/// The bytes of the archive. A file that was removed meanwhile is left out; any
/// other failure breaks the answer off, so that nobody takes it for whole.
pub(super) fn of(
    repository: Arc<dyn ArtifactRepository>,
    folder: ArtifactPath,
    found: Found,
) -> impl Stream<Item = Result<Bytes, ArtifactError>> + Send + 'static {
    let archive = Archive {
        repository,
        folder,
        ahead: found.files.into_iter(),
        open: None,
        zip: Zip::default(),
        ended: false,
        _share: found.share,
    };
    stream::try_unfold(archive, async |mut archive| match archive.next().await {
        Ok(Some(piece)) => Ok(Some((piece, archive))),
        Ok(None) => Ok(None),
        Err(error) => {
            tracing::warn!(%error, "an archive of artifacts broke off");
            Err(error)
        }
    })
}

impl Archive {
    async fn next(&mut self) -> Result<Option<Bytes>, ArtifactError> {
        let mut out = Vec::new();
        while out.is_empty() {
            if self.ended {
                return Ok(None);
            }
            if let Some((mut read, mut file)) = self.open.take() {
                match read.content.try_next().await? {
                    Some(chunk) => {
                        file.write(&chunk, &mut out);
                        self.open = Some((read, file));
                    }
                    None => self.zip.end(file, &mut out),
                }
            } else if let Some(path) = self.ahead.next() {
                self.open(&path, &mut out).await?;
            } else {
                self.ended = !self.zip.directory(DIRECTORY_PIECE, &mut out);
            }
        }
        Ok(Some(out.into()))
    }

    async fn open(&mut self, path: &ArtifactPath, out: &mut Vec<u8>) -> Result<(), ArtifactError> {
        let read = match self.repository.get(&self.folder.join(path)?, None).await {
            Err(ArtifactError::NotFound { .. }) => return Ok(()),
            read => read?,
        };
        let file = self.zip.begin(path.as_str(), read.size, read.modified, out);
        self.open = Some((read, file));
        Ok(())
    }
}
