use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
pub fn pause_seconds(d: &IntOrString) -> i32 { match d { IntOrString::Int(i) => *i, IntOrString::String(s) => s.trim_end_matches('s').parse().unwrap_or(-1) } }
