//! loadgen: a light HTTP/1.1 load client for bench.py. Standard library only: rustc -O loadgen.rs
//!
//!   loadgen --addr 127.0.0.1:5000 --flow FILE --conns 16 --duration 3 [--max-iters N] [--seq-start K]
//!
//! A flow is a text file; one iteration runs its requests in order on one connection:
//!   REQ POST /api/2.0/mlflow/runs/create     start a request (the target is a template)
//!   HDR Name: value                          one header (a template)
//!   BODY @file                               body template read from a file
//!   TEXT {"a": {{seq}}}                      body template inline
//!   BIN @file                                binary body
//!   PATCH16 12,99                            write one fresh random 16-byte id at these offsets of BIN
//!   STREAM 1073741824                        send this many pseudo-random bytes as the body
//!   CAP run_id                               keep the first "run_id": "…" of the response as {{run_id}}
//! Template variables: {{seq}} unique per iteration, {{seq6}} the same padded to 6 digits,
//! {{conn}}, {{ts}} (ms), {{rnd}} (0..1), {{hex32}}, and whatever CAP kept.
//! Result: one JSON object on stdout. A request that does not answer 2xx is an error.
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

enum Seg {
    Lit(Vec<u8>),
    Var(String),
}
enum Body {
    None,
    Tpl(Vec<Seg>),
    Bin(Vec<u8>, Vec<Vec<usize>>),
    Stream(u64),
}
struct Step {
    method: String,
    target: Vec<Seg>,
    headers: Vec<Vec<Seg>>,
    body: Body,
    caps: Vec<String>,
}

struct Rng(u64);
impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn tpl(s: &[u8]) -> Vec<Seg> {
    let mut out = vec![];
    let mut lit = vec![];
    let mut i = 0;
    while i < s.len() {
        if s[i..].starts_with(b"{{") {
            if let Some(e) = s[i + 2..].windows(2).take(40).position(|w| w == b"}}") {
                let name = &s[i + 2..i + 2 + e];
                if !name.is_empty() && name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_')
                {
                    if !lit.is_empty() {
                        out.push(Seg::Lit(std::mem::take(&mut lit)));
                    }
                    out.push(Seg::Var(String::from_utf8_lossy(name).into_owned()));
                    i += e + 4;
                    continue;
                }
            }
        }
        lit.push(s[i]);
        i += 1;
    }
    if !lit.is_empty() {
        out.push(Seg::Lit(lit));
    }
    out
}

struct Ctx {
    seq: u64,
    conn: usize,
    rng: Rng,
    caps: HashMap<String, Vec<u8>>,
}
fn render(segs: &[Seg], c: &mut Ctx, out: &mut Vec<u8>) {
    for s in segs {
        match s {
            Seg::Lit(b) => out.extend_from_slice(b),
            Seg::Var(v) => match v.as_str() {
                "seq" => write!(out, "{}", c.seq).unwrap(),
                "seq6" => write!(out, "{:06}", c.seq % 1_000_000).unwrap(),
                "conn" => write!(out, "{}", c.conn).unwrap(),
                "ts" => write!(
                    out,
                    "{}",
                    SystemTime::now()
                        .duration_since(UNIX_EPOCH)
                        .unwrap()
                        .as_millis()
                )
                .unwrap(),
                "rnd" => write!(
                    out,
                    "{:.6}",
                    (c.rng.next() >> 11) as f64 / (1u64 << 53) as f64
                )
                .unwrap(),
                "hex32" => {
                    let (a, b) = (c.rng.next(), c.rng.next());
                    write!(out, "{:016x}{:016x}", a, b).unwrap()
                }
                name => {
                    if let Some(b) = c.caps.get(name) {
                        out.extend_from_slice(b)
                    }
                }
            },
        }
    }
}

