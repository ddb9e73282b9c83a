//! A small HTTP/1.1 client on `std::net`.
//!
//! It keeps its connection alive, never retries, and tells a request that was refused from one that went unanswered
//! and from an answer that broke off: the tests need to know which. It is not made for untrusted servers.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

/// A guard against a server that hangs; no test waits for it.
pub const GUARD: Duration = Duration::from_mins(2);

/// Bytes of a piece of a streamed body.
const PIECE: usize = 64 * 1024;

/// Bytes of a target and of a body that a failed test shows.
const SHOWN: usize = 1000;

/// Why a request has no whole answer.
#[derive(Debug)]
pub enum Failure {
    /// No connection could be made: the server never saw the request.
    Refused(io::Error),
    /// The connection ended before the first byte of an answer.
    Unanswered(io::Error),
    /// An answer began and broke off, or was not HTTP.
    Broken(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(e) => write!(f, "no connection: {e}"),
            Self::Unanswered(e) => write!(f, "no answer: {e}"),
            Self::Broken(e) => write!(f, "half an answer: {e}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A request whose body is at hand.
#[derive(Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.as_deref().unwrap_or_default();
        let start = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
        let target: String = self.target.chars().take(SHOWN).collect();
        write!(
            f,
            "{} {target} {:?} {start:?} ({} bytes)",
            self.method,
            self.headers,
            body.len()
        )
    }
}

impl Request {
    /// A request without a body. The target is sent as it is, however odd.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// A POST of a JSON document.
    pub fn post(target: &str, json: &Value) -> Self {
        Self::new("POST", target)
            .header("Content-Type", "application/json")
            .body(json.to_string().into_bytes())
    }

    /// Adds a header; `Host` replaces the one that would be sent.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The bytes of the request line and headers.
    fn head(&self, host: &str, length: Option<u64>) -> Vec<u8> {
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.target)];
        if !self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            lines.push(format!("Host: {host}"));
        }
        lines.extend(
            self.headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        lines.extend(length.map(|length| format!("Content-Length: {length}")));
        (lines.join("\r\n") + "\r\n\r\n").into_bytes()
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, without any transfer coding.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client with at most one connection, which it keeps alive.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client of the server at this address; it connects with the first request.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        // A body that is absent where the method would allow one is an empty one.
        let body = request.body.as_deref().unwrap_or_default();
        let length = (request.body.is_some()
            || !matches!(request.method.as_str(), "GET" | "HEAD" | "DELETE"))
        .then_some(body.len() as u64);
        let mut message = request.head(&self.address.to_string(), length);
        message.extend_from_slice(body);
        self.exchange(request.method == "HEAD", |stream| {
            stream.write_all(&message)
        })
    }

    /// GETs a target.
    pub fn get(&mut self, target: &str) -> Result<Response, Failure> {
        self.send(&Request::new("GET", target))
    }

    /// POSTs a JSON document.
    pub fn post(&mut self, target: &str, json: &Value) -> Result<Response, Failure> {
        self.send(&Request::post(target, json))
    }

    /// PUTs `length` bytes of [`pattern`] without holding them in memory.
    pub fn upload(&mut self, target: &str, length: u64) -> Result<Response, Failure> {
        let head = Request::new("PUT", target).head(&self.address.to_string(), Some(length));
        self.exchange(false, |stream| {
            stream.write_all(&head)?;
            let mut sent = 0;
            while sent < length {
                let left = usize::try_from(length - sent).unwrap_or(PIECE);
                let piece = pattern(sent, left.min(PIECE));
                stream.write_all(piece)?;
                sent += piece.len() as u64;
            }
            Ok(())
        })
    }

    /// GETs a target whose body must be [`pattern`]; its status and length, without holding it in memory.
    ///
    /// # Panics
    /// If the body differs from the pattern.
    pub fn download(&mut self, target: &str) -> Result<(u16, u64), Failure> {
        let request = Request::new("GET", target).head(&self.address.to_string(), None);
        let connection = self.connected()?;
        connection
            .get_mut()
            .write_all(&request)
            .map_err(Failure::Unanswered)?;
        let head = Head::read(connection)?;
        let mut seen = 0;
        head.body(connection, &mut |piece| {
            assert!(
                piece == pattern(seen, piece.len()),
                "the body differs from what was stored, near byte {seen}"
            );
            seen += piece.len() as u64;
        })
        .map_err(Failure::Broken)?;
        if head.closes {
            self.connection = None;
        }
        Ok((head.status, seen))
    }

    fn connected(&mut self) -> Result<&mut BufReader<TcpStream>, Failure> {
        if self.connection.is_none() {
            self.connection = Some(BufReader::with_capacity(
                PIECE,
                connect(self.address).map_err(Failure::Refused)?,
            ));
        }
        Ok(self.connection.as_mut().expect("connected above"))
    }

    fn exchange(
        &mut self,
        head_only: bool,
        send: impl FnOnce(&mut TcpStream) -> io::Result<()>,
    ) -> Result<Response, Failure> {
        let connection = self.connected()?;
        // A server that refuses a body may stop reading it: what it said counts, not that the sending failed.
        let written = send(connection.get_mut());
        let answer = Head::read(connection).and_then(|head| {
            let mut body = Vec::new();
            if !head_only {
                head.body(connection, &mut |piece| body.extend_from_slice(piece))
                    .map_err(Failure::Broken)?;
            }
            Ok((
                head.closes,
                Response {
                    status: head.status,
                    headers: head.headers,
                    body,
                },
            ))
        });
        if written.is_err() || !matches!(answer, Ok((false, _))) {
            self.connection = None;
        }
        answer.map(|(_, response)| response)
    }
}

