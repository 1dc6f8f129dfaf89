//! Under the name of the reference's plugin the program prints what that did, byte for byte.

use regex::Regex;

use crate::recorded::recordings;
use crate::stage::{Outcome, PLUGIN, Stage};

/// Without ages, which are those of now, and the widths that they give to columns.
pub(crate) fn ageless(text: &str) -> String {
    let text = Regex::new(r"\b\d+s\b").expect("a pattern").replace_all(text, "AGE");
    Regex::new(" +").expect("a pattern").replace_all(&text, " ").into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_list_and_get_are_as_recorded() {
    let stage = Stage::start().await;
    for recording in recordings() {
        stage.play(&recording).await;
        for printed in &recording.outputs {
            let mut args: Vec<&str> = printed.args.iter().map(String::as_str).collect();
            args.extend(["-n", &recording.name]);
            let outcome = stage.run(PLUGIN, &args);
            let expected = Outcome {
                stdout: printed.stdout.replace("default", &recording.name),
                stderr: printed.stderr.clone(),
                exit: printed.exit,
            };
            if args[0] != "get" {
                assert_eq!(outcome, expected, "{} {args:?}", recording.name);
                continue;
            }
            // Pods that were created at once have another order, and a delay has passed by now.
            let lines = |text: &str| {
                let mut lines: Vec<String> =
                    ageless(text).lines().map(|line| line.replace(['├', '└'], "-")).collect();
                lines.retain(|line| !line.contains("Pod") && !line.contains("delay:"));
                lines
            };
            assert_eq!(lines(&outcome.stdout), lines(&expected.stdout), "{}", recording.name);
            assert_eq!((outcome.stderr.as_str(), outcome.exit), ("", 0));
            let pods = |text: &str| text.matches("□").count();
            assert_eq!(pods(&outcome.stdout), pods(&expected.stdout), "{}", recording.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_the_code_1() {
    let stage = Stage::start().await;
    for args in [vec!["get", "rollout", "cart"], vec!["status", "cart"]] {
        let Outcome { stdout, stderr, exit } = stage.run(PLUGIN, &args);
        let expected = "Error: rollout.argoproj.io \"cart\" not found\n";
        assert_eq!((stdout.as_str(), stderr.as_str(), exit), ("", expected, 1), "{args:?}");
    }
    for args in [vec!["get"], vec!["status"], vec!["get", "rollout", "a", "--no-such-flag"]] {
        let Outcome { stdout, stderr, exit } = stage.run(PLUGIN, &args);
        assert!(stdout.is_empty() && stderr.contains("Usage: kubectl-argo-rollouts"), "{stdout}{stderr}");
        assert_eq!(exit, 1, "{args:?}");
    }
    let nothing = stage.run(PLUGIN, &["list", "rollouts"]);
    let expected = Outcome { stdout: String::new(), stderr: "No resources found.\n".to_owned(), exit: 0 };
    assert_eq!(nothing, expected);
}
