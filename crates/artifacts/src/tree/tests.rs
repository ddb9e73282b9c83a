//! The rules on a file system in memory, which does what real ones do at their
//! worst.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::*;
use crate::{ArtifactError, ArtifactPath, ArtifactRepository};

/// What is at a path.
#[derive(Clone, Debug)]
enum Thing {
    Directory,
    /// To another directory; it looks like one.
    Link(String),
    File {
        content: Vec<u8>,
        modified: SystemTime,
    },
}

/// Its clock stands still, at whole seconds.
#[derive(Debug, Default)]
struct Memory {
    things: Mutex<BTreeMap<String, Thing>>,
    /// Takes no more than the first piece of an upload, and says that it has it.
    is_hasty: AtomicBool,
    /// Forgets the last byte of an upload.
    is_forgetful: AtomicBool,
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

impl Memory {
    fn things(&self) -> MutexGuard<'_, BTreeMap<String, Thing>> {
        self.things.lock().unwrap()
    }

    /// The path behind the links in it, the last one too.
    fn followed(&self, path: &str) -> String {
        let things = self.things();
        let mut at = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = format!("{at}/{name}");
            while let Some(Thing::Link(target)) = things.get(&at) {
                at.clone_from(target);
            }
        }
        at
    }

    fn node(&self, path: &str) -> Option<Node> {
        let at = self.followed(path);
        let things = self.things();
        let (kind, size, modified) = match things.get(&at) {
            None if !at.is_empty() => return None,
            Some(Thing::File { content, modified }) => {
                (Kind::File, content.len() as u64, Some(*modified))
            }
            _ => (Kind::Directory, 0, None),
        };
        Some(Node {
            kind,
            size,
            modified,
            id: None,
        })
    }

    /// A name itself, behind the links of its directory.
    fn place(&self, path: &str) -> String {
        let (directory, name) = path.rsplit_once('/').unwrap();
        format!("{}/{name}", self.followed(directory))
    }

    fn children(&self, directory: &str) -> Vec<String> {
        let start = format!("{}/", self.followed(directory));
        let things = self.things();
        let names = things.keys().filter_map(|path| path.strip_prefix(&start));
        names
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }
}

#[async_trait]
impl Files for Memory {
    async fn list(&self, directory: &str, _max: usize) -> Result<Vec<Entry>, Fault> {
        if self.node(directory).map(|node| node.kind) != Some(Kind::Directory) {
            return Err(Fault::NotFound);
        }
        let names = self.children(directory).into_iter();
        let entries = names.filter_map(|name| {
            let Node { kind, size, .. } = self.node(&format!("{directory}/{name}"))?;
            Some(Entry { name, kind, size })
        });
        Ok(entries.collect())
    }

    async fn look(&self, path: &str) -> Result<Option<Node>, Fault> {
        Ok(self.node(path))
    }

    async fn open(&self, path: &str, from: u64) -> Result<Content, Fault> {
        let at = self.followed(path);
        let Some(Thing::File { content, .. }) = self.things().get(&at).cloned() else {
            return Err(Fault::NotFound);
        };
        let rest = Bytes::from(content).slice(usize::try_from(from).unwrap()..);
        Ok(stream::iter([Ok(rest)]).boxed())
    }

    async fn write(&self, path: &str, mut content: Content) -> Result<(), Fault> {
        let mut written = Vec::new();
        while let Some(chunk) = content.try_next().await.map_err(Fault::of_connection)? {
            written.extend_from_slice(&chunk);
            if self.is_hasty.load(Ordering::Relaxed) {
                break;
            }
        }
        if self.is_forgetful.load(Ordering::Relaxed) {
            written.pop();
        }
        let at = self.place(path);
        let thing = Thing::File {
            content: written,
            modified: now(),
        };
        self.things().insert(at, thing);
        Ok(())
    }

    async fn replace(&self, from: &str, to: &str) -> Result<(), Fault> {
        let (from, to) = (self.place(from), self.place(to));
        let mut things = self.things();
        let thing = things.remove(&from).ok_or(Fault::NotFound)?;
        things.insert(to, thing);
        Ok(())
    }

