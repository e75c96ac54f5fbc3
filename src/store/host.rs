//! Who this process is, for the one that finds the store held.

/// `HOST, pid N`.
pub(super) fn this_process() -> String {
    let host = whoami::hostname().unwrap_or_else(|_| "an unnamed host".to_owned());
    format!("{host}, pid {}", std::process::id())
}
