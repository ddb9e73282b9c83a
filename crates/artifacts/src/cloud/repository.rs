//! A tree of files in a storage of objects.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;

use super::begun::Begun;
use super::limits::Limits;
use super::objects::{Fault, Meta, Objects, Opened, strong_etag};
use super::upload;
use crate::direct::{Capabilities, MultipartUpload, SignedUrl, UploadedPart};
use crate::{
    ArtifactError, ArtifactPath, ArtifactRead, ArtifactRepository, ByteRange, ByteStream, FileInfo,
    InvalidPath,
};

/// Entries of one answer; some 20 MB of JSON.
const MAX_ENTRIES: usize = 250_000;

/// Keys that one request removes (S3's limit).
const REMOVED_AT_ONCE: usize = 1000;

/// The longest key of S3, Azure and Google in bytes.
const MAX_KEY_BYTES: usize = 1024;

/// MLflow's name of what it has a refusal for.
const MULTIPART: &str = "Multipart upload";

/// Tries to read a part of an object that others write.
const READS: usize = 3;

/// An [`ArtifactRepository`] below one prefix of a bucket or container.
#[derive(Debug)]
pub(crate) struct ObjectRepository<O> {
    objects: Arc<O>,
    keys: Keys,
    part_bytes: usize,
    limits: Limits,
}

/// From paths to keys: a prefix and a slash before them, unless it is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys below `prefix`.
    pub(crate) fn below(prefix: &ArtifactPath) -> Self {
        let mut prefix = prefix.as_str().to_owned();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        Self { prefix }
    }

    fn of_file(&self, file: &ArtifactPath) -> String {
        format!("{}{file}", self.prefix)
    }

    /// What the keys in a directory begin with.
    fn of_directory(&self, directory: &ArtifactPath) -> String {
        if directory.is_root() {
            return self.prefix.clone();
        }
        format!("{}{directory}/", self.prefix)
    }
}

impl<O: Objects> ObjectRepository<O> {
    /// The repository of these keys. Uploads longer than `part_bytes` go in
    /// parts of that size.
    pub(crate) fn new(objects: O, keys: Keys, part_bytes: usize) -> Self {
        Self {
            objects: Arc::new(objects),
            keys,
            part_bytes,
            limits: Limits::shared(),
        }
    }

    /// With limits of its own instead of the process's.
    #[cfg(test)]
    pub(super) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What a path is that no object has.
    async fn absent(&self, path: &ArtifactPath) -> ArtifactError {
        let prefix = self.keys.of_directory(path);
        match self.objects.page(&prefix, false, None, Some(1)).await {
            Ok(page) if page.objects.is_empty() => ArtifactError::NotFound { path: path.clone() },
            Ok(_) => ArtifactError::IsDirectory { path: path.clone() },
            Err(fault) => fault.on(path, "look for a directory"),
        }
    }

    async fn open(&self, key: &str, range: Option<ByteRange>) -> Result<Opened, Failed> {
        let Some(range) = range else {
            return Ok(self.objects.open(key, None, None).await?);
        };
        // Services differ in ranges from the end and beyond it: the size comes
        // first, and then a range that all of them know.
        for _ in 0..READS {
            let meta = self.objects.head(key).await?;
            let range = range.resolve(meta.size).map_err(Failed::Error)?;
            match self.objects.open(key, Some(range), Some(&meta.etag)).await {
                Err(Fault::Changed) => {}
                opened => return Ok(opened?),
            }
        }
        Err(Fault::Changed.into())
    }

    /// Refuses what the storage does not have before anything else is looked at.
    fn check(ability: bool, operation: &'static str) -> Result<(), ArtifactError> {
        if ability {
            return Ok(());
        }
        Err(ArtifactError::Unsupported { operation })
    }

    /// The key of something that has a name.
    fn file(&self, file: &ArtifactPath) -> Result<String, ArtifactError> {
        if file.is_root() {
            return Err(ArtifactError::IsDirectory { path: file.clone() });
        }
        let key = self.keys.of_file(file);
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::new("its key is too long for the storage").into());
        }
        Ok(key)
    }
}

