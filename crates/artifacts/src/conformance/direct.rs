//! Around the server: uploads in parts, and signed URLs.
//!
//! A repository that has no such thing must say so, and refuse it as such.

use std::time::Duration;

use super::{Capabilities, Outcome, Repository, check, get, names, path, put, same};
use crate::{ArtifactError, MultipartUpload, SignedUrl, UploadedPart};

mod plain_http;

use plain_http::{Answer, request};

const VALID: Duration = Duration::from_mins(5);

/// Bytes of a part that every storage takes.
const PART: usize = 5 << 20;

/// Checks the answer of a repository that has not what was asked for.
fn refused<T: std::fmt::Debug>(answer: &Result<T, ArtifactError>) -> Outcome {
    check(
        matches!(answer, Err(ArtifactError::Unsupported { .. })),
        format_args!("expected unsupported: {answer:?}"),
    )
}

fn has(repository: &Repository, ability: fn(Capabilities) -> bool) -> bool {
    ability(repository.capabilities())
}

async fn send(url: &SignedUrl, body: Vec<u8>) -> Result<Answer, super::Broken> {
    let answer = request("PUT", &url.url, &url.headers, body).await?;
    check(
        (200..300).contains(&answer.status),
        format_args!("the storage answers {answer:?}"),
    )?;
    Ok(answer)
}

pub(super) async fn parts_become_a_file(repository: Repository) -> Outcome {
    let file = path("d/a b.bin")?;
    let upload = repository.create_multipart(&file, 2).await;
    if !has(&repository, |can| can.multipart_uploads) {
        return refused(&upload);
    }
    let upload = upload?;
    same(&upload.parts.len(), &2)?;
    let contents = [vec![b'1'; PART], b"the end".to_vec()];
    let mut parts = Vec::new();
    for ((number, url), content) in (1..).zip(&upload.parts).zip(&contents) {
        let answer = send(url, content.clone()).await?;
        parts.push(UploadedPart {
            number,
            etag: answer.header("etag").unwrap_or_default(),
            url: url.url.clone(),
        });
    }
    same(&names(&repository, "").await?, &Vec::new())?;
    let id = upload.upload_id.unwrap_or_default();
    repository.complete_multipart(&file, &id, &parts).await?;
    check(
        get(&repository, "d/a b.bin").await? == contents.concat(),
        "the file is not its parts",
    )
}

pub(super) async fn an_aborted_upload_leaves_nothing(repository: Repository) -> Outcome {
    let file = path("d/f")?;
    let upload = repository.create_multipart(&file, 1).await;
    if !has(&repository, |can| can.multipart_uploads) {
        refused(&upload)?;
        return refused(&repository.abort_multipart(&file, "x").await);
    }
    let upload = upload?;
    send(&upload.parts[0], vec![b'1'; PART]).await?;
    let id = upload.upload_id.unwrap_or_default();
    repository.abort_multipart(&file, &id).await?;
    same(&names(&repository, "").await?, &Vec::new())
}

pub(super) async fn a_file_is_put_after_an_aborted_upload(repository: Repository) -> Outcome {
    let file = path("d/f")?;
    if has(&repository, |can| can.multipart_uploads) {
        let upload = repository.create_multipart(&file, 1).await?;
        send(&upload.parts[0], vec![b'1'; PART]).await?;
        let id = upload.upload_id.unwrap_or_default();
        repository.abort_multipart(&file, &id).await?;
    }
    // In parts, too.
    let content = vec![b'2'; PART + (1 << 20)];
    put(&repository, "d/f", &content).await?;
    check(
        get(&repository, "d/f").await? == content,
        "the file is not what was put",
    )
}

pub(super) async fn uploads_of_one_file_do_not_mix(repository: Repository) -> Outcome {
    let file = path("d/f")?;
    let one = repository.create_multipart(&file, 2).await;
    if !has(&repository, |can| can.multipart_uploads) {
        return refused(&one);
    }
    let uploads = [one?, repository.create_multipart(&file, 2).await?];
    let mut parts = Vec::new();
    // The first part of one, and the second of the other.
    for ((number, upload), content) in (1..).zip(&uploads).zip([vec![b'1'; PART], vec![b'2']]) {
        let url = &upload.parts[number as usize - 1];
        let answer = send(url, content).await?;
        parts.push(UploadedPart {
            number,
            etag: answer.header("etag").unwrap_or_default(),
            url: url.url.clone(),
        });
    }
    for upload in uploads {
        let id = upload.upload_id.unwrap_or_default();
        let answer = repository.complete_multipart(&file, &id, &parts).await;
        check(
            matches!(answer, Err(ArtifactError::InvalidUpload { .. })),
            format_args!("expected no such upload: {answer:?}"),
        )?;
        // The service may have forgotten it.
        let _ = repository.abort_multipart(&file, &id).await;
    }
    same(&names(&repository, "").await?, &Vec::new())
}

