//! A watch on a terminal: what stands on the screen, and how the terminal is left.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::api::{Patch, PatchParams};
use pty_process::Size;
use pty_process::blocking::{Pty, open};
use serde_json::json;
use vt100::Parser;

use crate::stage::{SERIN, Stage};

/// The content of the terminal before.
const BEFORE: &str = "what was there before";
const GET: [&str; 6] = ["get", "rollout", "demo", "-w", "-n", "steps-edited"];

/// A terminal, what has been written on it, and the program that runs there.
struct Terminal {
    pty: Arc<Pty>,
    shown: Arc<Mutex<Shown>>,
    child: Child,
}

struct Shown {
    parser: Parser,
    raw: String,
}

fn number(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("more than nothing")
}

impl Terminal {
    fn start(stage: &Stage, args: &[&str], env: &[(&str, &str)], (columns, rows): (u16, u16)) -> Self {
        let (pty, pts) = open().expect("a terminal");
        pty.resize(Size::new(rows, columns)).expect("a size");
        let mut command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_serin"));
        command = command.arg0(SERIN).args(args).env("KUBECONFIG", stage.kubeconfig());
        command = command.env_remove("NO_COLOR").env("TERM", "xterm-256color").envs(env.iter().copied());
        let child = command.spawn(pts).expect("the program runs");
        let mut parser = Parser::new(number(rows), number(columns), 0);
        parser.process(format!("{BEFORE}\r\n").as_bytes());
        let shown = Arc::new(Mutex::new(Shown { parser, raw: String::new() }));
        let pty = Arc::new(pty);
        let (reader, writer) = (Arc::clone(&pty), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading from a closed terminal is an error.
            while let Ok(read @ 1..) = reader.as_ref().read(&mut bytes) {
                let mut shown = writer.lock().expect("the screen");
                shown.parser.process(&bytes[..read]);
                shown.raw += &String::from_utf8_lossy(&bytes[..read]);
            }
        });
        Self { pty, shown, child }
    }

    fn resize(&self, (columns, rows): (u16, u16)) {
        self.shown.lock().expect("the screen").parser.set_size(number(rows), number(columns));
        self.pty.resize(Size::new(rows, columns)).expect("a size");
    }

    /// Waits until the screen is as wanted, and returns what stands on it.
    fn wait_for(&self, is_wanted: impl Fn(&str) -> bool) -> String {
        for _ in 0..3000 {
            let contents = self.contents();
            if is_wanted(&contents) {
                return contents;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("not as wanted:\n{}", self.contents());
    }

    fn contents(&self) -> String {
        let contents = self.shown.lock().expect("the screen").parser.screen().contents();
        contents.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// True if the program uses the alternate screen, and true if it hides the cursor.
    fn is_taken(&self) -> (bool, bool) {
        let shown = self.shown.lock().expect("the screen");
        (shown.parser.screen().alternate_screen(), shown.parser.screen().hide_cursor())
    }

    fn raw(&self) -> String {
        self.shown.lock().expect("the screen").raw.clone()
    }

    fn press(&self, keys: &str) {
        self.pty.as_ref().write_all(keys.as_bytes()).expect("a terminal");
    }

    fn end(&mut self) -> Option<i32> {
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// An API with a Rollout that is paused.
async fn paused() -> Stage {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn each_frame_takes_the_place_of_the_last_one() {
    let stage = paused().await;
    let mut terminal = Terminal::start(&stage, &GET, &[], (80, 50));
    let first = terminal.wait_for(|text| text.contains("⟳ demo"));
    assert!(
        first
            .starts_with("Name:            demo\nNamespace:       steps-edited\nStatus:          ॥ Paused\n"),
        "{first}"
    );
    assert!(first.contains("Message:         CanaryPauseStep\n") && !first.contains(BEFORE), "{first}");
    assert_eq!(terminal.is_taken(), (true, true));
    let long =
        "so long a message that it continues in the next line of a terminal that has but eighty columns";
    stage.patch_status("steps-edited", "demo", json!({"message": long})).await;
    let longer = terminal.wait_for(|text| text.contains("eighty columns"));
    assert!(longer.contains("Message:         so long a message"), "{longer}");
    stage.patch_status("steps-edited", "demo", json!({"message": "short"})).await;
    let shorter = terminal.wait_for(|text| text.contains("Message:         short\n"));
    assert_eq!(
        shorter.lines().count(),
        first.lines().count(),
        "nothing is left of the longer frame: {shorter}"
    );
    assert_eq!(terminal.raw().matches("\x1b[2J").count(), 1, "only at the beginning everything is cleared");
    terminal.press("\x03");
    assert_eq!(terminal.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_fits_into_a_terminal_of_any_size() {
    let stage = paused().await;
    let mut terminal = Terminal::start(&stage, &GET, &[], (200, 60));
    terminal.wait_for(|text| text.contains("NAME  ") && text.contains("  KIND  "));
    terminal.resize((20, 60));
    let narrow = terminal.wait_for(|text| {
        text.starts_with("Name: demo\nNamespace:\n  steps-edited\nStatus: ॥ Paused\n")
            && text.contains("\n⟳ ॥ demo Paused\n")
    });
    assert!(!narrow.contains("NAME"), "{narrow}");
    terminal.resize((80, 12));
    let low = terminal
        .wait_for(|text| text.contains("more lines") && text.contains("Namespace:       steps-edited"));
    assert_eq!(low.lines().count(), 12, "{low}");
    assert!(
        low.lines().last().is_some_and(|line| line.starts_with("… ") && line.ends_with(" more lines")),
        "{low}"
    );
    terminal.resize((120, 60));
    terminal.wait_for(|text| text.contains("⟳ demo") && !text.contains("more lines"));
    // The whole picture stays, however low the terminal is.
    terminal.resize((80, 12));
    terminal.wait_for(|text| text.contains("more lines"));
    terminal.press("\x03");
    assert_eq!(terminal.end(), Some(0));
    terminal.wait_for(|text| text.contains("Pod ") && !text.contains("more lines"));
    let raw = terminal.raw();
    let (_, left) = raw.rsplit_once("\x1b[?1049l").expect("the end of the picture");
    assert!(left.contains("  ActualWeight:  "), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_left_as_it_was_with_the_last_frame_on_it() {
    let stage = paused().await;
    for way in ["Ctrl-C", "TERM", "HUP", "a deletion"] {
        let mut terminal = Terminal::start(&stage, &GET, &[], (100, 60));
        terminal.wait_for(|text| text.contains("⟳ demo"));
        match way {
            "Ctrl-C" => terminal.press("\x03"),
            "TERM" | "HUP" => {
                let told = Command::new("kill").args(["-s", way, &terminal.child.id().to_string()]).status();
                assert!(told.expect("a signal").success());
            }
            _ => stage.delete("steps-edited", "demo").await,
        }
        let (code, last) = if way == "a deletion" { (3, "was deleted\n") } else { (0, "Pod ") };
        assert_eq!(terminal.end(), Some(code), "{way}");
        let left = terminal.wait_for(|text| text.contains(last) && text.contains(BEFORE));
        let expected = format!("{BEFORE}\nName:            demo\nNamespace:       steps-edited\n");
        assert!(left.starts_with(&expected) && left.contains("⟳ demo"), "{way}: {left}");
        assert_eq!(terminal.is_taken(), (false, false), "{way}");
        assert!(terminal.raw().ends_with('\n'), "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_and_sequences_are_left_out_where_they_are_not_wanted() {
    let stage = paused().await;
    let no_colour = [GET.as_slice(), &["--no-color"]].concat();
    for (args, env, has_colours, has_sequences) in [
        (GET.as_slice(), &[][..], true, true),
        (&GET, &[("NO_COLOR", "1")], false, true),
        (&GET, &[("NO_COLOR", "")], true, true),
        (&no_colour, &[], false, true),
        (&GET, &[("TERM", "dumb")], false, false),
    ] {
        let terminal = Terminal::start(&stage, args, env, (100, 60));
        terminal.wait_for(|text| text.contains("⟳ demo"));
        let raw = terminal.raw();
        assert_eq!(raw.contains("\x1b[32m"), has_colours, "{env:?} {args:?}");
        assert_eq!(raw.contains('\x1b'), has_sequences, "{env:?} {args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rollouts_are_commanded_only_after_a_question() {
    let stage = paused().await;
    let words = ["pause", "--all", "-n", "steps-edited"];
    let rollouts = stage
        .objects(Some("steps-edited"), &json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}));
    for (answer, is_meant) in
        [("n\r", false), ("\r", false), ("y\r", true), ("Y\r", true), ("yes\r", true), ("yesterday\r", false)]
    {
        let resumed = Patch::Merge(json!({"spec": {"paused": false}}));
        rollouts.patch("demo", &PatchParams::default(), &resumed).await.expect("a Rollout");
        let mut terminal = Terminal::start(&stage, &words, &[], (120, 20));
        let question = "pause the only Rollout in namespace \"steps-edited\" (demo)? [y/N]";
        terminal.wait_for(|text| text.contains(question));
        terminal.press(answer);
        assert_eq!(terminal.end(), Some(0), "{}", terminal.contents());
        let paused = stage
            .run(SERIN, &["get", "rollout", "demo", "-n", "steps-edited", "-o", "jsonpath={.spec.paused}"]);
        assert_eq!(paused.stdout == "true", is_meant, "{answer:?}: {}", terminal.contents());
    }
    for which in [&["--all", "--yes"][..], &["-l", "!tier"]] {
        let words = [&["restart", "-n", "steps-edited"], which].concat();
        let mut sure = Terminal::start(&stage, &words, &[], (120, 20));
        let said =
            sure.wait_for(|text| text.contains("rollout 'demo' restarts in 0s") || text.contains("[y/N]"));
        assert!(!said.contains("[y/N]"), "{said}");
        assert_eq!(sure.end(), Some(0), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_shows_its_difference_on_a_terminal() {
    let stage = Stage::start().await;
    stage.play_named("basic-history").await;
    let mut terminal = Terminal::start(&stage, &["undo", "demo", "-n", "basic-history"], &[], (80, 40));
    let shown = terminal.wait_for(|text| text.contains("rollout 'demo' undo"));
    let (before, after) = shown.split_once("+     v: '3'").unwrap_or_else(|| panic!("{shown}"));
    assert!(before.contains("becomes that of revision 3:") && before.contains("-     v: '4'"), "{shown}");
    assert!(after.contains("rollout 'demo' undo"), "{shown}");
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.raw().contains("\x1b[32m+     v: '3'"), "{}", terminal.raw());
}
