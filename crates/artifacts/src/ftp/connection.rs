//! One control connection, and the data connections that it opens.
//!
//! Lines and answers are bounded, every wait has a limit. A data connection
//! goes to the host of the control connection, wherever the server says.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::authority::Authority;
use crate::tree::Fault;

const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long an answer, or a piece of a file, may take to come or to go.
pub(super) const PAUSE_TIME: Duration = Duration::from_mins(1);

const LINE_BYTES: u64 = 8 << 10;
const ANSWER_LINES: usize = 256;

/// FTP's port.
const PORT: u16 = 21;

/// What a server can do beyond the first standard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Features {
    /// Lists and looks in a form that programs read (RFC 3659).
    pub(super) facts: bool,
    /// Sets the time of a file.
    pub(super) touch: bool,
}

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct Connection {
    peer: SocketAddr,
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
    pub(super) features: Features,
}

/// An answer of a server.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Answer {
    /// What it says when it is no success.
    pub(super) fn fault(self) -> Fault {
        let text: String = self.lines.join(" ").chars().take(300).collect();
        let error = io::Error::other(format!("FTP answered {} {text}", self.code));
        match self.code {
            421 | 425 | 426 => Fault::Unavailable(error),
            452 | 552 => Fault::Full,
            _ => Fault::Other(error),
        }
    }

    /// Whether one of `words`, in small letters, is in its text, beside the path
    /// that was asked for.
    pub(super) fn says(&self, path: &str, words: &[&str]) -> bool {
        let text = self.lines.join(" ").replace(path, "/").to_lowercase();
        words.iter().any(|word| text.contains(word))
    }

    pub(super) fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The same, if it is a success.
    pub(super) fn done(self) -> Result<Self, Fault> {
        if self.is_done() {
            return Ok(self);
        }
        Err(self.fault())
    }
}

/// Waits for a part of the conversation.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Fault> {
    match timeout(limit, work).await {
        Ok(result) => result.map_err(Fault::of_connection),
        Err(_) => Err(Fault::of_connection(io::ErrorKind::TimedOut.into())),
    }
}

impl Connection {
    pub(super) async fn open(authority: &Authority) -> Result<Self, Fault> {
        let place = (authority.host.as_str(), authority.port.unwrap_or(PORT));
        let socket = within(CONNECT_TIME, TcpStream::connect(place)).await?;
        let _ = socket.set_nodelay(true);
        let peer = socket.peer_addr().map_err(Fault::of_connection)?;
        let (input, output) = socket.into_split();
        let mut connection = Self {
            peer,
            input: BufReader::new(input),
            output,
            features: Features::default(),
        };
        let mut greeting = connection.answer().await?;
        // 120: ready in a while.
        if greeting.code == 120 {
            greeting = connection.answer().await?;
        }
        greeting.done()?;
        connection.log_in(authority).await?;
        let features = connection.ask("FEAT").await?;
        for line in &features.lines {
            let name = line.split_whitespace().next().unwrap_or_default();
            match name.to_ascii_uppercase().as_str() {
                "MLST" => connection.features.facts = true,
                "MFMT" => connection.features.touch = true,
                _ => {}
            }
        }
        // Where it is not known, names are UTF-8 or nothing that helps.
        connection.ask("OPTS UTF8 ON").await?;
        connection.ask("TYPE I").await?.done()?;
        Ok(connection)
    }

    async fn log_in(&mut self, authority: &Authority) -> Result<(), Fault> {
        let user = authority.user.as_deref().unwrap_or("anonymous");
        let answer = self.ask(&format!("USER {user}")).await?;
        let answer = match answer.code {
            331 => {
                let password = match (&authority.user, &authority.password) {
                    (_, Some(password)) => password.as_str(),
                    (None, None) => "anonymous@",
                    (Some(_), None) => "",
                };
                self.ask(&format!("PASS {password}")).await?
            }
            _ => answer,
        };
        answer.done().map(drop)
    }

    /// Sends a command, and waits for its answer.
    pub(super) async fn ask(&mut self, command: &str) -> Result<Answer, Fault> {
        self.say(command).await?;
        self.answer().await
    }

