//! Uploads whose parts a client sends.

use super::*;

fn signing(signs: Signs) -> Counting {
    Counting {
        signs,
        ..Counting::default()
    }
}

#[tokio::test]
async fn an_upload_that_is_signed_stays() {
    let storage = signing(Signs::Well);
    let upload = storage
        .repository()
        .create_multipart(&file(), 3)
        .await
        .unwrap();
    assert_eq!(upload.upload_id.as_deref(), Some("upload"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(storage.asked(), [Asked::Begin, Asked::Sign(3)]);
}

#[tokio::test]
async fn an_upload_that_cannot_be_signed_is_given_up() {
    let storage = signing(Signs::Not);
    let outcome = storage.repository().create_multipart(&file(), 3).await;
    assert!(matches!(outcome, Err(ArtifactError::Unsupported { .. })));
    storage.given_up().await;
}

#[tokio::test]
async fn an_upload_that_nobody_waits_to_be_signed_is_given_up() {
    let storage = signing(Signs::Forever);
    let repository = storage.repository();
    let path = file();
    let waited = tokio::time::timeout(
        Duration::from_millis(100),
        repository.create_multipart(&path, 3),
    );
    assert!(waited.await.is_err());
    storage.given_up().await;
}

#[tokio::test]
async fn signatures_wait_for_their_turn() {
    let storage = signing(Signs::Well);
    let limits = Limits {
        wait: Duration::from_millis(100),
        ..Limits::shared()
    };
    let limits = Limits {
        signing: Arc::new(tokio::sync::Semaphore::new(1)),
        ..limits
    };
    let repository = storage.repository().with_limits(limits.clone());
    let turn = limits.turn_to_sign().await.unwrap();
    let outcome = repository.create_multipart(&file(), 1).await;
    assert!(matches!(outcome, Err(ArtifactError::Unavailable { .. })));
    assert_eq!(storage.asked(), []);
    drop(turn);
    repository.create_multipart(&file(), 1).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_an_upload_is_not_asked_for() {
    let storage = Counting::default();
    let repository = storage.repository();
    let part = |number| UploadedPart {
        number,
        etag: String::new(),
        url: String::new(),
    };
    let mut outcomes = vec![repository.abort_multipart(&file(), "").await];
    for (id, number) in [("", 1), ("upload", 0), ("upload", 10_001)] {
        let parts = [part(number)];
        outcomes.push(repository.complete_multipart(&file(), id, &parts).await);
    }
    for outcome in outcomes {
        assert!(matches!(outcome, Err(ArtifactError::InvalidUpload { .. })));
    }
    assert_eq!(storage.asked(), []);
    let parts = [part(10_000)];
    let path = file();
    let done = repository.complete_multipart(&path, "upload", &parts);
    done.await.unwrap();
}
