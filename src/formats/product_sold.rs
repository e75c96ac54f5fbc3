//! The format `product_sold`: one version of an order as a JSON object.
//!
//! | member | JSON | meaning |
//! |---|---|---|
//! | `orderId` | string or whole number | required, not empty; `42` and `"42"` are one id |
//! | `orderDate` | ISO 8601 string, or a whole number: milliseconds since 1970 in UTC | required |
//! | `totalAmount` | number, or a string of one | where missing: `productPrice` times `productQuantity` |
//! | `productPrice` | number, or a string of one | |
//! | `productQuantity` | whole number, or a string of one, up to 10^9 either way | missing: 1; negative: a refund |
//! | `productCategory` | string | missing or empty: its product's, as the catalogue has it |
//! | `paymentMethod` | string | missing or empty: `unknown` |
//! | `currency` | string, trimmed and upper-cased | missing or empty: the topic's or the job's default |
//! | `productId`, `customerId` | string or whole number | |
//! | `productName`, `productBrand` | string | |
//!
//! The product is the `productName`, or with `product_key = "id"` the `productId`; missing or empty it is
//! `unknown`. Over 255 bytes it rejects the record: cut short, two products might become one.
//!
//! `null` is missing, wherever it stands. Unknown members are ignored whatever they hold, but no
//! member, known or not, may appear twice. Each price or amount is rounded to six places by itself. A
//! record without a payload cancels the order that its key names; otherwise keys are ignored.

/// The members that hold an order's fields, in the order of `order::FIELDS`.
pub(super) const MEMBERS: [Option<&str>; 12] = [
    Some("orderId"),
    Some("productId"),
    Some("productName"),
    Some("productCategory"),
    Some("productPrice"),
    Some("productQuantity"),
    Some("productBrand"),
    Some("currency"),
    Some("customerId"),
    Some("orderDate"),
    Some("paymentMethod"),
    Some("totalAmount"),
];
