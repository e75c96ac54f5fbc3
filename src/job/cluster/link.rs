//! What processes say to each other beside the dataflow: one line of JSON a word.

use serde::{Deserialize, Serialize};

use crate::job::recovery::Plan;

/// One word. Process 0 leads; what only it says, or only it is told, is said so.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    /// I am alive.
    Beat,
    /// From process 0: where everything starts.
    Plan(Box<Plan>),
    /// From process 0: this epoch is open now, and those before it are closed.
    Opened(u64),
    /// To process 0: so many records were fed to the open epoch.
    Fed(u64),
    /// To process 0: one of my workers has read all that was there at the start.
    CaughtUp,
    /// To process 0: I was asked to stop.
    Stop,
    /// The memory of this process is about to run out, it says how; all stop in order. Told to process 0, which tells all.
    Exhausted {
        /// Which.
        process: usize,
        /// Its message.
        why: String,
    },
    /// I end because of this, and so must all.
    Failed(String),
    /// From process 0: it is over. `again`: all start anew at once.
    Finished {
        /// Whether they do.
        again: bool,
    },
}