/// Refuses what cannot be the name of an upload; services answer as they like.
fn check_upload(
    file: &ArtifactPath,
    upload_id: &str,
    parts: &[UploadedPart],
) -> Result<(), ArtifactError> {
    let numbers = 1..=MultipartUpload::MAX_PARTS;
    if upload_id.is_empty() || !parts.iter().all(|part| numbers.contains(&part.number)) {
        return Err(ArtifactError::InvalidUpload { path: file.clone() });
    }
    Ok(())
}

/// Either a fault, whose meaning depends on the path, or an error.
enum Failed {
    Fault(Fault),
    Error(ArtifactError),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[async_trait]
impl<O: Objects> ArtifactRepository for ObjectRepository<O> {
    async fn list(&self, directory: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
        const OPERATION: &str = "list a directory";
        let prefix = self.keys.of_directory(directory);
        let mut entries = Vec::new();
        if prefix.len() > MAX_KEY_BYTES {
            return Ok(entries);
        }
        let mut token = None;
        loop {
            let page = self.objects.page(&prefix, true, token, None).await;
            let page = page.map_err(|fault| fault.on(directory, OPERATION))?;
            let files = page.objects.iter().map(|(key, size)| (key, false, *size));
            let directories = page.directories.iter().map(|key| (key, true, 0));
            for (key, is_dir, file_size) in files.chain(directories) {
                let name = key
                    .strip_prefix(&prefix)
                    .map(|name| name.trim_end_matches('/'));
                // The object that marks an empty directory has no name in it, and what other
                // programs put there may have one that no client could ask for, or save.
                let Some(name) = name.filter(|name| directory.entry(name).is_some()) else {
                    continue;
                };
                if entries.len() == MAX_ENTRIES {
                    return Err(ArtifactError::TooManyEntries {
                        path: directory.clone(),
                        max: MAX_ENTRIES,
                    });
                }
                entries.push(FileInfo {
                    name: name.to_owned(),
                    is_dir,
                    file_size,
                });
            }
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name).then(a.is_dir.cmp(&b.is_dir)));
        Ok(entries)
    }

