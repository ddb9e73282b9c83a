//! Archives of a local repository, unpacked by Python.

use std::process::Command;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http_body_util::BodyExt;
use runledger_artifacts::LocalRepository;

use super::*;

struct World {
    directory: tempfile::TempDir,
    repository: Arc<dyn ArtifactRepository>,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let repository = Arc::new(LocalRepository::new(directory.path().join("files")));
    World {
        directory,
        repository,
    }
}

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::parse(text).unwrap()
}

impl World {
    async fn put(&self, file: &str, content: &[u8]) {
        let content = Bytes::copy_from_slice(content);
        let content = futures_util::stream::iter([Ok(content)]).boxed();
        self.repository
            .put(&path(file), content, None)
            .await
            .unwrap();
    }

    async fn archive(&self, folder: &str) -> Result<Vec<u8>, String> {
        let response = send(&self.repository, &path(folder)).await;
        let body = response.map_err(|failure| failure.message().to_owned())?;
        let bytes = body.into_body().collect().await.unwrap().to_bytes();
        Ok(bytes.to_vec())
    }

    /// What Python's `zipfile` and a reader that does not seek see.
    fn python(&self, archive: &[u8], program: &str) -> String {
        let file = self.directory.path().join("x.zip");
        std::fs::write(&file, archive).unwrap();
        let output = Command::new("python3")
            .args(["-c", program])
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test]
async fn a_folder_is_an_archive_that_others_read() {
    let world = world();
    let large: Vec<u8> = (0_u32..200_000).flat_map(u32::to_le_bytes).collect();
    world.put("run/model/MLmodel", b"flavors: {}\n").await;
    world.put("run/model/data/ü b.bin", &large).await;
    world.put("run/model/empty", b"").await;
    world.put("run/other", b"not of it").await;
    let archive = world.archive("run/model").await.unwrap();
    let seen = world.python(
        &archive,
        "import sys, zipfile, zlib\n\
         z = zipfile.ZipFile(sys.argv[1])\n\
         print(z.testzip())\n\
         for i in z.infolist(): print(i.filename, i.file_size, oct(i.external_attr >> 16), i.date_time[0] > 2020, zlib.crc32(z.read(i)))\n",
    );
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    };
    assert_eq!(
        seen,
        format!(
            "None\nMLmodel 12 0o100644 True {}\ndata/ü b.bin 800000 0o100644 True {}\n\
             empty 0 0o100644 True 0\n",
            crc(b"flavors: {}\n"),
            crc(&large)
        )
    );
}

#[tokio::test]
async fn a_reader_that_does_not_seek_finds_each_file() {
    let world = world();
    world
        .put("d/a", b"PK\x07\x08 looks like a descriptor")
        .await;
    world.put("d/b", &vec![7; 300_000]).await;
    let archive = world.archive("d").await.unwrap();
    let seen = world.python(
        &archive,
        "import sys, struct, zlib\n\
         f = open(sys.argv[1], 'rb').read(); at = 0\n\
         while f[at:at+4] == b'PK\\3\\4':\n \
         n, x = struct.unpack('<HH', f[at+26:at+30]); name = f[at+30:at+30+n].decode()\n \
         d = zlib.decompressobj(-15); data = d.decompress(f[at+30+n+x:]); at = len(f) - len(d.unused_data)\n \
         sig, crc, packed, size = struct.unpack('<IIII', f[at:at+16]); at += 16\n \
         print(name, sig == 0x08074b50, crc == zlib.crc32(data), size == len(data))\n",
    );
    assert_eq!(seen, "a True True True\nb True True True\n");
}

#[tokio::test]
async fn the_answer_names_the_folder_and_runs_nothing() {
    let world = world();
    world.put("run/my model/f", b"x").await;
    let response = send(&world.repository, &path("run/my model"))
        .await
        .unwrap();
    let headers = response.headers();
    assert_eq!(headers[CONTENT_TYPE], "application/zip");
    assert_eq!(
        headers[CONTENT_DISPOSITION],
        "attachment; filename=\"my model.zip\"; filename*=UTF-8''my%20model.zip"
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let root = send(&world.repository, &ArtifactPath::root())
        .await
        .unwrap();
    assert_eq!(
        root.headers()[CONTENT_DISPOSITION],
        "attachment; filename=artifacts.zip"
    );
}

#[tokio::test]
async fn a_file_and_nothing_are_no_folders() {
    let world = world();
    world.put("d/f", b"x").await;
    let file = world.archive("d/f").await.unwrap_err();
    assert!(file.starts_with("'d/f' is a file"), "{file}");
    let missing = world.archive("no").await.unwrap_err();
    assert_eq!(missing, "No such artifact: 'no'");
}

#[tokio::test]
async fn a_file_that_goes_meanwhile_is_left_out() {
    let world = world();
    for file in ["d/a", "d/b", "d/c"] {
        world.put(file, b"x").await;
    }
    let response = send(&world.repository, &path("d")).await.unwrap();
    world.repository.delete(&path("d/b")).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let program = "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).namelist())";
    assert_eq!(world.python(&bytes, program), "['a', 'c']\n");
}

#[tokio::test]
async fn names_beyond_the_memory_for_them_are_refused() {
    let world = world();
    for number in 0..700 {
        world
            .put(&format!("d/{number}-{}", "x".repeat(80)), b"")
            .await;
    }
    let none_left = BodyBudget::new(0);
    let refused = send_within(&world.repository, &path("d"), &none_left).await;
    assert!(refused.unwrap_err().message().contains("Try again"));
}

#[test]
fn only_zip_is_known() {
    assert!(is_wanted(Some("path=x&archive=zip")).unwrap());
    assert!(!is_wanted(Some("path=x&archive=")).unwrap());
    assert!(!is_wanted(None).unwrap());
    assert!(is_wanted(Some("archive=tar")).is_err());
}
