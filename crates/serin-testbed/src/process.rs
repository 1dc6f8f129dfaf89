//! Child processes that cannot outlive the process that started them.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serin_clock as clock;

/// Ends the program when this process is gone: waits for the end of the pipe that only this process holds open, makes
/// sure that the process of that id still is the program (its parent, as long as it lives), and kills it.
const GUARD: &str = r#"exec 3<&0
{ cat <&3; read -r _ _ _ parent _ </proc/self/stat || parent=$$; [ "$parent" = $$ ] && kill -9 $$; } >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null"#;

/// A child process that ends when this value is dropped, and also when this process ends in any way at all.
#[derive(Debug)]
pub struct Held {
    child: Child,
    name: String,
}

/// What makes a held process end when the pipe on its standard input does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndsBy {
    /// The program itself ends with its standard input.
    Itself,
    /// A guard beside the program kills it; the program's own standard input is empty.
    Guard,
}

impl Held {
    /// Starts `program` with `args` and the environment of this process with `env` over it; what it writes goes to the
    /// end of the file `log`.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        args: &[A],
        env: &[(&str, &OsStr)],
        log: &Path,
        ends_by: EndsBy,
    ) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut command = match ends_by {
            EndsBy::Itself => Command::new(program),
            EndsBy::Guard => {
                let mut shell = Command::new("sh");
                shell.args(["-c", GUARD, "sh"]).arg(program);
                shell
            }
        };
        command.args(args).envs(env.iter().copied()).stdin(Stdio::piped());
        command.stdout(output.try_clone()?).stderr(output);
        let child = command.spawn()?;
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { child, name })
    }

    /// The process id of the program itself.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the program ended, or `None` while it runs.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Asks the program to end with the signal `TERM`.
    pub fn terminate(&self) -> io::Result<()> {
        self.signal("TERM")
    }

    /// Stops the program where it is, until it is [thawed](Self::thaw). Returns when it has stopped, which a signal does not
    /// wait for; an error says that it has not within ten seconds.
    pub async fn freeze(&self) -> io::Result<()> {
        self.signal("STOP")?;
        for _ in 0..500 {
            if is_stopped(self.id()) {
                return Ok(());
            }
            clock::sleep(Duration::from_millis(20)).await;
        }
        Err(io::Error::other(format!("{} does not stop", self.name)))
    }

    /// Lets a program that was [frozen](Self::freeze) go on.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        let status = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("{}: kill: {status}", self.name)))
        }
    }

    /// Waits until the program has ended, at most `limit`; `None` when it still runs then.
    pub async fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let status = self.ended()?;
            if status.is_some() || tokio::time::Instant::now() >= deadline {
                return Ok(status);
            }
            clock::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the program at once, as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Both fail only for a process that is gone already.
        let _gone = self.kill();
    }
}

/// The memory that process `id` has in RAM, in bytes; `None` where the system does not say.
#[must_use]
pub fn resident_bytes(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Whether process `id` has been stopped by a signal; so it counts, too, where the system does not say.
fn is_stopped(id: u32) -> bool {
    // The state follows the name, which is in parentheses and may hold anything.
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A guarded `sleep` that would go on for minutes.
    fn sleeper() -> Held {
        let log = std::env::temp_dir().join(format!("serin-process-{}.log", std::process::id()));
        let held = Held::start(Path::new("sleep"), &["300"], &[], &log, EndsBy::Guard).unwrap();
        std::fs::remove_file(&log).unwrap_or_default();
        held
    }

    #[tokio::test]
    async fn a_guarded_program_ends_with_the_pipe() {
        let mut held = sleeper();
        assert_eq!(held.wait(Duration::from_millis(100)).await.unwrap(), None);
        // What happens when this process is killed.
        drop(held.child.stdin.take());
        assert!(held.wait(Duration::from_secs(10)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_program_can_be_asked_to_end() {
        let mut held = sleeper();
        // The shell may not have become the program yet; the signal finds either.
        held.terminate().unwrap();
        let status = held.wait(Duration::from_secs(10)).await.unwrap().unwrap();
        assert!(!status.success());
    }

    #[tokio::test]
    async fn a_program_that_is_frozen_does_not_even_end_when_it_is_asked_to() {
        let mut held = sleeper();
        held.freeze().await.unwrap();
        held.terminate().unwrap();
        assert_eq!(held.wait(Duration::from_millis(100)).await.unwrap(), None);
        held.thaw().unwrap();
        assert!(held.wait(Duration::from_secs(10)).await.unwrap().is_some());
    }

    #[test]
    fn a_process_has_memory_and_one_that_is_gone_has_none() {
        let mut held = sleeper();
        if Path::new("/proc/self/status").exists() {
            assert!(resident_bytes(held.id()).is_some());
        }
        held.kill().unwrap();
        assert_eq!(resident_bytes(held.id()), None);
    }
}
