//! Temporary directories that go away, also those of runs that could not clean up.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const PREFIX: &str = "serin-control-plane-";

/// A directory of this run alone, removed when dropped. It is locked meanwhile, so that a later run can tell it from the
/// directory of a run that was killed.
#[derive(Debug)]
pub(super) struct RunDirectory {
    path: PathBuf,
    _lock: File,
}

impl RunDirectory {
    pub(super) fn new() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent)?;
        for number in 0_u32.. {
            let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            // It holds the tokens of the cluster's administrator.
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    // It gets its name once it is locked: another run may be sweeping just now.
                    let unlocked = path.join("unlocked");
                    let lock = File::create(&unlocked)?;
                    lock.lock()?;
                    fs::rename(&unlocked, path.join("lock"))?;
                    return Ok(Self { path, _lock: lock });
                }
            }
        }
        Err(io::Error::other("no name is left for a temporary directory"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        // What cannot be removed now is left to the next run.
        let _left = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories whose run is over.
fn sweep(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let Ok(lock) = File::open(entry.path().join("lock")) else {
            continue;
        };
        if lock.try_lock().is_ok() {
            // Another run may be at it, too.
            let _removed = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_lives_as_long_as_its_run() {
        let first = RunDirectory::new().unwrap();
        let second = RunDirectory::new().unwrap();
        assert_ne!(first.path(), second.path());
        assert!(first.path().is_dir(), "a run that lives is not swept");
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_run_left_is_swept() {
        let parent = std::env::temp_dir().join(format!("serin-sweep-{}", std::process::id()));
        let left = parent.join(format!("{PREFIX}0-0"));
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("lock"), "").unwrap();
        sweep(&parent).unwrap();
        assert!(!left.exists());
        fs::remove_dir(&parent).unwrap();
    }
}