    async fn get(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError> {
        const OPERATION: &str = "read a file";
        let key = self.file(file)?;
        match self.open(&key, range).await {
            Ok(opened) => Ok(read(opened, OPERATION)),
            Err(Failed::Fault(Fault::NotFound)) => Err(self.absent(file).await),
            Err(Failed::Fault(fault)) => Err(fault.on(file, OPERATION)),
            Err(Failed::Error(error)) => Err(error),
        }
    }

    async fn put(
        &self,
        file: &ArtifactPath,
        content: ByteStream,
        max_bytes: Option<u64>,
    ) -> Result<u64, ArtifactError> {
        let key = self.file(file)?;
        let source = upload::Source::new(file, content, max_bytes, self.part_bytes, &self.limits);
        upload::store(&self.objects, key, source).await
    }

    fn max_file_bytes(&self) -> Option<u64> {
        Some(upload::longest_file(self.part_bytes))
    }

    async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        let failed = |fault: Fault| fault.on(path, "remove artifacts");
        if path.is_root() {
            return Err(InvalidPath::new("the root cannot be removed").into());
        }
        let prefix = self.keys.of_directory(path);
        let mut keys = vec![self.keys.of_file(path)];
        if keys[0].len() > MAX_KEY_BYTES {
            return Ok(());
        }
        let mut token = None;
        loop {
            let page = self.objects.page(&prefix, false, token, None).await;
            let page = page.map_err(failed)?;
            token = page.next;
            keys.extend(page.objects.into_iter().map(|(key, _)| key));
            while !keys.is_empty() {
                let rest = keys.split_off(keys.len().min(REMOVED_AT_ONCE));
                self.objects.remove(keys).await.map_err(failed)?;
                keys = rest;
            }
            if token.is_none() {
                return Ok(());
            }
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.objects.capabilities()
    }

    async fn create_multipart(
        &self,
        file: &ArtifactPath,
        parts: u32,
    ) -> Result<MultipartUpload, ArtifactError> {
        Self::check(self.capabilities().multipart_uploads, MULTIPART)?;
        let key = self.file(file)?;
        if !(1..=MultipartUpload::MAX_PARTS).contains(&parts) {
            return Err(ArtifactError::TooManyParts {
                parts,
                max: MultipartUpload::MAX_PARTS,
            });
        }
        let turn = self.limits.turn_to_sign().await;
        let _turn = turn.map_err(|_| ArtifactError::Unavailable {
            operation: MULTIPART,
            source: io::Error::other("others have their parts signed"),
        })?;
        let failed = |fault: Fault| fault.on(file, MULTIPART);
        let name = self.objects.begin_direct(&key).await.map_err(failed)?;
        // Until the client has its name, nobody else can give it up.
        let upload = Begun::new(&self.objects, key, name);
        let signed = self
            .objects
            .sign_parts(upload.key(), upload.name(), parts)
            .await;
        Ok(MultipartUpload {
            parts: signed.map_err(failed)?,
            upload_id: upload.keep(),
        })
    }

    async fn complete_multipart(
        &self,
        file: &ArtifactPath,
        upload_id: &str,
        parts: &[UploadedPart],
    ) -> Result<(), ArtifactError> {
        Self::check(self.capabilities().multipart_uploads, MULTIPART)?;
        let key = self.file(file)?;
        check_upload(file, upload_id, parts)?;
        let finished = self.objects.finish_direct(&key, upload_id, parts).await;
        finished.map_err(|fault| fault.on(file, MULTIPART))
    }

    async fn abort_multipart(
        &self,
        file: &ArtifactPath,
        upload_id: &str,
    ) -> Result<(), ArtifactError> {
        Self::check(self.capabilities().multipart_uploads, MULTIPART)?;
        let key = self.file(file)?;
        check_upload(file, upload_id, &[])?;
        let aborted = self.objects.abort(&key, upload_id).await;
        aborted.map_err(|fault| fault.on(file, MULTIPART))
    }

    async fn presign_download(
        &self,
        file: &ArtifactPath,
        valid: Duration,
    ) -> Result<SignedUrl, ArtifactError> {
        const OPERATION: &str = "Presigned download";
        Self::check(self.capabilities().presigned_downloads, OPERATION)?;
        let key = self.file(file)?;
        let Meta { size, .. } = match self.objects.head(&key).await {
            Err(Fault::NotFound) => return Err(self.absent(file).await),
            meta => meta.map_err(|fault| fault.on(file, OPERATION))?,
        };
        let url = self.objects.sign_read(&key, valid).await;
        Ok(SignedUrl {
            url: url.map_err(|fault| fault.on(file, OPERATION))?,
            headers: Vec::new(),
            file_size: Some(size),
        })
    }

    async fn presign_upload(
        &self,
        file: &ArtifactPath,
        valid: Duration,
    ) -> Result<SignedUrl, ArtifactError> {
        const OPERATION: &str = "Presigned upload";
        Self::check(self.capabilities().presigned_uploads, OPERATION)?;
        let key = self.file(file)?;
        let url = self.objects.sign_write(&key, valid).await;
        url.map_err(|fault| fault.on(file, OPERATION))
    }
}

fn read(opened: Opened, operation: &'static str) -> ArtifactRead {
    let Range { start, end } = opened.range;
    let content = opened
        .content
        .map_err(move |source| ArtifactError::internal(operation, source));
    ArtifactRead {
        size: opened.meta.size,
        range: start..end,
        modified: opened.meta.modified,
        etag: Some(strong_etag(&opened.meta.etag)),
        content: Box::pin(content),
    }
}

#[cfg(test)]
mod tests {
    use crate::ArtifactPath;

    #[test]
    fn names_that_lead_elsewhere_are_not_listed() {
        let root = ArtifactPath::root();
        for name in ["model.pkl", "a b", "100%", "ü", "..."] {
            assert!(root.entry(name).is_some(), "{name}");
        }
        for name in ["", "..", ".", "a/b", "a\n", "a\0b", "c:x"] {
            assert!(root.entry(name).is_none(), "{name:?}");
        }
        let inner = ArtifactPath::parse("d").unwrap();
        assert!(inner.entry("c:x").is_some(), "it is no drive there");
        assert!(inner.entry("..").is_none());
    }
}
