//! The verdict.

use std::fmt;

use serde::Serialize;

/// What a recount found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Records read.
    pub records: u64,
    /// Orders among them, the cancelled ones included.
    pub orders: u64,
    /// Products that the catalogue ever had.
    pub products: u64,
    /// Feedback among them, that which was withdrawn included.
    pub feedback: u64,
    /// Rows of views compared, stored and counted ones.
    pub rows: u64,
    /// Counters compared.
    pub counters: u64,
    /// How many of them differ.
    pub differences: u64,
    /// The first of those, at most [`AuditReport::SHOWN`].
    pub shown: Vec<Difference>,
    /// What could only be compared in part, and why.
    pub notes: Vec<String>,
}

/// A row or counter that is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which, such as `sales_per_day (2026-11-22, EUR)`.
    pub what: String,
    /// As stored.
    pub stored: String,
    /// As counted from the log.
    pub counted: String,
}

impl AuditReport {
    /// How many differences are shown in full.
    pub const SHOWN: usize = 20;

    /// Whether store and log agree.
    pub fn is_clean(&self) -> bool {
        self.differences == 0
    }

    pub(super) fn compare<T: PartialEq>(
        &mut self,
        what: impl FnOnce() -> String,
        stored: &T,
        counted: &T,
        text: impl Fn(&T) -> String,
    ) {
        if stored == counted {
            return;
        }
        self.differences += 1;
        if self.shown.len() < AuditReport::SHOWN {
            self.shown.push(Difference { what: what(), stored: text(stored), counted: text(counted) });
        }
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AuditReport { records, orders, products, feedback, rows, counters, differences, shown, notes } = self;
        write!(f, "recounted {records} records of {orders} orders")?;
        if products + feedback > 0 {
            write!(f, ", {products} products and {feedback} feedbacks")?;
        }
        writeln!(f, "; compared {rows} rows and {counters} counters")?;
        for note in notes {
            writeln!(f, "note: {note}")?;
        }
        if self.is_clean() {
            return writeln!(f, "no difference");
        }
        writeln!(f, "{differences} differences")?;
        for Difference { what, stored, counted } in shown {
            writeln!(f, "  {what}: stored {stored}, counted {counted}")?;
        }
        let more = differences - shown.len() as u64;
        if more > 0 { writeln!(f, "  and {more} more") } else { Ok(()) }
    }
}
