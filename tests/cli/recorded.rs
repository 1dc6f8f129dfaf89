//! Output of the reference's plugin about recorded objects. Serin must print the same bytes.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serin::cli::view::{self, ListColumns, Look};
use serin_core::api::{Rollout, decode};
use serin_insight::standing::Standing;
use serin_insight::surroundings::Surroundings;

/// The objects of a moment, and what the plugin printed of them.
#[derive(Deserialize)]
pub(crate) struct Recording {
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) now: Timestamp,
    pub(crate) outputs: Vec<Printed>,
    pub(crate) objects: List,
}

#[derive(Deserialize)]
pub(crate) struct List {
    pub(crate) items: Vec<Value>,
}

/// A command, and what came of it.
#[derive(Deserialize)]
pub(crate) struct Printed {
    pub(crate) args: Vec<String>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

/// All recordings, by name.
pub(crate) fn recordings() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/recorded");
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut recordings: Vec<Recording> = files
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a readable file");
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            Recording { name, ..serde_json::from_str(&text).expect("a recording") }
        })
        .collect();
    recordings.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(recordings.len(), 38);
    recordings
}

impl Recording {
    /// The objects of a kind.
    fn all<T: serde::de::DeserializeOwned>(&self, kind: &str) -> Vec<T> {
        let of_kind = self.objects.items.iter().filter(|object| object["kind"] == kind);
        of_kind.map(|object| decode(object.clone()).expect("a readable object")).collect()
    }

    fn printed(&self, verb: &str) -> &str {
        let output = self.outputs.iter().find(|output| output.args[0] == verb);
        &output.expect("every verb was tried").stdout
    }
}

#[test]
fn every_view_is_the_recorded_one() {
    for recording in recordings() {
        let rollouts: Vec<Rollout> = recording.all("Rollout");
        let [rollout] = rollouts.as_slice() else { panic!("{}: more than one", recording.name) };
        let around = Surroundings {
            replica_sets: recording.all("ReplicaSet"),
            pods: recording.all("Pod"),
            ..Surroundings::default()
        };
        let name = &recording.name;
        // The recorded time has no fraction, and the plugin took a moment.
        let views = [0, 500, 1000, 1500].map(|later| {
            let look = Look::plain(recording.now + SignedDuration::from_millis(later));
            view::rollout(rollout, &around, &look)
        });
        let full = view::rollout(rollout, &around, &Look { is_full: true, ..Look::plain(recording.now) });
        let (head, tree) = views[0].split_once("\n\n").expect("a tree");
        let (full_head, full_tree) = full.split_once("\n\n").expect("a tree");
        assert_eq!(full_tree, tree, "{name}");
        let is_healthy = recording.printed("status") == "Healthy\n";
        let more = full_head.strip_prefix(head).unwrap_or_else(|| panic!("{name}: {full_head}"));
        assert!(is_healthy || more.contains("\nWaits for:       "), "{name}: {full_head}");
        let expected = recording.printed("get");
        assert!(views.iter().any(|view| view == expected), "{name}: {expected}{}", views[0]);
        let list = view::list(&rollouts, ListColumns::default(), recording.now);
        assert_eq!(list, recording.printed("list"), "{name}");
        let status = format!("{}\n", Standing::of(rollout).last_line());
        assert_eq!(status, recording.printed("status"), "{name}");
    }
}
