//! Measured figures → what the manifests ask of a machine, each with its margin and its origin.

use crate::plan::{Component, Measured, Origin, OriginKind};

/// A value for a manifest, and where it comes from.
pub struct Sized<T> {
    /// The value.
    pub value: T,
    /// The figure and the margin, or that it is a default.
    pub origin: Vec<Origin>,
}

/// How much a program asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// At most 128 MiB and 100 thousandths of a core.
    Low,
    /// At most 512 MiB and half a core.
    Medium,
    /// More than that.
    High,
}

impl Tier {
    /// Returns the word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Returns how much `component` asks for.
pub fn tier(component: &Component) -> Tier {
    let memory = memory_request(component).value;
    let cpu = cpu_at_knee(component).unwrap_or_else(|| cpu_request(component));
    let cpu = cpu.value;
    if memory <= 128 && cpu <= 100 {
        Tier::Low
    } else if memory <= 512 && cpu <= 500 {
        Tier::Medium
    } else {
        Tier::High
    }
}

/// Returns the CPU request in thousandths of a core. There is no limit: it would only slow down the
/// start, and the request shares out what is scarce.
pub fn cpu_request(component: &Component) -> Sized<u64> {
    let measured = component.measured.as_ref();
    measured.and_then(cpu_of).unwrap_or_else(|| guessed(100))
}

fn cpu_of(measured: &Measured) -> Option<Sized<u64>> {
    let steady = measured.steady_cpu_millicores?;
    // The rate of a short start says little; its CPU time has to fit into what the probe allows.
    let rate = measured.startup_cpu_millicores.unwrap_or(0);
    let allowed = startup_of(measured);
    let needed = rate * measured.startup_ms * 2 / allowed;
    let value = (steady * 3 / 2).max(needed).clamp(50, 4000);
    let text = format!(
        "{steady}m of a core while idle and {rate}m for the {} ms of the start: one and a half of the \
         first, or enough to start in half of the {} s that the probe waits, at least 50m",
        measured.startup_ms,
        allowed / 1000
    );
    Some(measured_as(value.div_ceil(10) * 10, text))
}

/// Returns what the container that serves uses at the highest rate that it serves well, in
/// thousandths of a core; `None` where no load was measured.
///
/// It is that container's CPU request, because an autoscaler counts in percent of the request.
pub fn cpu_at_knee(component: &Component) -> Option<Sized<u64>> {
    let (knee, millicores) = component.capacity()?;
    let text = format!("at {knee:.0} requests per second it used {millicores}m of a core");
    Some(measured_as(u64::from(millicores).max(LEAST_CPU), text))
}

/// A request for less than this says more about the clock than about the program.
const LEAST_CPU: u64 = 10;

/// Returns the memory request in MiB.
pub fn memory_request(component: &Component) -> Sized<u64> {
    // A program that serves a load is not idle.
    let idle = |measured: &Measured| {
        let is_loaded = measured.load.is_some();
        measured.steady_memory_bytes.filter(|_| !is_loaded)
    };
    if let Some((_, steady)) = known(component, idle) {
        let text = format!(
            "{} MiB while idle: a quarter more in steps of 32, at least 64",
            steady >> 20
        );
        return measured_as(mebibytes(steady * 5 / 4).max(64), text);
    }
    match known(component, peak) {
        Some((_, peak)) => {
            let text = format!(
                "{} MiB at its peak: a quarter more in steps of 32, at least 64",
                peak >> 20
            );
            measured_as(mebibytes(peak * 5 / 4).max(64), text)
        }
        None => guessed(128),
    }
}

/// Returns the memory limit in MiB.
pub fn memory_limit(component: &Component) -> Sized<u64> {
    match known(component, peak) {
        Some((_, peak)) => {
            let text = format!(
                "{} MiB at its peak: twice that in steps of 32, at least 128",
                peak >> 20
            );
            measured_as(mebibytes(peak * 2).max(128), text)
        }
        None => guessed(512),
    }
}

/// Returns how long the start may take, in milliseconds: a node is slower than a desk.
pub fn startup(component: &Component) -> Sized<u64> {
    match &component.measured {
        Some(measured) => measured_as(
            startup_of(measured),
            format!(
                "answered after {} ms: five times that, at least 30 s",
                measured.startup_ms
            ),
        ),
        None => guessed(60_000),
    }
}

/// Returns how many seconds it has to end after SIGTERM; `None` where that was not measured, so that
/// the 30 seconds of Kubernetes and the 10 of Docker hold.
pub fn grace(component: &Component) -> Option<Sized<u64>> {
    let (_, stop) = known(component, |measured| measured.stop_ms)?;
    let is_killed = stop >= KILLED;
    let text = if is_killed {
        "it does not end on SIGTERM and is killed at the end of this time, which is as short as is usual"
            .to_owned()
    } else {
        format!("ended {stop} ms after SIGTERM: three times that, at least 10 s")
    };
    let seconds = if is_killed {
        10
    } else {
        (stop * 3).div_ceil(1000).max(10)
    };
    Some(measured_as(seconds, text))
}

fn startup_of(measured: &Measured) -> u64 {
    (measured.startup_ms * 5).max(30_000)
}

/// What `Measured::stop_ms` says of a program that was killed at the end of the grace period.
const KILLED: u64 = 10_000;

fn peak(measured: &Measured) -> Option<u64> {
    Some(measured.peak_memory_bytes).filter(|peak| *peak > 0)
}

fn known(
    component: &Component,
    figure: impl Fn(&Measured) -> Option<u64>,
) -> Option<(&Measured, u64)> {
    let measured = component.measured.as_ref()?;
    Some((measured, figure(measured)?))
}

fn measured_as(value: u64, text: String) -> Sized<u64> {
    let origin = Origin {
        kind: OriginKind::Measured,
        file: None,
        line: None,
        text: Some(text),
    };
    Sized {
        value,
        origin: vec![origin],
    }
}

fn guessed(value: u64) -> Sized<u64> {
    let origin = Origin::manifest(
        "templates/compose.yaml.j2",
        "nothing was measured yet: a cautious default",
    );
    Sized {
        value,
        origin: vec![origin],
    }
}

/// Rounded up to steps of 32.
fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(32 << 20) * 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(startup_ms: u64, startup: u64, steady: u64) -> u64 {
        let measured = Measured {
            startup_ms,
            peak_memory_bytes: 0,
            steady_memory_bytes: None,
            startup_cpu_millicores: Some(startup),
            steady_cpu_millicores: Some(steady),
            listening: Vec::new(),
            written: Vec::new(),
            stop_ms: None,
            corrections: Vec::new(),
            load: None,
        };
        cpu_of(&measured).expect("measured").value
    }

    #[test]
    fn a_short_start_asks_for_nothing_however_busy_it_was() {
        assert_eq!(asked(300, 1900, 0), 50);
    }

    #[test]
    fn a_long_start_has_to_fit_into_half_of_what_its_probe_allows() {
        // 16 s of CPU time; the probe waits 40 s.
        assert_eq!(asked(8000, 2000, 10), 800);
    }

    #[test]
    fn an_idle_load_has_a_margin_of_a_half() {
        assert_eq!(asked(300, 100, 200), 300);
    }
}
