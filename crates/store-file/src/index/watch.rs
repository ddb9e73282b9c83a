//! Which folders changed since they were read, as the kernel tells.
//!
//! On Linux each folder of an experiment, a run, a logged model or a trace is watched
//! (inotify). The kernel notes a change before the call that makes it returns,
//! so that [`Watch::changes`] knows of every write that was acknowledged before
//! it was called, whichever process of this machine made it. Where folders cannot
//! be watched (other systems, network file systems, more folders than the
//! kernel lets one user watch), the index compares file times instead.

use std::collections::{HashMap, HashSet};

use runledger_entities::{ExperimentId, LoggedModelId, RunId, TraceId};

/// What a folder belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    /// The list of experiments.
    Root,
    /// An experiment: its own files, and the list of its runs.
    Experiment(ExperimentId),
    /// The list of an experiment's logged models.
    Models(ExperimentId),
    /// A run.
    Run(ExperimentId, RunId),
    /// A logged model.
    Model(ExperimentId, LoggedModelId),
    /// The list of an experiment's traces.
    Traces(ExperimentId),
    /// A trace.
    Trace(ExperimentId, TraceId),
}

/// What changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// So much happened that the kernel lost count: anything may have changed.
    pub(crate) all: bool,
    /// What did.
    pub(crate) things: HashSet<Thing>,
}

/// How many folders are watched at most: some 250 MB of kernel memory.
const MOST: usize = 262_144;

