//! Opens and reads every file of a folder once: the yardstick of an index that is built from all of them.
//!
//! `read_files FOLDER THREADS` walks the folder with so many threads, each taking the next subfolder that nobody has
//! read yet, and prints one JSON object. Nothing is looked at: no metadata, no text.
#![expect(clippy::print_stdout, reason = "the result of a command")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// The longest read; files of the bench are far shorter.
const BUFFER: usize = 64 * 1024;

/// What has been read.
#[derive(Clone, Copy, Default)]
struct Counts {
    files: u64,
    bytes: u64,
}

/// The folders that nobody has read yet, and how many threads are reading one, in which they may find more.
struct Folders {
    waiting: Vec<PathBuf>,
    reading: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, threads] = args.as_slice() else {
        return Err("usage: read_files FOLDER THREADS".into());
    };
    let threads: usize = threads.parse()?;
    let began = Instant::now();
    let read = read_all(Path::new(folder), threads)?;
    let taken = began.elapsed().as_secs_f64();
    let Counts { files, bytes } = read;
    println!(r#"{{"files":{files},"bytes":{bytes},"seconds":{taken:.6}}}"#);
    Ok(())
}

fn read_all(folder: &Path, threads: usize) -> io::Result<Counts> {
    let queue = Mutex::new(Folders {
        waiting: vec![folder.to_owned()],
        reading: 0,
    });
    let changed = Condvar::new();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| read_folders(&queue, &changed)))
            .collect();
        let mut sum = Counts::default();
        for reader in readers {
            let read = reader
                .join()
                .map_err(|_| io::Error::other("a thread panicked"))??;
            sum.files += read.files;
            sum.bytes += read.bytes;
        }
        Ok(sum)
    })
}

/// Reads folders until there are none, and nobody is left who could find one.
fn read_folders(queue: &Mutex<Folders>, changed: &Condvar) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut buffer = vec![0; BUFFER];
    let mut found = Vec::new();
    let mut folders = queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let Some(folder) = folders.waiting.pop() else {
            if folders.reading == 0 {
                changed.notify_all();
                return Ok(counts);
            }
            folders = changed
                .wait(folders)
                .unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        folders.reading += 1;
        drop(folders);
        let read = read_folder(&folder, &mut found, &mut buffer, &mut counts);
        folders = queue.lock().unwrap_or_else(PoisonError::into_inner);
        folders.reading -= 1;
        folders.waiting.append(&mut found);
        changed.notify_all();
        read?;
    }
}

/// Reads the files of one folder, and names the folders in it.
fn read_folder(
    folder: &Path,
    found: &mut Vec<PathBuf>,
    buffer: &mut [u8],
    counts: &mut Counts,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
            continue;
        }
        let mut file = File::open(entry.path())?;
        counts.files += 1;
        loop {
            match file.read(buffer)? {
                0 => break,
                read => counts.bytes += read as u64,
            }
        }
    }
    Ok(())
}