/// Opens a connection with guards on reading and writing.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, GUARD)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(GUARD))?;
    stream.set_write_timeout(Some(GUARD))?;
    Ok(stream)
}

/// Reads one answer from a connection that was written to by hand.
pub fn read_response(stream: TcpStream) -> Result<Response, Failure> {
    let mut reader = BufReader::new(stream);
    let head = Head::read(&mut reader)?;
    let mut body = Vec::new();
    head.body(&mut reader, &mut |piece| body.extend_from_slice(piece))
        .map_err(Failure::Broken)?;
    Ok(Response {
        status: head.status,
        headers: head.headers,
        body,
    })
}

/// Bytes `from` to `from + length` of an endless body; at most 64 KiB.
///
/// It repeats after a prime number of bytes, so that a piece in the wrong place shows.
pub fn pattern(from: u64, length: usize) -> &'static [u8] {
    const PERIOD: u64 = 65_537;
    static TWICE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = TWICE.get_or_init(|| {
        (0..2 * PERIOD)
            .map(|i| ((i % PERIOD).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56).to_le_bytes()[0])
            .collect()
    });
    let start = usize::try_from(from % PERIOD).expect("less than the period");
    &bytes[start..start + length]
}

#[derive(Debug)]
enum Length {
    Known(u64),
    Chunked,
    UntilClose,
}

#[derive(Debug)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    length: Length,
    closes: bool,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> Result<Self, Failure> {
        let first = line(reader).map_err(Failure::Unanswered)?;
        Self::parse(&first, reader).map_err(Failure::Broken)
    }

    fn parse(first: &str, reader: &mut impl BufRead) -> io::Result<Self> {
        let status = first
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1))
            .and_then(|code| code.parse::<u16>().ok())
            .ok_or_else(|| broken(&format!("not a status line: {first:?}")))?;
        let mut headers = Vec::new();
        loop {
            let text = line(reader)?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text
                .split_once(':')
                .ok_or_else(|| broken("a header without a colon"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let find = |name: &str| {
            headers
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
        };
        let length = if matches!(status, 100..200 | 204 | 304) {
            Length::Known(0)
        } else if let Some(text) = find("content-length") {
            Length::Known(
                text.parse()
                    .map_err(|_| broken("a content-length that is not a number"))?,
            )
        } else if find("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            Length::Chunked
        } else {
            Length::UntilClose
        };
        let closes = matches!(length, Length::UntilClose)
            || find("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"))
            || first.starts_with("HTTP/1.0");
        Ok(Self {
            status,
            headers,
            length,
            closes,
        })
    }

    fn body(&self, reader: &mut impl BufRead, sink: &mut impl FnMut(&[u8])) -> io::Result<()> {
        match self.length {
            Length::Known(length) => copy(reader, length, sink),
            Length::Chunked => loop {
                let size = line(reader)?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16)
                    .map_err(|_| broken("a chunk size that is not a number"))?;
                copy(reader, size, sink)?;
                // After the last chunk this is the end of the trailers, which no server of ours sends.
                line(reader)?;
                if size == 0 {
                    return Ok(());
                }
            },
            Length::UntilClose => loop {
                let piece = reader.fill_buf()?;
                if piece.is_empty() {
                    return Ok(());
                }
                sink(piece);
                let taken = piece.len();
                reader.consume(taken);
            },
        }
    }
}

fn copy(reader: &mut impl BufRead, mut left: u64, sink: &mut impl FnMut(&[u8])) -> io::Result<()> {
    while left > 0 {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        sink(&piece[..taken]);
        reader.consume(taken);
        left -= taken as u64;
    }
    Ok(())
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader.take(PIECE as u64).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| broken("a header that is not text"))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> Result<(Head, Vec<u8>), Failure> {
        let head = Head::read(&mut bytes)?;
        let mut body = Vec::new();
        head.body(&mut bytes, &mut |piece| body.extend_from_slice(piece))
            .map_err(Failure::Broken)?;
        Ok((head, body))
    }

    #[test]
    fn a_body_is_as_long_as_its_length_says() {
        let (head, body) = read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1").unwrap();
        assert_eq!(
            (head.status, head.closes, body.as_slice()),
            (200, false, b"{}".as_slice())
        );
    }

    #[test]
    fn chunks_are_joined() {
        let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n";
        assert_eq!(read(text).unwrap().1, b"abc");
    }

    #[test]
    fn half_an_answer_is_broken() {
        let halves = [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            "SSH-2.0\r\n",
        ];
        for half in halves {
            assert!(
                matches!(read(half.as_bytes()), Err(Failure::Broken(_))),
                "{half}"
            );
        }
    }

    #[test]
    fn no_byte_is_no_answer() {
        assert!(matches!(read(b""), Err(Failure::Unanswered(_))));
    }
}