#[cfg(target_os = "linux")]
pub(crate) use linux::Watch;

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::Watch;

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fmt,
        os::fd::OwnedFd,
        path::{Path, PathBuf},
    };

    use rustix::{
        fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags},
        io::Errno,
    };

    use super::{Changes, HashMap, MOST, Thing};

    /// What may change what a folder says. Opening and reading do not.
    const EVENTS: WatchFlags = WatchFlags::CREATE
        .union(WatchFlags::DELETE)
        .union(WatchFlags::MODIFY)
        .union(WatchFlags::MOVED_FROM)
        .union(WatchFlags::MOVED_TO)
        .union(WatchFlags::DELETE_SELF)
        .union(WatchFlags::MOVE_SELF)
        .union(WatchFlags::ONLYDIR)
        .union(WatchFlags::DONT_FOLLOW);

    /// File systems that another machine may write to, which this one's kernel
    /// does not hear of, by the magic numbers of `statfs`: NFS, SMB (three
    /// kinds), FUSE, 9P, Ceph, AFS, Lustre, GPFS, `VirtualBox`.
    const SHARED: [u64; 11] = [
        0x6969,
        0xFF53_4D42,
        0xFE53_4D42,
        0x517B,
        0x6573_5546,
        0x0102_1997,
        0x00C3_6400,
        0x5346_414F,
        0x0BD0_0BD0,
        0x4750_4653,
        0x786F_4256,
    ];

    /// Watches folders below a root.
    pub(crate) struct Watch {
        root: PathBuf,
        /// Nothing where folders cannot be watched here.
        kernel: Option<OwnedFd>,
        /// By watch descriptor.
        things: HashMap<i32, Thing>,
        /// How many folders of each thing are watched; its presence says that
        /// all are.
        watched: HashMap<Thing, Vec<i32>>,
        most: usize,
    }

    impl Watch {
        /// Watches nothing yet.
        pub(crate) fn new(root: &Path) -> Self {
            let shared = match rustix::fs::statfs(root) {
                #[allow(
                    clippy::cast_sign_loss,
                    clippy::unnecessary_cast,
                    reason = "the type of the field differs by architecture, its numbers do not"
                )]
                Ok(system) => SHARED.contains(&(system.f_type as u64 & 0xFFFF_FFFF)),
                Err(_) => true,
            };
            let flags = CreateFlags::CLOEXEC.union(CreateFlags::NONBLOCK);
            let kernel = if shared {
                None
            } else {
                inotify::init(flags).ok()
            };
            Self {
                root: root.to_owned(),
                kernel,
                things: HashMap::new(),
                watched: HashMap::new(),
                most: limit(),
            }
        }

        /// Whether all folders of a thing are watched.
        pub(crate) fn is_watched(&self, thing: &Thing) -> bool {
            self.watched.contains_key(thing)
        }

        /// Whether another folder can be watched.
        pub(crate) fn has_room(&self) -> bool {
            self.kernel.is_some() && self.things.len() < self.most
        }

        /// Watches the folders of a thing, given relative to the root, from now
        /// on: what changes after this call is noted. Those that are watched
        /// already stay so. If one cannot be watched, none of the thing is.
        pub(crate) fn watch(&mut self, thing: &Thing, folders: &[String]) -> bool {
            let Some(kernel) = &self.kernel else {
                return false;
            };
            let mut descriptors = self.watched.remove(thing).unwrap_or_default();
            for folder in folders {
                let full = self.things.len() >= self.most;
                let path = self.root.join(folder);
                match inotify::add_watch(kernel, &path, EVENTS) {
                    Ok(descriptor) if full && !self.things.contains_key(&descriptor) => {
                        let _ = inotify::remove_watch(kernel, descriptor);
                        self.unwatch_all(descriptors);
                        return false;
                    }
                    Ok(descriptor) => {
                        self.things.insert(descriptor, thing.clone());
                        if !descriptors.contains(&descriptor) {
                            descriptors.push(descriptor);
                        }
                    }
                    // Gone by now: its parent is watched, and says so.
                    Err(Errno::NOENT | Errno::NOTDIR) => {}
                    Err(_) => {
                        self.unwatch_all(descriptors);
                        return false;
                    }
                }
            }
            self.watched.insert(thing.clone(), descriptors);
            true
        }

        fn unwatch_all(&mut self, descriptors: Vec<i32>) {
            for descriptor in descriptors {
                self.things.remove(&descriptor);
                if let Some(kernel) = &self.kernel {
                    // The kernel may have dropped it already.
                    let _ = inotify::remove_watch(kernel, descriptor);
                }
            }
        }

        /// Takes nothing for watched until it is watched anew.
        pub(crate) fn distrust(&mut self) {
            self.watched.clear();
        }

        /// Watches a thing no longer.
        pub(crate) fn unwatch(&mut self, thing: &Thing) {
            if let Some(descriptors) = self.watched.remove(thing) {
                self.unwatch_all(descriptors);
            }
        }

        /// What changed since the last call.
        pub(crate) fn changes(&mut self) -> Changes {
            let mut changes = Changes::default();
            let Some(kernel) = &self.kernel else {
                return changes;
            };
            let mut room = [std::mem::MaybeUninit::uninit(); 16 * 1024];
            let mut events = inotify::Reader::new(kernel, &mut room);
            loop {
                let event = match events.next() {
                    Ok(event) => event,
                    Err(Errno::INTR) => continue,
                    Err(Errno::AGAIN) => break,
                    Err(_) => {
                        changes.all = true;
                        break;
                    }
                };
                if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                    changes.all = true;
                }
                if event.events().contains(ReadFlags::IGNORED) {
                    // The folder is gone.
                    if let Some(thing) = self.things.remove(&event.wd())
                        && let Some(descriptors) = self.watched.get_mut(&thing)
                    {
                        descriptors.retain(|descriptor| *descriptor != event.wd());
                        changes.things.insert(thing);
                    }
                } else if let Some(thing) = self.things.get(&event.wd())
                    && !changes.things.contains(thing)
                {
                    changes.things.insert(thing.clone());
                }
            }
            changes
        }
    }

    impl fmt::Debug for Watch {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Watch")
                .field("root", &self.root)
                .field("folders", &self.things.len())
                .finish_non_exhaustive()
        }
    }

    /// Half of what the kernel lets this user watch: others want some too.
    fn limit() -> usize {
        let setting = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches");
        let allowed = setting.ok().and_then(|text| text.trim().parse().ok());
        MOST.min(allowed.unwrap_or(8192) / 2)
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::path::Path;

    use super::{Changes, Thing};

    /// Watches nothing.
    #[derive(Debug)]
    pub(crate) struct Watch;

    impl Watch {
        pub(crate) fn new(_root: &Path) -> Self {
            Self
        }

        pub(crate) fn is_watched(&self, _thing: &Thing) -> bool {
            false
        }

        pub(crate) fn has_room(&self) -> bool {
            false
        }

        pub(crate) fn watch(&mut self, _thing: &Thing, _folders: &[String]) -> bool {
            false
        }

        pub(crate) fn distrust(&mut self) {}

        pub(crate) fn unwatch(&mut self, _thing: &Thing) {}

        pub(crate) fn changes(&mut self) -> Changes {
            Changes::default()
        }
    }
}
