//! What a pod would do if it really ran, read from its spec.
//!
//! Nothing runs here, so commands are understood only as far as tests need: `sleep`, `exit`, and programs and images whose
//! names say that they do not exist.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, LifecycleHandler, PodSpec};

/// How a container fares once the start latency is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It runs until it is deleted.
    Serves,
    /// It runs for a while and ends with an exit code.
    Ends {
        /// For how long it runs.
        after: Duration,
        /// What it exits with.
        code: i32,
    },
    /// Its program cannot be started, and nothing will try again: exit code 128.
    CannotStart,
    /// Its program fails at once, again and again.
    CrashLoops,
    /// Its image cannot be pulled.
    HasNoImage,
}

/// The fate of `container` in a pod of `spec`.
#[must_use]
pub fn fate(spec: &PodSpec, container: &Container) -> Fate {
    if !is_image_pullable(container.image.as_deref().unwrap_or_default()) {
        return Fate::HasNoImage;
    }
    let command = command_line(container);
    let is_bad = command.first().is_some_and(|program| !is_program(program));
    if spec.restart_policy.as_deref().unwrap_or("Always") == "Always" {
        return if is_bad { Fate::CrashLoops } else { Fate::Serves };
    }
    if is_bad {
        return Fate::CannotStart;
    }
    let words = words(&command);
    Fate::Ends { after: slept(&words), code: exit_code(&words) }
}

/// How long `lifecycle.postStart` holds the container back.
#[must_use]
pub fn post_start(container: &Container) -> Duration {
    let hook = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref());
    hook.map_or(Duration::ZERO, hook_duration)
}

fn hook_duration(hook: &LifecycleHandler) -> Duration {
    if let Some(sleep) = &hook.sleep {
        return seconds(sleep.seconds);
    }
    let command = hook.exec.as_ref().and_then(|exec| exec.command.as_deref()).unwrap_or_default();
    slept(&words(command))
}

/// How long after its start the probes of `container` leave it unready at least.
#[must_use]
pub fn ready_delay(container: &Container) -> Duration {
    let probes = [&container.startup_probe, &container.readiness_probe];
    let delays = probes.into_iter().flatten().filter_map(|probe| probe.initial_delay_seconds);
    delays.map(|delay| seconds(i64::from(delay))).max().unwrap_or_default()
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

/// Whether the image can be had: its tag is not `error`, its name neither ends in `-error` nor begins with `nonexistent`.
fn is_image_pullable(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split('@').next().unwrap_or(last);
    let (name, tag) = last.split_once(':').unwrap_or((last, ""));
    tag != "error"
        && !name.ends_with("-error")
        && !image.starts_with("nonexistent")
        && !name.starts_with("nonexistent")
}

/// The program and its arguments; empty when the image decides.
fn command_line(container: &Container) -> Vec<String> {
    let parts = [&container.command, &container.args];
    if container.command.as_ref().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    parts.into_iter().flatten().flatten().cloned().collect()
}

/// Whether a name can be that of a program: not one that says it is bad, and not a whole command in one string.
fn is_program(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    !name.is_empty()
        && !name.contains(char::is_whitespace)
        && !file.starts_with("bad-command")
        && !file.starts_with("nonexistent")
}

/// The words of a command, with those of a script handed to a shell.
fn words(command: &[String]) -> Vec<&str> {
    let separators = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')');
    command.iter().flat_map(|part| part.split(separators)).filter(|word| !word.is_empty()).collect()
}

/// The sum of all `sleep N`.
fn slept(words: &[&str]) -> Duration {
    let naps = words.windows(2).filter(|pair| is_called(pair[0], "sleep"));
    naps.filter_map(|pair| nap(pair[1])).sum()
}

/// What `sleep` understands: a number of seconds, or one with the suffix s, m or h.
fn nap(text: &str) -> Option<Duration> {
    let (number, unit) = match text.chars().last()? {
        's' => (&text[..text.len() - 1], 1.0),
        'm' => (&text[..text.len() - 1], 60.0),
        'h' => (&text[..text.len() - 1], 3600.0),
        _ => (text, 1.0),
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()
}

/// The code of the first `exit N`, 1 for a command that is `false`, else 0.
fn exit_code(words: &[&str]) -> i32 {
    if let Some(pair) = words.windows(2).find(|pair| pair[0] == "exit") {
        return pair[1].parse().unwrap_or(0);
    }
    i32::from(words.first().is_some_and(|word| is_called(word, "false")))
}

fn is_called(word: &str, name: &str) -> bool {
    word.rsplit('/').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(image: &str, command: &[&str]) -> Container {
        let command = Some(command.iter().map(|&part| part.to_owned()).collect());
        Container { image: Some(image.to_owned()), command, ..Container::default() }
    }

    fn job_fate(command: &[&str]) -> Fate {
        let spec = PodSpec { restart_policy: Some("Never".to_owned()), ..PodSpec::default() };
        fate(&spec, &container("busybox", command))
    }

    #[test]
    fn jobs_sleep_and_exit_as_they_say() {
        let ends = |seconds, code| Fate::Ends { after: Duration::from_secs(seconds), code };
        assert_eq!(job_fate(&["sleep", "30"]), ends(30, 0));
        assert_eq!(job_fate(&["/bin/sleep", "2m"]), ends(120, 0));
        assert_eq!(job_fate(&["sh", "-c", "sleep 1h; exit 3"]), ends(3600, 3));
        assert_eq!(job_fate(&["sh", "-c", "sleep 1 && sleep 2s && echo done"]), ends(3, 0));
        assert_eq!(job_fate(&["false"]), ends(0, 1));
        assert_eq!(job_fate(&[]), ends(0, 0));
        assert_eq!(job_fate(&["/bad-command"]), Fate::CannotStart);
        assert_eq!(job_fate(&["sleep 30"]), Fate::CannotStart);
    }

    #[test]
    fn servers_serve_unless_they_are_bad() {
        let served = |image, command: &[&str]| fate(&PodSpec::default(), &container(image, command));
        assert_eq!(served("argoproj/rollouts-demo:blue", &[]), Fate::Serves);
        assert_eq!(served("registry.example.com:5000/app:v1", &[]), Fate::Serves);
        assert_eq!(served("nginx", &["sleep", "1"]), Fate::Serves);
        assert_eq!(served("nginx", &["/bad-command-2", "--serve"]), Fate::CrashLoops);
        for image in
            ["argoproj/rollouts-demo:error", "web-error:v1", "nonexistent/app:v1", "quay.io/nonexistent-app"]
        {
            assert_eq!(served(image, &[]), Fate::HasNoImage, "{image}");
        }
    }

    #[test]
    fn delays_come_from_hooks_and_probes() {
        let container: Container = serde_json::from_value(serde_json::json!({
            "name": "c",
            "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "sleep 5"]}}},
            "readinessProbe": {"initialDelaySeconds": 7},
            "startupProbe": {"initialDelaySeconds": 2},
        }))
        .unwrap();
        assert_eq!(post_start(&container), Duration::from_secs(5));
        assert_eq!(ready_delay(&container), Duration::from_secs(7));
        assert_eq!(post_start(&Container::default()), Duration::ZERO);
        assert_eq!(ready_delay(&Container::default()), Duration::ZERO);
    }
}
