//! The job's memory: watched, and kept below a limit by stopping in order before the kernel does it otherwise.
//!
//! What it can not do: free anything. What grows is the state that corrections need, and how far back they reach
//! is the user's to say.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use takings_dataflows::graph::Held;

use super::JobError;
use super::pace::Pace;

/// How often it looks. Catching up, a job can take a hundred megabytes a second.
const LOOK: Duration = Duration::from_millis(100);
/// From this share of the limit on, in percent, it is said, and epochs are kept small: what an epoch changes takes
/// memory as well.
const TIGHT: u64 = 80;
/// At this share the job stops. What is left is for the last commit.
const FULL: u64 = 92;
/// An order with its share of the index; see ARCHITECTURE.md.
const BYTES_AN_ORDER: u64 = 85;

/// What a process must not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// In bytes.
    pub bytes: u64,
    /// Whether the kernel sets it (for the control group, as containers have one) and not the setting.
    pub is_the_kernels: bool,
}

impl Limit {
    /// The lower one of what the setting says and what the kernel grants; `None` where there is neither.
    pub fn in_force(setting: Option<u64>) -> Option<Limit> {
        let setting = setting.map(|bytes| Limit { bytes, is_the_kernels: false });
        let granted = granted().map(|bytes| Limit { bytes, is_the_kernels: true });
        setting.into_iter().chain(granted).min_by_key(|limit| limit.bytes)
    }

    const fn share(self, percent: u64) -> u64 {
        self.bytes / 100 * percent
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whose = if self.is_the_kernels { "of its control group" } else { "that --memory-limit sets" };
        write!(f, "the limit of {} {whose}", ByteSize(self.bytes).display().iec())
    }
}

/// The memory that this process occupies, in bytes.
pub fn resident() -> Option<u64> {
    let pages = procfs::process::Process::myself().ok()?.statm().ok()?.resident;
    Some(pages * procfs::page_size())
}

/// Watches until `ended` is dropped, or the limit is near: then the job stops.
pub(super) fn watch(limit: Limit, held: &Held, pace: &Pace, ended: &Receiver<()>) {
    let mut is_told = false;
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
        let Some(used) = resident() else { continue };
        if used >= limit.share(FULL) {
            pace.exhaust(JobError::Memory { used: ByteSize(used), limit, holding: holding(held) });
            return;
        }
        let is_tight = used >= limit.share(TIGHT);
        pace.tighten(is_tight);
        if is_tight && !is_told {
            is_told = true;
            tracing::warn!(
                "{} of memory are in use, {} % of {limit}: the job holds {}; it stops at {FULL} %. What grows is the orders \
                 that may still be corrected: --correction-window bounds them, or raise the limit",
                ByteSize(used).display().iec(),
                used * 100 / limit.bytes.max(1),
                holding(held)
            );
        }
    }
}

fn holding(held: &Held) -> String {
    let orders = held.orders();
    format!("{orders} orders, about {} of it", ByteSize(orders * BYTES_AN_ORDER).display().iec())
}

/// What the control groups of this process grant it: the lowest limit on the way up.
fn granted() -> Option<u64> {
    let groups = procfs::process::Process::myself().ok()?.cgroups().ok()?;
    let limits = groups.0.iter().filter_map(|group| {
        if group.hierarchy == 0 {
            lowest(Path::new("/sys/fs/cgroup"), &group.pathname, "memory.max")
        } else if group.controllers.iter().any(|controller| controller == "memory") {
            lowest(Path::new("/sys/fs/cgroup/memory"), &group.pathname, "memory.limit_in_bytes")
        } else {
            None
        }
    });
    limits.min()
}

/// The lowest of the limits in the folders from `root` down to the group's; `max`, or more than any machine has
/// (as version 1 writes it), is none. In a container the path may be the host's, and only the root is there.
fn lowest(root: &Path, group: &str, file: &str) -> Option<u64> {
    const MORE_THAN_ANY_MACHINE: u64 = 1 << 60;
    let group = PathBuf::from(group.trim_start_matches('/'));
    let limits = group.ancestors().filter_map(|group| {
        let text = std::fs::read_to_string(root.join(group).join(file)).ok()?;
        text.trim().parse::<u64>().ok().filter(|limit| *limit < MORE_THAN_ANY_MACHINE)
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_on_the_way_up_is_granted() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |group: &str, limit: &str| {
            let folder = root.path().join(group);
            std::fs::create_dir_all(&folder).expect("made");
            std::fs::write(folder.join("memory.max"), limit).expect("written");
        };
        let granted = |group| lowest(root.path(), group, "memory.max");
        assert_eq!(granted("/shop/takings"), None, "nothing is said");
        at("shop/takings", "max\n");
        assert_eq!(granted("/shop/takings"), None);
        at("shop", "1073741824\n");
        assert_eq!(granted("/shop/takings"), Some(1 << 30));
        at("shop/takings", "536870912\n");
        assert_eq!(granted("/shop/takings"), Some(1 << 29));
        // In a container only the root of what it sees is there.
        at("", "268435456\n");
        assert_eq!(granted("/kubepods/burstable/x"), Some(1 << 28));
        at("", "9223372036854771712\n");
        assert_eq!(granted("/"), None, "as version 1 says that there is none");
    }

    #[test]
    fn the_setting_holds_where_the_kernel_grants_more() {
        let limit = Limit::in_force(Some(1 << 20)).expect("a limit");
        assert_eq!(limit, Limit { bytes: 1 << 20, is_the_kernels: false });
        assert!(resident().expect("procfs") > 1 << 20);
    }
}
