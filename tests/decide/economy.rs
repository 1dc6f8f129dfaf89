//! How many writes the decisions ask for, from a change to the settled state, where the world answers at once.
//!
//! The same manifests are counted on a real API server in `tests/e2e/economy.rs`, where answers take their time.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::json;
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

/// Manifest; the most writes of its first deployment and of an update. One write of an update is for counts alone, which
/// are a second old at most.
const MOST: [(&str, usize, usize); 3] =
    [("nginx-canary", 8, 19), ("blue-green", 8, 10), ("basic-canary", 6, 20)];

fn writes_until_settled(world: &mut World) -> Vec<String> {
    world.writes.clear();
    let end = world.now + SignedDuration::from_secs(120);
    world.run(end, |_| false);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    world.writes.clone()
}

#[test]
fn writes_stay_within_their_budget() {
    for (name, of_creation, of_update) in MOST {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/economy/{name}.yaml"));
        let mut world = World::new();
        world.apply(&std::fs::read_to_string(path).unwrap());
        let writes = writes_until_settled(&mut world);
        assert!(writes.len() <= of_creation, "first deployment of {name}: {writes:#?}");
        let change = json!({"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}});
        world.patch(ObjectKind::Rollout, "demo", &change);
        let writes = writes_until_settled(&mut world);
        assert!(writes.len() <= of_update, "update of {name}: {writes:#?}");
    }
}
