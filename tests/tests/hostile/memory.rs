//! Artifacts stream in both directions: their size does not show in the server's memory.

use runledger_e2e::api::PROXY;
use runledger_e2e::server::Home;

const LARGE: u64 = 256 << 20;
const SMALL: u64 = 1 << 20;
/// Bytes that moving a large artifact may add to the highest memory so far.
const GROWTH: u64 = 32 << 20;

#[test]
fn a_large_artifact_takes_no_more_memory_than_a_small_one() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut client = server.client();
    let (small, large) = (format!("{PROXY}/small.bin"), format!("{PROXY}/large.bin"));
    assert_eq!(client.upload(&small, SMALL).expect("an answer").status, 200);
    assert_eq!(client.download(&small).expect("an answer"), (200, SMALL));
    let (_, before) = server.memory();
    assert_eq!(client.upload(&large, LARGE).expect("an answer").status, 200);
    let (_, uploaded) = server.memory();
    assert!(
        uploaded < before + GROWTH,
        "uploading: from {before} to {uploaded} bytes"
    );
    assert_eq!(client.download(&large).expect("an answer"), (200, LARGE));
    let (_, downloaded) = server.memory();
    assert!(
        downloaded < before + GROWTH,
        "downloading: from {before} to {downloaded} bytes"
    );
}

#[test]
fn an_upload_that_breaks_off_leaves_no_artifact() {
    use std::io::Write;

    use runledger_e2e::http::connect;

    let home = Home::new().expect("a folder");
    let server = home.start();
    let target = format!("{PROXY}/broken.bin");
    {
        let mut stream = connect(server.address()).expect("a connection");
        let head = format!(
            "PUT {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\nhalf",
            server.address()
        );
        stream.write_all(head.as_bytes()).expect("half an upload");
    }
    // A later upload to another name is served after the broken one was seen to end, or before: both must hold.
    let mut client = server.client();
    assert_eq!(
        client
            .upload(&format!("{PROXY}/other.bin"), SMALL)
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(client.get(&target).expect("an answer").status, 404);
}
