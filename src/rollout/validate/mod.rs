use super::context::Strategy;
use super::snapshot::Snapshot;
pub(super) fn check(s: &Snapshot) -> Result<Strategy<'_>, String> {
    let st = &s.rollout.spec.strategy;
    if let Some(c) = &st.canary {
        return Ok(Strategy::Canary(c));
    }
    if let Some(b) = &st.blue_green {
        return Ok(Strategy::BlueGreen(b));
    }
    Err("no strategy".into())
}