pub(super) async fn what_names_no_upload_is_refused(repository: Repository) -> Outcome {
    let file = path("d/f")?;
    let part = |number, etag: &str| UploadedPart {
        number,
        etag: etag.to_owned(),
        url: String::new(),
    };
    let upload = repository.create_multipart(&file, 1).await;
    if !has(&repository, |can| can.multipart_uploads) {
        refused(&upload)?;
        return refused(
            &repository
                .complete_multipart(&file, "", &[part(0, "")])
                .await,
        );
    }
    let id = upload?.upload_id.unwrap_or_default();
    let mut answers = vec![repository.abort_multipart(&file, "").await];
    for (id, part) in [
        ("", part(1, "e")),
        (&id, part(0, "e")),
        (&id, part(MultipartUpload::MAX_PARTS + 1, "e")),
        (&id, part(1, "no etag")),
    ] {
        let answer = repository.complete_multipart(&file, id, &[part]).await;
        answers.push(answer);
    }
    for answer in answers {
        check(
            matches!(answer, Err(ArtifactError::InvalidUpload { .. })),
            format_args!("expected no such upload: {answer:?}"),
        )?;
    }
    repository.abort_multipart(&file, &id).await?;
    Ok(())
}

pub(super) async fn parts_that_were_not_sent_make_no_file(repository: Repository) -> Outcome {
    let file = path("d/f")?;
    let upload = repository.create_multipart(&file, 1).await;
    if !has(&repository, |can| can.multipart_uploads) {
        refused(&upload)?;
        return refused(&repository.complete_multipart(&file, "x", &[]).await);
    }
    let upload = upload?;
    let parts = [UploadedPart {
        number: 1,
        etag: "\"00000000000000000000000000000000\"".to_owned(),
        url: upload.parts[0].url.clone(),
    }];
    let id = upload.upload_id.unwrap_or_default();
    let answer = repository.complete_multipart(&file, &id, &parts).await;
    check(
        matches!(answer, Err(ArtifactError::InvalidUpload { .. })),
        format_args!("expected no such upload: {answer:?}"),
    )?;
    same(&names(&repository, "").await?, &Vec::new())
}

pub(super) async fn the_number_of_parts_is_bounded(repository: Repository) -> Outcome {
    for parts in [0, MultipartUpload::MAX_PARTS + 1] {
        let answer = repository.create_multipart(&path("f")?, parts).await;
        if !has(&repository, |can| can.multipart_uploads) {
            refused(&answer)?;
            continue;
        }
        check(
            matches!(answer, Err(ArtifactError::TooManyParts { .. })),
            format_args!("{parts} parts: {answer:?}"),
        )?;
    }
    Ok(())
}

pub(super) async fn a_file_is_read_by_its_url(repository: Repository) -> Outcome {
    put(&repository, "d/a b+c.txt", b"hello").await?;
    let file = path("d/a b+c.txt")?;
    let url = repository.presign_download(&file, VALID).await;
    if !has(&repository, |can| can.presigned_downloads) {
        return refused(&url);
    }
    let url = url?;
    same(&url.file_size, &Some(5))?;
    let answer = request("GET", &url.url, &url.headers, Vec::new()).await?;
    same(&(answer.status, &answer.body[..]), &(200, &b"hello"[..]))
}

pub(super) async fn a_missing_file_has_no_url(repository: Repository) -> Outcome {
    let url = repository.presign_download(&path("no/such")?, VALID).await;
    if !has(&repository, |can| can.presigned_downloads) {
        return refused(&url);
    }
    check(
        matches!(url, Err(ArtifactError::NotFound { .. })),
        format_args!("expected not found: {url:?}"),
    )
}

pub(super) async fn a_file_is_written_by_its_url(repository: Repository) -> Outcome {
    let url = repository.presign_upload(&path("d/f.txt")?, VALID).await;
    if !has(&repository, |can| can.presigned_uploads) {
        return refused(&url);
    }
    send(&url?, b"hello".to_vec()).await?;
    same(&&*get(&repository, "d/f.txt").await?, &&b"hello"[..])
}
