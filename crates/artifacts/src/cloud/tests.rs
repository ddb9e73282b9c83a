//! Uploads into a storage that only counts what it is sent.

mod limits;
mod parts;

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::limits::Limits;
use super::{Fault, Keys, Meta, ObjectRepository, Objects, Opened, Page};
use crate::direct::{Capabilities, SignedUrl, UploadedPart};
use crate::{ArtifactError, ArtifactPath, ArtifactRepository, ByteStream};

const PART: usize = 1000;

/// What the storage was asked, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Write(usize),
    Begin,
    Part(u32, usize),
    Finish(Vec<String>),
    Abort,
    /// So many signatures.
    Sign(u32),
}

#[derive(Clone, Debug, Default)]
struct Counting {
    asked: Arc<Mutex<Vec<Asked>>>,
    fails_at: Option<u32>,
    forgets: bool,
    /// Never takes a part.
    hangs: bool,
    signs: Signs,
}

/// How it signs the parts of an upload.
#[derive(Clone, Copy, Debug, Default)]
enum Signs {
    #[default]
    Well,
    /// Its credentials cannot.
    Not,
    /// Without an end.
    Forever,
}

impl Counting {
    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn repository(&self) -> ObjectRepository<Self> {
        ObjectRepository::new(self.clone(), Keys::default(), PART)
    }

    async fn put(&self, content: ByteStream) -> Result<u64, ArtifactError> {
        self.repository().put(&file(), content, None).await
    }

    /// Waits until an upload that was dropped is given up.
    async fn given_up(&self) {
        for _ in 0..100 {
            if self.asked().last() == Some(&Asked::Abort) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the parts stay: {:?}", self.asked());
    }
}

#[async_trait]
impl Objects for Counting {
    async fn page(
        &self,
        _: &str,
        _: bool,
        _: Option<String>,
        _: Option<u16>,
    ) -> Result<Page, Fault> {
        Ok(Page::default())
    }

    async fn head(&self, _: &str) -> Result<Meta, Fault> {
        Err(Fault::NotFound)
    }

    async fn open(&self, _: &str, _: Option<Range<u64>>, _: Option<&str>) -> Result<Opened, Fault> {
        Err(Fault::NotFound)
    }

    async fn write(&self, _: &str, content: Bytes) -> Result<(), Fault> {
        self.note(Asked::Write(content.len()));
        Ok(())
    }

    async fn begin(&self, _: &str) -> Result<String, Fault> {
        self.note(Asked::Begin);
        Ok("upload".to_owned())
    }

    async fn part(
        &self,
        _: &str,
        upload: &str,
        number: u32,
        content: Bytes,
    ) -> Result<String, Fault> {
        assert_eq!(upload, "upload");
        if self.fails_at == Some(number) {
            return Err(Fault::Unavailable(std::io::Error::other("no")));
        }
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.note(Asked::Part(number, content.len()));
        Ok(number.to_string())
    }

    async fn finish(&self, _: &str, _: &str, parts: Vec<String>) -> Result<(), Fault> {
        if self.forgets {
            return Err(Fault::NoUpload);
        }
        self.note(Asked::Finish(parts));
        Ok(())
    }

    async fn abort(&self, _: &str, upload: &str) -> Result<(), Fault> {
        assert_eq!(upload, "upload");
        self.note(Asked::Abort);
        Ok(())
    }

    async fn remove(&self, _: Vec<String>) -> Result<(), Fault> {
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            multipart_uploads: true,
            ..Capabilities::default()
        }
    }

    async fn sign_parts(&self, _: &str, upload: &str, parts: u32) -> Result<Vec<SignedUrl>, Fault> {
        assert_eq!(upload, "upload");
        match self.signs {
            Signs::Well => self.note(Asked::Sign(parts)),
            Signs::Not => return Err(Fault::Unsupported),
            Signs::Forever => std::future::pending().await,
        }
        Ok(Vec::new())
    }

    async fn finish_direct(&self, _: &str, _: &str, parts: &[UploadedPart]) -> Result<(), Fault> {
        let parts = parts.iter().map(|part| part.number.to_string());
        self.note(Asked::Finish(parts.collect()));
        Ok(())
    }

