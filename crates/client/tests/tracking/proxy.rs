//! A proxy between a client and a server that does what networks and busy servers
//! do to calls.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It arrives, and so does the answer.
    Passed,
    /// The connection breaks before the server sees it.
    Lost,
    /// The proxy answers 503 in the server's place.
    Refused,
    /// It arrives, and the answer is lost.
    AnswerLost,
    /// It arrives, and the answer is replaced by one of 502.
    AnswerReplaced,
    /// It arrives, and the answer is replaced by one of 503, as gateways do.
    AnswerRefused,
}

/// Faults of log-batch requests and of those that look what arrived, in turn.
const TURN: [Fault; 9] = [
    Fault::Refused,
    Fault::Passed,
    Fault::AnswerLost,
    Fault::Lost,
    Fault::Passed,
    Fault::AnswerReplaced,
    Fault::Refused,
    Fault::Passed,
    Fault::AnswerRefused,
];

/// Starts the proxy, which lives as long as the process. Returns its address and the
/// number of faults so far.
pub(crate) fn start(server: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (turn, faults) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&faults);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (turn, faults) = (Arc::clone(&turn), Arc::clone(&counted));
            thread::spawn(move || {
                // A connection that breaks is what this is for.
                let _ = serve(client, server, &turn, &faults);
            });
        }
    });
    (address, faults)
}

/// Starts a server that gives each request this answer. It lives as long as the process.
pub(crate) fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let request = read_request(&mut client)?;
                let text = answer(&String::from_utf8_lossy(&request));
                client.write_all(text.as_bytes())
            });
        }
    });
    address
}

/// A whole answer, which asks to come again at once if it is a refusal.
pub(crate) fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\nretry-after: 0\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    )
}

/// One request, after which the connection ends.
fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    turn: &AtomicUsize,
    faults: &AtomicUsize,
) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    let request = read_request(&mut client)?;
    let head = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
    let is_met = head.contains("/runs/log-batch") || head.contains("/metrics/get-history");
    let fault = if is_met {
        TURN[turn.fetch_add(1, Ordering::Relaxed) % TURN.len()]
    } else {
        Fault::Passed
    };
    if fault != Fault::Passed {
        faults.fetch_add(1, Ordering::Relaxed);
    }
    match fault {
        Fault::Lost => Ok(()),
        Fault::Refused => answer(&mut client, "503 Service Unavailable"),
        Fault::AnswerLost => forward(&request, server).map(drop),
        Fault::AnswerReplaced => {
            forward(&request, server)?;
            answer(&mut client, "502 Bad Gateway")
        }
        Fault::AnswerRefused => {
            forward(&request, server)?;
            answer(&mut client, "503 Service Unavailable")
        }
        Fault::Passed => client.write_all(&forward(&request, server)?),
    }
}

fn answer(client: &mut TcpStream, status: &str) -> io::Result<()> {
    let text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    client.write_all(text.as_bytes())
}

/// The whole answer of the server.
fn forward(request: &[u8], server: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let line = request.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    stream.write_all(&request[..line])?;
    stream.write_all(b"connection: close\r\n")?;
    stream.write_all(&request[line..])?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn read_request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        let count = client.read(&mut piece)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&piece[..count]);
        let end = request.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end.map(|at| at + 4) else {
            continue;
        };
        let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(Ok(0), |text| text.trim().parse()).unwrap();
        if request.len() >= end + length {
            return Ok(request);
        }
    }
}