    async fn touch(&self, path: &str, time: SystemTime) -> Result<(), Fault> {
        let at = self.followed(path);
        if let Some(Thing::File { modified, .. }) = self.things().get_mut(&at) {
            *modified = time;
        }
        Ok(())
    }

    async fn identity(&self) -> Result<Identity, Fault> {
        Ok(Identity::Times)
    }

    async fn make_directory(&self, path: &str) -> Result<(), Fault> {
        let at = self.place(path);
        self.things().entry(at).or_insert(Thing::Directory);
        Ok(())
    }

    async fn remove_file(&self, path: &str) -> Result<(), Fault> {
        let at = self.place(path);
        self.things().remove(&at);
        Ok(())
    }

    async fn remove_directory(&self, path: &str) -> Result<(), Fault> {
        if !self.children(path).is_empty() {
            return Err(Fault::Other(io::ErrorKind::DirectoryNotEmpty.into()));
        }
        let at = self.place(path);
        self.things().remove(&at);
        Ok(())
    }

    async fn remove_link(&self, path: &str) -> Result<bool, Fault> {
        let at = self.place(path);
        let mut things = self.things();
        let is_link = matches!(things.get(&at), Some(Thing::Link(_)));
        if is_link {
            things.remove(&at);
        }
        Ok(is_link)
    }
}

struct World {
    memory: Arc<Memory>,
    repository: TreeRepository<Memory>,
}

fn world() -> World {
    let memory = Arc::new(Memory::default());
    let repository = TreeRepository::new(Arc::clone(&memory), &ArtifactPath::root());
    World { memory, repository }
}

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::parse(text).unwrap()
}

impl World {
    async fn put(&self, file: &str, content: &'static str) {
        let content = stream::iter([Ok(Bytes::from(content))]).boxed();
        let stored = self.repository.put(&path(file), content, None).await;
        stored.unwrap();
    }

    async fn delete(&self, at: &str) {
        self.repository.delete(&path(at)).await.unwrap();
    }

    async fn tag(&self, file: &str) -> Option<String> {
        self.repository.get(&path(file), None).await.unwrap().etag
    }

    fn paths(&self) -> Vec<String> {
        self.memory.things().keys().cloned().collect()
    }
}

#[tokio::test]
async fn removing_a_directory_does_not_follow_its_links() {
    let world = world();
    world.put("other/kept", "x").await;
    world.put("run/d/f", "x").await;
    for link in ["/run/link", "/run/d/link", "/alone"] {
        let link = link.to_owned();
        let target = Thing::Link("/other".to_owned());
        world.memory.things().insert(link, target);
    }
    world.delete("run").await;
    world.delete("alone").await;
    assert_eq!(world.paths(), ["/other", "/other/kept"]);
}

#[tokio::test]
async fn contents_of_one_second_have_their_own_tags() {
    let world = world();
    let mut tags = Vec::new();
    for content in ["one", "four", "two", "six"] {
        world.put("f", content).await;
        tags.push(world.tag("f").await.unwrap());
    }
    let mut different = tags.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), tags.len(), "{tags:?}");
}

#[tokio::test]
async fn what_a_storage_has_a_part_of_is_not_put_in_its_place() {
    let world = world();
    world.put("d/f", "the old").await;
    for flag in [&world.memory.is_hasty, &world.memory.is_forgetful] {
        flag.store(true, Ordering::Relaxed);
        let pieces = [Ok(Bytes::from("a new ")), Ok(Bytes::from("one"))];
        let content = stream::iter(pieces).boxed();
        let answer = world.repository.put(&path("d/f"), content, None).await;
        assert!(
            matches!(answer, Err(ArtifactError::Unavailable { .. })),
            "{answer:?}"
        );
        flag.store(false, Ordering::Relaxed);
        assert_eq!(world.paths(), ["/d", "/d/f"], "nothing stays");
        let size = world.repository.get(&path("d/f"), None).await.unwrap().size;
        assert_eq!(size, 7, "the old file is there");
    }
}
