//! What is made of the answers of servers that are not as they should be.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, BufStream};
use tokio::net::TcpListener;

use super::lists::NAMES;
use super::*;

/// What a server does with a command.
enum Reply {
    Line(&'static str),
    /// Data, and what is said after it.
    Data(Vec<u8>, &'static str),
}

use Reply::{Data, Line};

/// A client of a server that has lists that programs read, or not.
async fn client(has_facts: bool, reply: fn(&str) -> Reply) -> Ftp {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(talk(socket, has_facts, reply));
        }
    });
    Ftp::open("ftp://test", &address.to_string()).unwrap()
}

async fn talk(socket: TcpStream, has_facts: bool, reply: fn(&str) -> Reply) -> io::Result<()> {
    let mut socket = BufStream::new(socket);
    let mut data = None;
    let mut answer = "220 hello".to_owned();
    loop {
        socket.write_all(format!("{answer}\r\n").as_bytes()).await?;
        socket.flush().await?;
        let mut line = String::new();
        if socket.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        answer = match line.split(' ').next().unwrap_or_default() {
            "USER" | "OPTS" | "TYPE" => "200 done".to_owned(),
            "FEAT" if has_facts => "211-has\r\n MLST type*;\r\n211 end".to_owned(),
            "FEAT" => "500 what?".to_owned(),
            "EPSV" => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let port = listener.local_addr()?.port();
                data = Some(listener);
                format!("229 passive (|||{port}|)")
            }
            _ => match reply(line) {
                Line(line) => line.to_owned(),
                Data(bytes, last) => {
                    socket.write_all(b"150 here\r\n").await?;
                    socket.flush().await?;
                    let listener = data.take().ok_or(io::ErrorKind::NotConnected)?;
                    let (mut connection, _) = listener.accept().await?;
                    // Who has read enough goes away.
                    let _ = connection.write_all(&bytes).await;
                    last.to_owned()
                }
            },
        };
    }
}

const DIRECTORY: &str = "250-at\r\n type=dir;size=0; /d\r\n250 end";
const FILE: &str = "250-at\r\n type=file;size=3; /d/f\r\n250 end";
const GONE: &str = "550 No such file or directory.";
const DENIED: &str = "550 Permission denied.";

fn is_other<T>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(Fault::Other(_)))
}

fn is_missing<T>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(Fault::NotFound))
}

#[tokio::test]
async fn what_must_not_be_read_is_not_taken_for_missing() {
    let ftp = client(true, |line| match line {
        "MLST /d" => Line(DIRECTORY),
        "MLST /d/f" => Line(FILE),
        "MLST /secret/f" => Line(DENIED),
        "MLSD /d" | "RETR /d/f" => Line("550 It cannot be opened."),
        _ => Line(GONE),
    })
    .await;
    assert!(is_other(&ftp.list("/d", 9).await));
    assert!(is_other(&ftp.open("/d/f", 0).await));
    assert!(is_other(&ftp.look("/secret/f").await));
    assert!(is_missing(&ftp.list("/gone", 9).await));
    assert!(is_missing(&ftp.list("/d/f", 9).await));
    assert!(is_missing(&ftp.open("/gone", 0).await));
    assert_eq!(ftp.look("/gone").await.unwrap(), None);
}

#[tokio::test]
async fn an_old_server_has_empty_directories_and_closed_ones() {
    let ftp = client(false, |line| match line {
        "CWD /d" | "CWD /empty" | "CWD /quiet" => Line("250 there"),
        "CWD /secret" | "NLST /d" => Line(DENIED),
        "NLST /empty" => Line("450 No files found."),
        "NLST /quiet" => Data(
            Vec::new(),
            "226 Transfer done (but failed to open directory).",
        ),
        _ => Line(GONE),
    })
    .await;
    assert!(is_other(&ftp.list("/d", 9).await));
    assert!(is_other(&ftp.list("/secret", 9).await));
    assert!(is_other(&ftp.list("/quiet", 9).await));
    assert!(ftp.list("/empty", 9).await.unwrap().is_empty());
    assert!(is_missing(&ftp.list("/gone", 9).await));
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_is_no_empty_artifact_directory() {
    let ftp = client(true, |line| match line {
        "MLST /d" => Line(DIRECTORY),
        "MLSD /d" => Line(DENIED),
        "DELE /d" => Line("550 It is a directory."),
        _ => Line(GONE),
    })
    .await;
    let root = crate::ArtifactPath::root();
    let tree = crate::tree::TreeRepository::new(Arc::new(ftp), &root);
    let directory = crate::ArtifactPath::parse("d").unwrap();
    let repository: &dyn crate::ArtifactRepository = &tree;
    assert!(repository.list(&directory).await.is_err());
    assert!(repository.delete(&directory).await.is_err());
}

#[tokio::test]
async fn a_link_is_removed_and_a_directory_is_not() {
    let ftp = client(true, |line| match line {
        "DELE /link" => Line("250 Gone."),
        "DELE /d" => Line("550 Is a directory."),
        _ => Line("450 Busy."),
    })
    .await;
    assert!(ftp.remove_link("/link").await.unwrap());
    assert!(!ftp.remove_link("/d").await.unwrap());
    assert!(is_other(&ftp.remove_link("/busy").await));
}

fn is_strange<T>(result: Result<T, Fault>, what: &str) -> bool {
    matches!(result, Err(Fault::Other(error)) if error.to_string().contains(what))
}

#[tokio::test]
async fn lists_are_bounded() {
    let ftp = client(true, |line| match line {
        "MLSD /wide" => {
            let mut line = b"type=file;size=1; ".to_vec();
            line.resize(40_000, b'x');
            Data(line, "226 done")
        }
        "MLSD /long" => {
            let mut line = b"type=file;size=1; ".to_vec();
            line.resize(10_000, b'x');
            line.push(b'\n');
            Data(line.repeat(4_000), "226 done")
        }
        "MLSD /last" => Data(b"type=file;size=1; x".to_vec(), "226 done"),
        _ => Line(GONE),
    })
    .await;
    assert!(is_strange(ftp.list("/wide", 250_000).await, "16 KiB"));
    assert!(is_strange(ftp.list("/long", 250_000).await, "32 MiB"));
    assert_eq!(ftp.list("/last", 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_more_names_are_looked_at_than_can_be() {
    let ftp = client(false, |line| match line {
        "CWD /d" => Line("250 there"),
        "NLST /d" => {
            let names: Vec<_> = (0..NAMES + 5).map(|n| format!("/d/{n}\r\n")).collect();
            Data(names.concat().into_bytes(), "226 done")
        }
        line if line.starts_with("SIZE /d/") => Line("213 3"),
        line if line.starts_with("MDTM /d/") => Line("213 20261127080103"),
        _ => Line(GONE),
    })
    .await;
    let list = ftp.list("/d", 250_000).await;
    assert!(matches!(list, Err(Fault::TooMany(NAMES))), "{list:?}");
    // Who removes them asks for as many as there can be.
    let names = ftp.list("/d", 20).await.unwrap();
    let names: Vec<_> = names.into_iter().map(|entry| entry.name).collect();
    let expected: Vec<_> = (0..=20).map(|n: usize| n.to_string()).collect();
    assert_eq!(names, expected);
    let tree = crate::tree::TreeRepository::new(Arc::new(ftp), &crate::ArtifactPath::root());
    let repository: &dyn crate::ArtifactRepository = &tree;
    let directory = crate::ArtifactPath::parse("d").unwrap();
    let error = repository.list(&directory).await.unwrap_err().to_string();
    assert!(error.contains("more than 5000 entries"), "{error}");
}
