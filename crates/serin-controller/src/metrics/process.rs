//! Time, memory and open files of this process, by the names that every Prometheus client has for them.

use prometheus::proto::{MetricFamily, MetricType};

use super::sample::{family, raw_sample};

/// What the system says about this process; nothing where it does not say.
#[must_use]
pub fn families() -> Vec<MetricFamily> {
    let facts = facts().unwrap_or_default();
    facts
        .into_iter()
        .map(|fact| family(fact.name, fact.help, fact.kind, vec![raw_sample(&[], fact.value)]))
        .collect()
}

struct Fact {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    value: f64,
}

#[cfg(target_os = "linux")]
fn facts() -> Option<Vec<Fact>> {
    use procfs::WithCurrentSystemInfo;
    use procfs::process::{LimitValue, Process};

    let process = Process::myself().ok()?;
    let stat = process.stat().ok()?;
    let ticks = number(procfs::ticks_per_second());
    let started = number(procfs::boot_time_secs().ok()?) + number(stat.starttime) / ticks;
    let most = match process.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Unlimited => f64::INFINITY,
        LimitValue::Value(most) => number(most),
    };
    let files = u64::try_from(process.fd_count().ok()?).ok()?;
    let fact = |name, help, kind, value| Fact { name, help, kind, value };
    let (counter, gauge) = (MetricType::COUNTER, MetricType::GAUGE);
    let seconds = number(stat.utime + stat.stime) / ticks;
    let resident = number(stat.rss_bytes().get());
    Some(vec![
        fact(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            counter,
            seconds,
        ),
        fact("process_max_fds", "Maximum number of open file descriptors.", gauge, most),
        fact("process_open_fds", "Number of open file descriptors.", gauge, number(files)),
        fact("process_resident_memory_bytes", "Resident memory size in bytes.", gauge, resident),
        fact(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            gauge,
            started,
        ),
        fact("process_virtual_memory_bytes", "Virtual memory size in bytes.", gauge, number(stat.vsize)),
    ])
}

#[cfg(not(target_os = "linux"))]
fn facts() -> Option<Vec<Fact>> {
    None
}

/// The nearest number that has a fraction.
#[cfg(target_os = "linux")]
#[allow(clippy::cast_precision_loss, reason = "metrics are floating point numbers")]
const fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_files_and_a_beginning() {
        let value = |name: &str| {
            let families = families();
            let family = families.iter().find(|family| family.name() == name).expect("it is there");
            family.get_metric()[0].get_gauge().get_value()
        };
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!((1.0..value("process_max_fds")).contains(&value("process_open_fds")));
        assert!(value("process_start_time_seconds") > 1.7e9);
    }
}
