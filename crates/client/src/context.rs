//! The tags that every run gets: who started it, from what, at which commit.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use runledger_entities::Tag;

const USER: &str = "mlflow.user";
const SOURCE_NAME: &str = "mlflow.source.name";
const SOURCE_TYPE: &str = "mlflow.source.type";
const GIT_COMMIT: &str = "mlflow.source.git.commit";

/// The most that is read of a file of git's.
const GIT_FILE: u64 = 16 << 20;

/// Who runs this program, as Python's `getpass` finds it out: by the environment, and
/// in services and containers, which often have no such variables, by the number.
pub(crate) fn user() -> String {
    ["LOGNAME", "USER", "LNAME", "USERNAME"]
        .into_iter()
        .find_map(|variable| env::var(variable).ok().filter(|user| !user.is_empty()))
        .or_else(|| user_of(process_owner()?, &read(Path::new("/etc/passwd"))?))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The number of the user whose process this is, where the system shows it as a file.
fn process_owner() -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        let process = fs::metadata("/proc/self").ok()?;
        Some(process.uid())
    }
    #[cfg(not(unix))]
    None
}

/// The name of a user in a list of lines like `root:x:0:0:…`.
fn user_of(number: u32, list: &str) -> Option<String> {
    let number = number.to_string();
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    })
}

/// The tags of a run that starts now.
pub(crate) fn tags() -> Vec<Tag> {
    let program = env::args_os().next().map(PathBuf::from);
    let program = program.or_else(|| env::current_exe().ok());
    let name = program.map_or_else(
        || "unknown".to_owned(),
        |program| program.display().to_string(),
    );
    let mut tags = vec![
        Tag::new(USER, user()),
        Tag::new(SOURCE_NAME, name),
        Tag::new(SOURCE_TYPE, "LOCAL"),
    ];
    let commit = env::current_dir().ok().and_then(|folder| commit(&folder));
    tags.extend(commit.map(|commit| Tag::new(GIT_COMMIT, commit)));
    tags
}

/// The commit that is checked out in the repository around `folder`, if it is in one.
fn commit(folder: &Path) -> Option<String> {
    let git = folder
        .ancestors()
        .map(|folder| folder.join(".git"))
        .find(|git| git.exists())?;
    let git = if git.is_dir() {
        git
    } else {
        // A worktree or submodule: a file that says where the folder is.
        let place = read(&git)?;
        git.parent()?.join(place.strip_prefix("gitdir:")?.trim())
    };
    let head = read(&git.join("HEAD"))?;
    let Some(name) = head.trim().strip_prefix("ref:") else {
        return hash(&head);
    };
    let name = name.trim();
    // Names come from a file, and lead nowhere but below `refs`.
    if !name.starts_with("refs/") || name.split('/').any(|part| part == "..") {
        return None;
    }
    // A worktree has its own `HEAD`, and its branches with all others.
    let common = read(&git.join("commondir")).map(|place| git.join(place.trim()));
    [Some(git), common]
        .into_iter()
        .flatten()
        .find_map(|git| loose(&git, name).or_else(|| packed(&git, name)))
}

fn loose(git: &Path, name: &str) -> Option<String> {
    hash(&read(&git.join(name))?)
}

fn packed(git: &Path, name: &str) -> Option<String> {
    let packed = read(&git.join("packed-refs"))?;
    let mut lines = packed.lines().filter_map(|line| line.split_once(' '));
    lines.find_map(|(commit, other)| if other == name { hash(commit) } else { None })
}

fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    let is_hash = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(GIT_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("it can be written");
    }

    #[test]
    fn a_commit_is_found_by_branch_pack_and_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = folder.path().join(".git");
        write(&git.join("HEAD"), "ref: refs/heads/main\n");
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).expect("a folder");
        assert_eq!(commit(&inner), None);
        let packed = format!("# pack-refs with: peeled\n{COMMIT} refs/heads/main\n");
        write(&git.join("packed-refs"), &packed);
        assert_eq!(commit(&inner).as_deref(), Some(COMMIT));
        let other = COMMIT.replace('0', "f");
        write(&git.join("refs/heads/main"), &format!("{other}\n"));
        assert_eq!(commit(&inner), Some(other));
        write(&git.join("HEAD"), COMMIT);
        assert_eq!(commit(&inner).as_deref(), Some(COMMIT));
        write(&git.join("HEAD"), "ref: refs/../../secret");
        assert_eq!(commit(&inner), None);
    }

    #[test]
    fn a_worktree_has_the_branches_of_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let main = folder.path().join("main/.git");
        write(&main.join("refs/heads/x"), COMMIT);
        write(&main.join("worktrees/w/HEAD"), "ref: refs/heads/x");
        write(&main.join("worktrees/w/commondir"), "../..\n");
        let tree = folder.path().join("w");
        write(&tree.join(".git"), "gitdir: ../main/.git/worktrees/w\n");
        assert_eq!(commit(&tree).as_deref(), Some(COMMIT));
    }

    #[test]
    fn a_user_has_a_name_by_number() {
        let list = "root:x:0:0:root:/root:/bin/sh\n# no line\nada:x:1000:100::/home/ada:\n";
        assert_eq!(user_of(1000, list).as_deref(), Some("ada"));
        assert_eq!(user_of(0, list).as_deref(), Some("root"));
        assert_eq!(user_of(100, list), None);
    }

    #[test]
    fn a_run_has_a_user_and_a_source() {
        let tags = tags();
        let keys: Vec<_> = tags.iter().map(|tag| tag.key.as_str()).collect();
        assert_eq!(keys[..3], [USER, SOURCE_NAME, SOURCE_TYPE]);
    }
}
