//! The page while thousands of orders a second arrive. What is here has the machine to itself: `scripts/rust-tests.sh`
//! runs it alone.

use crate::browser::restart;

/// So many orders may change more rows than are worth telling: then the page loads a snapshot, and its old numbers stay
/// until that is there.
#[test]
fn the_page_keeps_up_with_five_thousand_orders_a_second_and_with_a_service_that_starts_again() {
    restart(5_000, &[]);
}