    async fn say(&mut self, command: &str) -> Result<(), Fault> {
        // A path is free of them, and so are user and password.
        if command.contains(['\r', '\n', '\0']) {
            let error = io::Error::other("a command of FTP would have two lines");
            return Err(Fault::Other(error));
        }
        let line = format!("{command}\r\n");
        within(PAUSE_TIME, self.output.write_all(line.as_bytes())).await
    }

    /// The next answer: a line, or lines up to one that begins with the same code.
    pub(super) async fn answer(&mut self) -> Result<Answer, Fault> {
        let first = self.line().await?;
        let code = code_of(&first).ok_or_else(|| Fault::strange("a line without a code"))?;
        let mut lines = vec![text_of(&first)];
        if first.as_bytes().get(3) == Some(&b'-') {
            loop {
                let line = self.line().await?;
                if code_of(&line) == Some(code) && line.as_bytes().get(3) != Some(&b'-') {
                    lines.push(text_of(&line));
                    break;
                }
                lines.push(line);
                if lines.len() > ANSWER_LINES {
                    return Err(Fault::strange("an answer of too many lines"));
                }
            }
        }
        Ok(Answer { code, lines })
    }

    async fn line(&mut self) -> Result<String, Fault> {
        let mut line = Vec::new();
        let mut input = (&mut self.input).take(LINE_BYTES);
        within(PAUSE_TIME, input.read_until(b'\n', &mut line)).await?;
        if line.last() != Some(&b'\n') {
            return Err(Fault::of_connection(io::ErrorKind::UnexpectedEof.into()));
        }
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// A data connection, for the command that comes next.
    pub(super) async fn data(&mut self) -> Result<TcpStream, Fault> {
        let answer = self.ask("EPSV").await?;
        let port = if answer.is_done() {
            extended_port(&answer.lines)
        } else {
            passive_port(&self.ask("PASV").await?.done()?.lines)
        };
        let port = port.ok_or_else(|| Fault::strange("no port for data"))?;
        let address = SocketAddr::new(self.peer.ip(), port);
        within(CONNECT_TIME, TcpStream::connect(address)).await
    }
}

fn code_of(line: &str) -> Option<u16> {
    line.get(..3)?.parse().ok().filter(|code| *code >= 100)
}

fn text_of(line: &str) -> String {
    line.get(4..).unwrap_or_default().to_owned()
}

/// `Entering Extended Passive Mode (|||6446|)`
fn extended_port(lines: &[String]) -> Option<u16> {
    let (_, rest) = lines.first()?.split_once("(|||")?;
    rest.split_once('|')?.0.parse().ok()
}

/// `Entering Passive Mode (127,0,0,1,25,46)`; the host is not looked at.
fn passive_port(lines: &[String]) -> Option<u16> {
    let line = lines.first()?;
    let mut digits = line.split(|c: char| !c.is_ascii_digit() && c != ',');
    let numbers = digits.rfind(|part| part.matches(',').count() == 5)?;
    let numbers: Vec<u8> = numbers
        .split(',')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let [.., high, low] = numbers[..] else {
        return None;
    };
    Some(u16::from(high) << 8 | u16::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_and_hosts_are_not_believed() {
        let lines = |text: &str| vec![text.to_owned()];
        assert_eq!(extended_port(&lines("Entering (|||6446|)")), Some(6446));
        assert_eq!(extended_port(&lines("(|1|10.0.0.1|80|)")), None);
        assert_eq!(passive_port(&lines("Mode (10,0,0,1,25,46).")), Some(6446));
        assert_eq!(passive_port(&lines("=127,0,0,1,25,46")), Some(6446));
        assert_eq!(passive_port(&lines("Mode (10,0,0,1,25,460)")), None);
        assert_eq!(passive_port(&lines("no")), None);
    }

    #[test]
    fn codes_are_three_digits() {
        assert_eq!(code_of("226 done"), Some(226));
        assert_eq!(code_of("ab"), None);
        assert_eq!(code_of("01x y"), None);
        assert_eq!(code_of("ü226"), None);
    }
}