fn load_flow(path: &str) -> Vec<Step> {
    let text = std::fs::read_to_string(path).expect("flow file");
    let mut steps: Vec<Step> = vec![];
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let file = |r: &str| std::fs::read(r.trim_start_matches('@')).expect("body file");
        if word == "REQ" {
            let (m, t) = rest.split_once(' ').expect("REQ METHOD TARGET");
            steps.push(Step {
                method: m.into(),
                target: tpl(t.as_bytes()),
                headers: vec![],
                body: Body::None,
                caps: vec![],
            });
            continue;
        }
        let st = steps.last_mut().expect("REQ first");
        match word {
            "HDR" => st.headers.push(tpl(rest.as_bytes())),
            "BODY" => st.body = Body::Tpl(tpl(&file(rest))),
            "TEXT" => st.body = Body::Tpl(tpl(rest.as_bytes())),
            "BIN" => st.body = Body::Bin(file(rest), vec![]),
            "PATCH16" => {
                if let Body::Bin(_, p) = &mut st.body {
                    p.push(rest.split(',').map(|x| x.trim().parse().unwrap()).collect())
                }
            }
            "STREAM" => st.body = Body::Stream(rest.parse().unwrap()),
            "CAP" => st.caps.push(rest.to_string()),
            w => panic!("unknown word {w}"),
        }
    }
    steps
}

// Chunked transfer coding. state: 0 in a size line, 1 in data, 2 in the line end after data, 3 in the trailers.
struct Dechunk {
    left: u64,
    line: Vec<u8>,
    state: u8,
}
impl Dechunk {
    fn feed(&mut self, mut b: &[u8], head: &mut Vec<u8>, bytes: &mut u64, keep: usize) -> bool {
        while !b.is_empty() {
            if self.state == 1 {
                let n = (self.left as usize).min(b.len());
                if head.len() < keep {
                    head.extend_from_slice(&b[..n]);
                }
                *bytes += n as u64;
                self.left -= n as u64;
                b = &b[n..];
                if self.left == 0 {
                    self.state = 2;
                }
                continue;
            }
            let c = b[0];
            b = &b[1..];
            if c != b'\n' {
                self.line.push(c);
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).trim().to_string();
            self.line.clear();
            match self.state {
                0 => {
                    self.left = u64::from_str_radix(line.split(';').next().unwrap().trim(), 16)
                        .unwrap_or(0);
                    self.state = if self.left == 0 { 3 } else { 1 };
                }
                2 => self.state = 0,
                _ => {
                    if line.is_empty() {
                        return true;
                    }
                }
            }
        }
        false
    }
}

struct Resp {
    status: u16,
    head: Vec<u8>,
    bytes: u64,
    close: bool,
}
struct Conn {
    addr: String,
    s: Option<TcpStream>,
    buf: Vec<u8>,
    connects: u64,
}
impl Conn {
    fn open(&mut self) -> std::io::Result<()> {
        if self.s.is_none() {
            let s = TcpStream::connect(&self.addr)?;
            s.set_nodelay(true)?;
            s.set_read_timeout(Some(Duration::from_secs(300)))?;
            s.set_write_timeout(Some(Duration::from_secs(300)))?;
            self.s = Some(s);
            self.connects += 1;
        }
        Ok(())
    }
    fn once(&mut self, msg: &[u8], stream: u64) -> std::io::Result<Resp> {
        self.open()?;
        let buf = &mut self.buf;
        let s = self.s.as_mut().unwrap();
        s.write_all(msg)?;
        if stream > 0 {
            let mut r = Rng(0x9E3779B97F4A7C15);
            let chunk: Vec<u8> = (0..131072).flat_map(|_| r.next().to_le_bytes()).collect();
            let mut left = stream;
            while left > 0 {
                let n = left.min(chunk.len() as u64) as usize;
                s.write_all(&chunk[..n])?;
                left -= n as u64;
            }
        }
        buf.resize(1 << 18, 0);
        let eof = || {
            std::io::Error::new(
                std::io::ErrorKind::UnexpectedEof,
                "closed before a response",
            )
        };
        let mut h: Vec<u8> = vec![];
        let hend;
        loop {
            let n = s.read(buf)?;
            if n == 0 {
                return Err(eof());
            }
            h.extend_from_slice(&buf[..n]);
            if let Some(p) = h.windows(4).position(|w| w == b"\r\n\r\n") {
                hend = p + 4;
                break;
            }
        }
        let text = String::from_utf8_lossy(&h[..hend]).to_ascii_lowercase();
        let status: u16 = text
            .split(' ')
            .nth(1)
            .and_then(|x| x.parse().ok())
            .unwrap_or(0);
        let get = |k: &str| {
            text.lines()
                .find_map(|l| l.strip_prefix(k).map(|v| v.trim().to_string()))
        };
        let close = get("connection:").map_or(false, |v| v.contains("close"))
            || text.starts_with("http/1.0");
        let mut head = h.split_off(hend);
        let mut bytes = head.len() as u64;
        let keep = 1 << 16;
        if let Some(cl) = get("content-length:").and_then(|v| v.parse::<u64>().ok()) {
            while bytes < cl {
                let n = s.read(buf)?;
                if n == 0 {
                    return Err(eof());
                }
                bytes += n as u64;
                if head.len() < keep {
                    head.extend_from_slice(&buf[..n]);
                }
            }
        } else if get("transfer-encoding:").map_or(false, |v| v.contains("chunked")) {
            let raw = std::mem::take(&mut head);
            let mut d = Dechunk {
                left: 0,
                line: vec![],
                state: 0,
            };
            bytes = 0;
            let mut done = d.feed(&raw, &mut head, &mut bytes, keep);
            while !done {
                let n = s.read(buf)?;
                if n == 0 {
                    return Err(eof());
                }
                done = d.feed(&buf[..n], &mut head, &mut bytes, keep);
            }
        } else if close && status != 204 {
            loop {
                let n = s.read(buf)?;
                if n == 0 {
                    break;
                }
                bytes += n as u64;
                if head.len() < keep {
                    head.extend_from_slice(&buf[..n]);
                }
            }
        }
        Ok(Resp {
            status,
            head,
            bytes,
            close,
        })
    }
    fn call(&mut self, msg: &[u8], stream: u64) -> std::io::Result<Resp> {
        let reused = self.s.is_some();
        let mut r = self.once(msg, stream);
        if r.is_err() && reused {
            self.s = None;
            r = self.once(msg, stream);
        } // a kept-alive connection the server had closed
        match &r {
            Ok(x) if !x.close => {}
            _ => self.s = None,
        }
        r
    }
}

