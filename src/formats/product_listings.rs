//! The format `product_listings`: one version of a product's listing as a JSON object.
//!
//! | member | JSON | meaning |
//! |---|---|---|
//! | `product_id` | string or whole number | required, not empty; `42` and `"42"` are one product |
//! | `name` | string of up to 4,096 bytes | missing or empty: none |
//! | `category` | string | missing or empty: none, and its sales are `unlisted` |
//! | `price` | number, or a string of one | |
//!
//! The newest listing of a product counts, by its place in the log: a `timestamp` is ignored, like every
//! unknown member. `null` is missing; no member may appear twice. A record without a payload withdraws
//! the listing of the product that its key names; otherwise keys are ignored.

/// The members that hold a listing's fields, in the order of `listing::FIELDS`.
pub(super) const MEMBERS: [Option<&str>; 4] = [Some("product_id"), Some("name"), Some("category"), Some("price")];
