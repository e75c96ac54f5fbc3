//! The format `transactions`: one version of a plain sale as a JSON object.
//!
//! | member | JSON | meaning |
//! |---|---|---|
//! | `transaction_id` | string or whole number | required, not empty; `42` and `"42"` are one id |
//! | `amount` | number, or a string of one | required; negative: a refund |
//! | `timestamp` | ISO 8601 string, or a whole number: milliseconds since 1970 in UTC | required |
//! | `product_id` | string or whole number | missing or empty: `unknown`; `42` and `"42"` are one product |
//! | `user_id` | string or whole number | |
//!
//! It names no category (its product's counts, as the catalogue has it), no currency (the topic's or
//! the job's default counts), no payment method (`unknown`) and no quantity (1). Members of such names
//! are no part of the format and ignored like all other unknown ones: who sends them maps them
//! ([`crate::config::mapping`]).
//!
//! `null` is missing; no member may appear twice. A record without a payload cancels the order that its
//! key names; otherwise keys are ignored.

/// The members that hold an order's fields, in the order of `order::FIELDS`.
pub(super) const MEMBERS: [Option<&str>; 12] = [
    Some("transaction_id"),
    Some("product_id"),
    None,
    None,
    None,
    None,
    None,
    None,
    Some("user_id"),
    Some("timestamp"),
    None,
    Some("amount"),
];
