//! What bytes of any kind are thrown at. One function a target: it must never panic, and whatever it reads must
//! be what a plain reading of the same bytes says.
//!
//! The fuzzer runs them for as long as it is let (`make fuzz`, the crate in `fuzz/`), and `tests/attack` for some
//! seconds in each `make test`, so that none of them rots.

pub mod amount;
pub mod bytes;
pub mod decoder;
pub mod envelope;
pub mod mapping;
pub mod moment;
pub mod query;

/// What is done with any bytes.
pub type Attack = fn(&[u8]);

/// A target: its name, as `make fuzz TARGET=…` has it, and its attack.
#[allow(dead_code, reason = "a fuzz target names its own")]
pub const TARGETS: [(&str, Attack); 6] = [
    ("decoder", decoder::attack),
    ("mapping", mapping::attack),
    ("moment", moment::attack),
    ("amount", amount::attack),
    ("envelope", envelope::attack),
    ("query", query::attack),
];
