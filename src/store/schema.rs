//! The version of a store's schema: whoever writes brings it up to date, whoever reads says where it is not.

use super::StoreError;

/// The table in which each store keeps which migrations it has seen.
pub const HISTORY: &str = "takings_schema_history";

/// The newest version, which this program writes and reads.
pub const KNOWN: u32 = 12;

/// Whether a store of this version (0: it has no schema) is to be brought up to date by who writes it.
///
/// # Errors
/// [`StoreError::NewerSchema`].
pub(super) fn is_to_migrate(found: u32) -> Result<bool, StoreError> {
    if found > KNOWN { Err(StoreError::NewerSchema { found, known: KNOWN }) } else { Ok(found < KNOWN) }
}

/// Whether who only reads understands a schema of this version.
///
/// # Errors
/// [`StoreError::OlderSchema`], [`StoreError::NewerSchema`].
pub(super) fn check_to_read(found: u32) -> Result<(), StoreError> {
    if is_to_migrate(found)? { Err(StoreError::OlderSchema { found, known: KNOWN }) } else { Ok(()) }
}

/// The same of a store that may have no schema at all.
///
/// # Errors
/// As [`check_to_read`]; [`StoreError::Empty`].
pub(super) fn check_to_look(found: u32, store: &str) -> Result<(), StoreError> {
    if found == 0 { Err(StoreError::Empty { store: store.to_owned() }) } else { check_to_read(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_schema_is_known() {
        for store in ["postgres", "sqlite"] {
            let folder = format!("{}/sql/{store}/migrations", env!("CARGO_MANIFEST_DIR"));
            let names = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.file_name());
            let version = |name: &str| name.strip_prefix('V')?.split("__").next()?.parse::<u32>().ok();
            let newest = names.filter_map(|name| version(name.to_str()?)).max();
            assert_eq!(newest, Some(KNOWN), "{store}");
        }
    }
}