    async fn sign_read(&self, _: &str, _: Duration) -> Result<String, Fault> {
        Err(Fault::NotFound)
    }

    async fn sign_write(&self, _: &str, _: Duration) -> Result<SignedUrl, Fault> {
        Err(Fault::NotFound)
    }
}

fn file() -> ArtifactPath {
    ArtifactPath::parse("d/f").unwrap()
}

/// So many bytes in chunks that fit no part.
fn bytes(count: usize) -> ByteStream {
    let chunks: Vec<_> = vec![b'x'; count]
        .chunks(333)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    stream::iter(chunks).boxed()
}

fn names(count: u32) -> Asked {
    Asked::Finish((1..=count).map(|number| number.to_string()).collect())
}

#[tokio::test]
async fn what_fits_a_part_is_one_request() {
    for length in [0, 1, PART - 1] {
        let storage = Counting::default();
        storage.put(bytes(length)).await.unwrap();
        assert_eq!(storage.asked(), [Asked::Write(length)]);
    }
}

#[tokio::test]
async fn parts_are_of_one_size_and_none_is_empty() {
    for (length, sizes) in [
        (PART, vec![1000]),
        (2 * PART, vec![1000, 1000]),
        (2 * PART + 1, vec![1000, 1000, 1]),
    ] {
        let storage = Counting::default();
        assert_eq!(storage.put(bytes(length)).await.unwrap(), length as u64);
        let mut expected = vec![Asked::Begin];
        expected.extend(
            (1..)
                .zip(&sizes)
                .map(|(number, size)| Asked::Part(number, *size)),
        );
        expected.push(names(u32::try_from(sizes.len()).unwrap()));
        assert_eq!(storage.asked(), expected);
    }
}

#[tokio::test]
async fn beyond_a_thousand_parts_they_are_larger() {
    let storage = Counting::default();
    storage.put(bytes(1002 * PART)).await.unwrap();
    let asked = storage.asked();
    assert_eq!(asked[1000], Asked::Part(1000, PART));
    assert_eq!(asked[1001], Asked::Part(1001, 2 * PART));
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_given_up() {
    let storage = Counting::default();
    let broken = bytes(3 * PART)
        .chain(stream::once(async { Err("gone".into()) }))
        .boxed();
    let outcome = storage.put(broken).await;
    assert!(matches!(outcome, Err(ArtifactError::BrokenUpload { .. })));
    storage.given_up().await;
}

#[tokio::test]
async fn an_upload_that_nobody_waits_for_is_given_up() {
    let storage = Counting::default();
    let endless = bytes(3 * PART).chain(stream::pending()).boxed();
    let waited = tokio::time::timeout(Duration::from_millis(100), storage.put(endless)).await;
    assert!(waited.is_err());
    storage.given_up().await;
}

#[tokio::test]
async fn an_upload_whose_part_is_refused_is_given_up() {
    let storage = Counting {
        fails_at: Some(2),
        ..Counting::default()
    };
    let outcome = storage.put(bytes(3 * PART)).await;
    assert!(matches!(outcome, Err(ArtifactError::Unavailable { .. })));
    storage.given_up().await;
}

#[tokio::test]
async fn an_upload_of_ours_that_is_gone_is_worth_another_try() {
    let storage = Counting {
        forgets: true,
        ..Counting::default()
    };
    let outcome = storage.put(bytes(3 * PART)).await;
    assert!(matches!(outcome, Err(ArtifactError::Unavailable { .. })));
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused_before_anything_is_asked() {
    let storage = Counting::default();
    let repository = storage.repository();
    let long = ArtifactPath::parse(&"x/".repeat(600)[..1199]).unwrap();
    let outcome = repository.put(&long, bytes(1), None).await;
    assert!(matches!(outcome, Err(ArtifactError::InvalidPath(_))));
    assert!(repository.list(&long).await.unwrap().is_empty());
    repository.delete(&long).await.unwrap();
    assert_eq!(storage.asked(), []);
}