fn cap(body: &[u8], key: &str) -> Option<Vec<u8>> {
    let pat = format!("\"{key}\"");
    let p = body.windows(pat.len()).position(|w| w == pat.as_bytes())? + pat.len();
    let rest = &body[p..];
    let q = rest.iter().position(|c| *c == b'"')? + 1;
    let e = rest[q..].iter().position(|c| *c == b'"')?;
    Some(rest[q..q + e].to_vec())
}

fn main() {
    let mut a: HashMap<String, String> = HashMap::new();
    let mut it = std::env::args().skip(1);
    while let Some(k) = it.next() {
        a.insert(k.trim_start_matches("--").into(), it.next().expect("value"));
    }
    let addr = a["addr"].clone();
    let flow = Arc::new(load_flow(&a["flow"]));
    let conns: usize = a.get("conns").map_or(1, |v| v.parse().unwrap());
    let dur: f64 = a.get("duration").map_or(3.0, |v| v.parse().unwrap());
    let max: u64 = a.get("max-iters").map_or(u64::MAX, |v| v.parse().unwrap());
    let start_seq: u64 = a.get("seq-start").map_or(0, |v| v.parse().unwrap());
    let seq = Arc::new(AtomicU64::new(0));
    let bar = Arc::new(Barrier::new(conns + 1));
    let mut hs = vec![];
    for conn in 0..conns {
        let (flow, seq, bar, addr) = (flow.clone(), seq.clone(), bar.clone(), addr.clone());
        hs.push(std::thread::spawn(move || {
            let seed = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_nanos() as u64
                ^ (conn as u64 + 1).wrapping_mul(0x9E3779B97F4A7C15);
            let mut ctx = Ctx {
                seq: 0,
                conn,
                rng: Rng(seed | 1),
                caps: HashMap::new(),
            };
            for _ in 0..20 {
                ctx.rng.next();
            }
            let mut c = Conn {
                addr: addr.clone(),
                s: None,
                buf: vec![],
                connects: 0,
            };
            let mut lat: Vec<Vec<u32>> = vec![vec![]; flow.len()];
            let (mut errs, mut iters, mut bin, mut bout) = (0u64, 0u64, 0u64, 0u64);
            let mut first_err = String::new();
            let mut msg = Vec::new();
            let mut body = Vec::new();
            bar.wait();
            let t0 = Instant::now();
            let dl = t0 + Duration::from_secs_f64(dur);
            'outer: while Instant::now() < dl {
                let n = seq.fetch_add(1, Ordering::Relaxed);
                if n >= max {
                    break;
                }
                ctx.seq = start_seq + n;
                ctx.caps.clear();
                for (i, st) in flow.iter().enumerate() {
                    msg.clear();
                    body.clear();
                    let mut stream = 0u64;
                    match &st.body {
                        Body::None => {}
                        Body::Tpl(t) => render(t, &mut ctx, &mut body),
                        Body::Bin(b, ps) => {
                            body.extend_from_slice(b);
                            for p in ps {
                                let id =
                                    [ctx.rng.next().to_le_bytes(), ctx.rng.next().to_le_bytes()]
                                        .concat();
                                for &o in p {
                                    body[o..o + 16].copy_from_slice(&id);
                                }
                            }
                        }
                        Body::Stream(n) => stream = *n,
                    }
                    write!(msg, "{} ", st.method).unwrap();
                    render(&st.target, &mut ctx, &mut msg);
                    write!(msg, " HTTP/1.1\r\nHost: {}\r\n", addr).unwrap();
                    for h in &st.headers {
                        render(h, &mut ctx, &mut msg);
                        msg.extend_from_slice(b"\r\n");
                    }
                    if st.method != "GET" {
                        write!(msg, "Content-Length: {}\r\n", body.len() as u64 + stream).unwrap();
                    }
                    msg.extend_from_slice(b"\r\n");
                    msg.extend_from_slice(&body);
                    bout += msg.len() as u64 + stream;
                    let t = Instant::now();
                    match c.call(&msg, stream) {
                        Ok(r) => {
                            lat[i].push(t.elapsed().as_micros().min(u32::MAX as u128) as u32);
                            bin += r.bytes;
                            if !(200..300).contains(&r.status) {
                                errs += 1;
                                if first_err.is_empty() {
                                    first_err = format!(
                                        "{} {}",
                                        r.status,
                                        String::from_utf8_lossy(&r.head[..r.head.len().min(300)])
                                    );
                                }
                                continue 'outer;
                            }
                            for k in &st.caps {
                                if let Some(v) = cap(&r.head, k) {
                                    ctx.caps.insert(k.clone(), v);
                                }
                            }
                        }
                        Err(e) => {
                            errs += 1;
                            if first_err.is_empty() {
                                first_err = e.to_string();
                            }
                            continue 'outer;
                        }
                    }
                }
                iters += 1;
            }
            (
                lat,
                errs,
                iters,
                bin,
                bout,
                first_err,
                c.connects,
                t0.elapsed().as_secs_f64(),
            )
        }));
    }
    bar.wait();
    let mut lat: Vec<Vec<u32>> = vec![vec![]; flow.len()];
    let (mut errs, mut iters, mut bin, mut bout, mut con, mut secs, mut fe) =
        (0, 0, 0, 0, 0, 0f64, String::new());
    for h in hs {
        let r = h.join().unwrap();
        for (i, l) in r.0.into_iter().enumerate() {
            lat[i].extend(l);
        }
        errs += r.1;
        iters += r.2;
        bin += r.3;
        bout += r.4;
        con += r.6;
        secs = secs.max(r.7);
        if fe.is_empty() {
            fe = r.5;
        }
    }
    let pct = |v: &[u32], p: f64| {
        if v.is_empty() {
            0.0
        } else {
            v[((v.len() - 1) as f64 * p).round() as usize] as f64 / 1000.0
        }
    };
    let mut all: Vec<u32> = lat.iter().flatten().copied().collect();
    all.sort_unstable();
    let steps: Vec<String> = lat
        .iter_mut()
        .map(|v| {
            v.sort_unstable();
            format!(
                "{{\"n\":{},\"p50\":{:.3},\"p99\":{:.3}}}",
                v.len(),
                pct(v, 0.5),
                pct(v, 0.99)
            )
        })
        .collect();
    let fe: String = fe
        .chars()
        .map(|c| {
            if c == '"' || c == '\\' {
                '\''
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect();
    println!(
        "{{\"requests\":{},\"iters\":{},\"errors\":{},\"seconds\":{:.4},\"rps\":{:.3},\"ips\":{:.3},\"p50\":{:.3},\"p90\":{:.3},\"p99\":{:.3},\"max\":{:.3},\"bytes_in\":{},\"bytes_out\":{},\"connects\":{},\"steps\":[{}],\"first_error\":\"{}\"}}",
        all.len(),
        iters,
        errs,
        secs,
        all.len() as f64 / secs,
        iters as f64 / secs,
        pct(&all, 0.5),
        pct(&all, 0.9),
        pct(&all, 0.99),
        pct(&all, 1.0),
        bin,
        bout,
        con,
        steps.join(","),
        fe
    );
}
