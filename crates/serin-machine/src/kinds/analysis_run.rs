//! AnalysisRuns: a primary kind.

use super::row::{Demand, KindRow, primary, whole};
use crate::bulkhead::bulkhead;
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::analysis::{Run, job_keys};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::ObservedKeys;

/// How AnalysisRuns are watched.
pub(super) const ROW: KindRow = primary(Demand::Own, prune);

fn prune(wire: &mut RawObject) -> Entry {
    let namespace = wire.metadata.namespace.clone().unwrap_or_default();
    let run = Run::read(wire.identity(), &namespace, false, &wire.spec, &wire.status);
    // Where this panics, so does the decision, and that is reported there.
    let keys = bulkhead(|| job_keys(&run, None)).unwrap_or_default();
    let objects = keys.into_iter().map(|key| key.of_kind(ObjectKind::Job)).collect();
    let observed = ObservedKeys { objects, pods: false };
    Entry { observed, ..whole(ObjectKind::AnalysisRun, wire) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_looks_at_its_jobs_until_it_has_ended() {
        let observed = |status: serde_json::Value| {
            let metrics = json!([{"name": "check", "provider": {"job": {"spec": {}}}}, {"name": "web", "provider": {}}]);
            let metadata = json!({"name": "run", "namespace": "shop", "uid": "u"});
            let wire = json!({"metadata": metadata, "spec": {"metrics": metrics}, "status": status});
            let entry = prune(&mut serde_json::from_value(wire).expect("an object"));
            entry.observed.objects.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(observed(json!({})), ["Job shop/u.check.1"]);
        let begun =
            json!({"phase": "Running", "metadata": {"job-name": "u.check.1", "job-namespace": "jobs"}});
        let result = json!({"name": "check", "phase": "Running", "measurements": [begun]});
        let both = ["Job jobs/u.check.1", "Job shop/u.check.1"];
        assert_eq!(observed(json!({"phase": "Running", "metricResults": [result]})), both);
        assert!(observed(json!({"phase": "Successful", "metricResults": [result]})).is_empty());
    }
}
