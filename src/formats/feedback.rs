//! The format `feedback`: one version of a customer's feedback as a JSON object.
//!
//! | member | JSON | meaning |
//! |---|---|---|
//! | `feedback_id` | string or whole number | required, not empty; `42` and `"42"` are one id |
//! | `product_id` | string or whole number | required, not empty |
//! | `rating` | whole number from 1 to 5 (`5`, `5.0`, `"5"`) | required |
//! | `comment`, `user_id`, `timestamp` | anything | they only tell a correction from a repetition |
//!
//! `null` is missing. Unknown members are ignored, but no member may appear twice. A record without a
//! payload withdraws the feedback that its key names; otherwise keys are ignored.

/// The members that hold a feedback's fields, in the order of `rating::FIELDS`.
pub(super) const MEMBERS: [Option<&str>; 6] =
    [Some("feedback_id"), Some("product_id"), Some("rating"), Some("comment"), Some("user_id"), Some("timestamp")];
