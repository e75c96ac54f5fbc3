//! Mappings: any JSON through pointers.

use std::cell::RefCell;

use proptest::prelude::*;

use super::agreement::value;
use super::readings::{Readings, config};

const ORDERS: &str = r#"
topics = ["shop.orders"]
keep_orders = true
[mapping."shop.orders"]
kind = "order"
id_space = "shop"
default_currency = "xof"
order_id = "/order/number"
product = "/items/0/sku"
product_name = "/items/0/name"
amount = { pointer = "/total/cents", scale = 2 }
price = "/items/0/price"
quantity = "/items/0/count"
category = { pointer = "/items/0/group", default = "Books" }
currency = "/total/currency"
ordered_at = { pointer = "/created", format = "epoch_seconds", time_zone = "Europe/Paris" }
payment_method = "/payment~1kind"
customer_id = "/customer"
"#;

/// The places of [`ORDERS`] and around them, with the values that a sound record has there.
const VALUES: [(&str, &str); 11] = [
    ("number", "17"),
    ("sku", r#""K-1""#),
    ("name", r#""Kettle""#),
    ("price", "12.5"),
    ("count", "2"),
    ("group", r#""Kitchen""#),
    ("cents", "2500"),
    ("currency", r#""EUR""#),
    ("created", "1700000000"),
    ("kind", r#""CARD""#),
    ("customer", r#""c-9""#),
];

/// An order for [`ORDERS`], with one value put in place of another.
fn order(name: &str, with: &str) -> String {
    written(&VALUES.map(|(known, value)| if known == name { with } else { value }.to_owned()))
}

fn written(values: &[String; 11]) -> String {
    let [number, sku, name, price, count, group, cents, currency, created, kind, customer] = values;
    format!(
        r#"{{"order": {{"number": {number}, "x": [1]}}, "items": [{{"sku": {sku}, "name": {name}, "price": {price},
        "count": {count}, "group": {group}}}, {{"sku": "K-2", "sku": "K-3"}}], "total": {{"cents": {cents},
        "currency": {currency}}}, "created": {created}, "payment/kind": {kind}, "customer": {customer}}}"#
    )
}

#[test]
fn reads_an_order_from_wherever_its_fields_are() {
    for (name, value, expected) in [
        ("", "", "17 K-1 2023-11-14 Kitchen CARD EUR 25.000000 2"),
        ("number", r#""17""#, "17 K-1 2023-11-14 Kitchen CARD EUR 25.000000 2"),
        ("sku", "null", "17 unknown 2023-11-14 Kitchen CARD EUR 25.000000 2"),
        ("sku", r#""""#, "17 unknown 2023-11-14 Kitchen CARD EUR 25.000000 2"),
        ("group", "null", "17 K-1 2023-11-14 Books CARD EUR 25.000000 2"),
        ("group", r#""""#, "17 K-1 2023-11-14 Books CARD EUR 25.000000 2"),
        ("group", "12", "17 K-1 2023-11-14 12 CARD EUR 25.000000 2"),
        ("currency", "null", "17 K-1 2023-11-14 Kitchen CARD XOF 25.000000 2"),
        ("currency", r#"" fcfa""#, "17 K-1 2023-11-14 Kitchen CARD FCFA 25.000000 2"),
        ("currency", r#""   ""#, "17 K-1 2023-11-14 Kitchen CARD XOF 25.000000 2"),
        ("kind", "null", "17 K-1 2023-11-14 Kitchen unknown EUR 25.000000 2"),
        ("count", "null", "17 K-1 2023-11-14 Kitchen CARD EUR 25.000000 1"),
        // Decimal places that are implied.
        ("cents", "-5", "17 K-1 2023-11-14 Kitchen CARD EUR -0.050000 2"),
        ("cents", r#""1999""#, "17 K-1 2023-11-14 Kitchen CARD EUR 19.990000 2"),
        ("cents", "1999.5", "17 K-1 2023-11-14 Kitchen CARD EUR 19.995000 2"),
        ("cents", "2e3", "17 K-1 2023-11-14 Kitchen CARD EUR 20.000000 2"),
        ("cents", "0.00001", "17 K-1 2023-11-14 Kitchen CARD EUR 0.000000 2 rounded"),
        ("cents", "900000000000000", "17 K-1 2023-11-14 Kitchen CARD EUR 9000000000000.000000 2"),
        ("cents", "null", "17 K-1 2023-11-14 Kitchen CARD EUR 25.000000 2"),
        // 2023-11-14T22:13:20Z; half an hour before midnight in London is after it in Paris.
        ("created", "1700004600", "17 K-1 2023-11-15 Kitchen CARD EUR 25.000000 2"),
        ("created", r#""1700000000.25""#, "17 K-1 2023-11-14 Kitchen CARD EUR 25.000000 2"),
        ("created", "-1.7e9", "17 K-1 1916-02-18 Kitchen CARD EUR 25.000000 2"),
    ] {
        assert_eq!(Readings::new(ORDERS).read(&order(name, value)).as_deref(), Ok(expected), "{name}: {value}");
    }
}

#[test]
fn every_rejection_names_its_pointer() {
    for (name, value, expected) in [
        ("number", "null", "field `/order/number` is missing"),
        ("number", r#""""#, "field `/order/number`: is empty"),
        ("number", "1.5", "field `/order/number`: expected a string or a whole number, found a number `1.5`"),
        ("number", r#"1,"number":1"#, "field `/order/number` appears twice"),
        ("number", r#"1,"y":1,"\u0079":1"#, "field `/order/y` appears twice"),
        ("sku", "[]", "field `/items/0/sku`: expected a string or a whole number, found an array `[]`"),
        ("sku", r#""a","sku":"b""#, "field `/items/0/sku` appears twice"),
        ("cents", r#""12,50""#, "field `/total/cents`: `12,50` is not a decimal number"),
        ("cents", "1e400", "field `/total/cents`: `1e400` is out of range (over nine trillion)"),
        ("count", "1.5", "field `/items/0/count`: `1.5` is not a whole number"),
        ("count", "{}", "field `/items/0/count`: expected a whole number, found an object `{}`"),
        ("created", "null", "field `/created` is missing"),
        ("created", r#""2023-10-01""#, "field `/created`: `2023-10-01` is not a decimal number"),
        ("created", "1700000000000", "field `/created`: `1700000000000` is not within the years 1 to 9999"),
        ("kind", "[1]", "field `/payment~1kind`: expected a string or a whole number, found an array `[1]`"),
        ("customer", r#"1,"order":2"#, "field `/order` appears twice"),
    ] {
        let reason = Readings::new(ORDERS).read(&order(name, value));
        assert_eq!(reason, Err(expected.to_owned()), "{name}: {value}");
    }
    // What stands in the way of a pointer is not what it looks for.
    for (whole, expected) in [
        (r#"{"order": "17", "created": 1}"#, "field `/order/number` is missing"),
        (r#"{"order": [17], "created": 1}"#, "field `/order/number` is missing"),
        (r#"{"order": {"number": 1}, "created": 1, "items": []}"#, "field `/total/cents` is missing"),
        (r#"[{"order": {"number": 1}}]"#, "not a JSON object of this format: expected an object at byte 0"),
    ] {
        assert_eq!(Readings::new(ORDERS).read(whole), Err(expected.to_owned()), "{whole}");
    }
}

#[test]
fn constants_and_built_in_formats_under_other_names_are_read() {
    let flat = |more: &str| {
        let text = "topics = [\"t\"]\ndefault_currency = \"EUR\"\n[mapping.t]\nkind = \"order\"\norder_id = \"/id\"\n";
        format!("{text}ordered_at = \"/at\"\n{more}")
    };
    let payload = r#"{"id": 1, "at": "2023-10-01T23:30:00Z", "n": 3, "": {"": 7, "01": 8}, "a": [5, [6]],
        "s": "  ", "e": "\t\u00a0"}"#;
    for (more, expected) in [
        ("price = { constant = \"0.1\" }\nquantity = \"/n\"", "1 unknown 2023-10-01 - unknown EUR 0.300000 3"),
        ("amount = { constant = 250, scale = 2 }", "1 unknown 2023-10-01 - unknown EUR 2.500000 1"),
        (
            "amount = { constant = 90000000000000, scale = 2 }",
            "1 unknown 2023-10-01 - unknown EUR 900000000000.000000 1",
        ),
        (
            "amount = \"/n\"\ncategory = { constant = \"Books\" }\ncurrency = { constant = \"fcfa\" }",
            "1 unknown 2023-10-01 Books unknown FCFA 3.000000 1",
        ),
        ("amount = \"/n\"\nproduct = { constant = 42 }", "1 42 2023-10-01 - unknown EUR 3.000000 1"),
        // A currency that is blank is none, and the mapping's own default comes before the topic's.
        (
            "amount = \"/n\"\ncurrency = { pointer = \"/s\", default = \"xof\" }",
            "1 unknown 2023-10-01 - unknown XOF 3.000000 1",
        ),
        (
            "amount = \"/n\"\ncurrency = { pointer = \"/e\", default = \"xof\" }",
            "1 unknown 2023-10-01 - unknown XOF 3.000000 1",
        ),
        (
            "amount = \"/n\"\ncategory = { pointer = \"/s\", default = \"Books\" }",
            "1 unknown 2023-10-01    unknown EUR 3.000000 1",
        ),
        ("amount = \"/n\"\ntime_zone = \"Africa/Douala\"", "1 unknown 2023-10-02 - unknown EUR 3.000000 1"),
        ("amount = \"/n\"\ndefault_currency = \"usd\"", "1 unknown 2023-10-01 - unknown USD 3.000000 1"),
        // Names may be empty, or look like numbers; only elements of arrays are numbered.
        ("amount = \"//\"", "1 unknown 2023-10-01 - unknown EUR 7.000000 1"),
        ("amount = \"//01\"", "1 unknown 2023-10-01 - unknown EUR 8.000000 1"),
        ("amount = \"/a/1/0\"\nproduct = \"/a/0\"", "1 5 2023-10-01 - unknown EUR 6.000000 1"),
        ("amount = { pointer = \"/a/01\", default = 9 }", "1 unknown 2023-10-01 - unknown EUR 9.000000 1"),
        ("amount = { pointer = \"/a/2\", default = 9 }", "1 unknown 2023-10-01 - unknown EUR 9.000000 1"),
        ("amount = \"/n\"\nproduct = \"/n\"", "1 3 2023-10-01 - unknown EUR 3.000000 1"),
    ] {
        assert_eq!(Readings::new(&flat(more)).read(payload).as_deref(), Ok(expected), "{more}");
    }
    for (more, expected) in [
        ("price = \"/x\"", "field `/x` is missing"),
        ("price = \"/a\"", "field `/a`: expected an amount, found an array `[5, [6]]`"),
        ("price = { constant = 9000000000000 }\nquantity = \"/n\"", "field `price`: times `/n` is out of range"),
        ("amount = \"/x\"\nprice = \"/y\"", "field `/x` is missing"),
    ] {
        assert_eq!(Readings::new(&flat(more)).read(payload), Err(expected.to_owned()), "{more}");
    }

    let renamed = "topics = [\"sales.fr\"]\n[mapping.\"sales.fr\"]\nformat = \"transactions\"\ntime_zone = \"Europe/Paris\"\n\
                   default_currency = \"eur\"\n";
    let sale = r#"{"transaction_id": 1, "amount": 2, "timestamp": "2023-10-01T22:30:00Z"}"#;
    assert_eq!(Readings::new(renamed).read(sale).as_deref(), Ok("1 unknown 2023-10-02 - unknown EUR 2.000000 1"));
}

#[test]
fn moments_are_read_as_they_are_written() {
    let of = |format: &str| {
        let text = "topics = [\"t\"]\n[mapping.t]\nkind = \"order\"\norder_id = \"/id\"\namount = { constant = 1 }\n";
        format!("{text}ordered_at = {{ pointer = \"/at\", format = \"{format}\" }}\n")
    };
    let day = |format: &str, at: &str| {
        let said = Readings::new(&of(format)).read(&format!("{{\"id\": 1, \"at\": {at}}}"));
        said.map(|said| said.split(' ').nth(2).unwrap_or_default().to_owned())
    };
    for (format, at, expected) in [
        ("iso", r#""2023-11-14T22:13:20+01:00[Europe/Paris]""#, "2023-11-14"),
        ("epoch_seconds", "1700000000", "2023-11-14"),
        ("epoch_seconds", "1700000000.1234567", "2023-11-14"),
        ("epoch_seconds", "-1", "1969-12-31"),
        ("epoch_millis", "1700000000123", "2023-11-14"),
        ("epoch_millis", r#""1700000000123""#, "2023-11-14"),
        ("epoch_micros", "1700000000123456", "2023-11-14"),
        ("epoch_micros", "1.700000000123456e15", "2023-11-14"),
        // What is finer than a microsecond is cut, as in a text: it makes no other day.
        ("iso", r#""2023-11-14T23:59:59.999999999Z""#, "2023-11-14"),
        ("epoch_seconds", "1700006399.999999999", "2023-11-14"),
        ("epoch_seconds", r#""+1700006399.9999999""#, "2023-11-14"),
        ("epoch_seconds", "1.7000063999999999e9", "2023-11-14"),
        ("epoch_millis", "1700006399999.9999", "2023-11-14"),
        ("epoch_millis", "17000063999999999e-4", "2023-11-14"),
        ("epoch_micros", "1700006399999999.9", "2023-11-14"),
        ("iso", r#""1969-12-31T23:59:59.999999999Z""#, "1969-12-31"),
        ("epoch_seconds", "-0.0000001", "1969-12-31"),
        ("epoch_micros", "-1e-30", "1969-12-31"),
        ("epoch_micros", "1e-30", "1970-01-01"),
        ("epoch_seconds", "-86400.0000001", "1969-12-30"),
        ("epoch_seconds", "253402300799.9999999", "9999-12-31"),
    ] {
        assert_eq!(day(format, at).as_deref(), Ok(expected), "{format} {at}");
    }
    let reason = day("iso", "1700000000").expect_err("a number");
    assert_eq!(reason, "field `/at`: expected an ISO 8601 string, found a number `1700000000`");
    let reason = day("epoch_micros", "9e99").expect_err("out of range");
    assert_eq!(reason, "field `/at`: `9e99` is out of range (over nine trillion)");
}

const LISTINGS: &str = r#"
topics = ["shop.catalogue"]
[mapping."shop.catalogue"]
kind = "listing"
product = "/sku"
name = "/title/fr"
category = { pointer = "/path/0", default = "Divers" }
price = { pointer = "/cents", scale = 2 }
"#;

const FEEDBACK: &str = r#"
topics = ["shop.reviews"]
[mapping."shop.reviews"]
kind = "feedback"
feedback_id = "/review/id"
product = { pointer = "/sku", default = "the shop" }
rating = "/review/stars"
comment = "/review/text"
user_id = "/by"
"#;

#[test]
fn reads_listings_and_feedback() {
    let mut listings = Readings::new(LISTINGS);
    let kettle = r#"{"sku": 7, "title": {"fr": "Bouilloire", "en": 1}, "path": ["Cuisine", 2], "cents": 4990}"#;
    assert_eq!(listings.read(kettle).as_deref(), Ok("7 Bouilloire Cuisine 49.900000"));
    assert_eq!(listings.read(r#"{"sku": "7", "title": "x", "path": []}"#).as_deref(), Ok("7 - Divers -"));
    assert_eq!(listings.said(Some(b"7"), None).as_deref(), Ok("7 withdrawn"));
    assert_eq!(listings.read("{}"), Err("field `/sku` is missing".to_owned()));
    assert_eq!(
        listings.read(r#"{"sku": 7, "cents": "?"}"#),
        Err("field `/cents`: `?` is not a decimal number".to_owned())
    );

    let mut feedback = Readings::new(FEEDBACK);
    let review = r#"{"review": {"id": 1, "stars": "5", "text": "\ud83d"}, "sku": "K-1", "by": 3}"#;
    assert_eq!(feedback.read(review).as_deref(), Ok("1 K-1 5"));
    assert_eq!(feedback.read(r#"{"review": {"id": 1, "stars": 1}}"#).as_deref(), Ok("1 the shop 1"));
    assert_eq!(
        feedback.read(r#"{"review": {"id": 1, "stars": 9}}"#),
        Err("field `/review/stars`: `9` is not 1 to 5".to_owned())
    );
}

#[test]
fn what_can_not_be_mapped_names_topic_and_key() {
    let of = |table: &str| {
        let error = config(&format!("topics = [\"t\"]\n[mapping.t]\n{table}\n")).expect_err(table);
        error.strip_prefix("setting `mapping.\"t\"`: ").unwrap_or_else(|| panic!("{error}")).to_owned()
    };
    let order = |field: &str| {
        let rest = ["order_id = \"/i\"", "ordered_at = \"/a\"", "amount = \"/m\""];
        let name = field.split(' ').next().unwrap_or_default();
        let rest: Vec<&str> = rest.into_iter().filter(|rest| !rest.starts_with(name)).collect();
        of(&format!("kind = \"order\"\n{}\n{field}", rest.join("\n")))
    };
    assert!(of("").starts_with("names either `kind`"));
    assert!(of("kind = \"order\"\nformat = \"transactions\"").starts_with("names either `kind`"));
    assert!(of("kind = \"sale\"").starts_with("`kind`: \"sale\" is not one of"));
    assert!(of("kind = 5").starts_with("`kind`: 5 is no text"));
    assert!(of("format = \"avro\"").starts_with("`format`: \"avro\" is not built in"));
    assert!(of("format = \"feedback\"\nrating = \"/r\"").starts_with("`rating`: does not go with `format`"));
    assert!(of("format = \"feedback\"\ntime_zone = \"Mars\"").starts_with("`time_zone`: \"Mars\" is no IANA"));
    assert!(of("format = \"feedback\"\ndefault_currency = \"ABCDEFGHIJKLMNOPQ\"").starts_with("`default_currency`: "));
    assert!(of("kind = \"order\"\norder_id = \"/i\"\nordered_at = \"/a\"").starts_with("`amount`: is missing"));
    assert!(of("kind = \"order\"\nordered_at = \"/a\"\namount = \"/m\"").starts_with("`order_id`: is missing"));
    assert!(of("kind = \"listing\"\nname = \"/n\"").starts_with("`product`: is missing"));
    assert!(of("kind = \"feedback\"\nfeedback_id = \"/i\"\nproduct = \"/p\"").starts_with("`rating`: is missing"));
    for (field, expected) in [
        ("prise = \"/p\"", "`prise`: is no field of a mapping of kind order; its fields are: order_id, "),
        ("amount = 5", "`amount`: 5 is neither a JSON pointer"),
        ("amount = \"total\"", "`amount`: \"total\" is no JSON pointer"),
        ("amount = \"\"", "`amount`: \"\" is no JSON pointer"),
        ("amount = \"/a~2\"", "`amount`: \"/a~2\" is no JSON pointer"),
        ("amount = { pointer = \"/a\", constant = 1 }", "`amount`: names either a `pointer`"),
        ("amount = { scale = 2 }", "`amount`: names either a `pointer`"),
        ("amount = { pointer = \"/a\", unit = \"cents\" }", "`amount`: `unit` is nothing that can be said"),
        ("amount = { pointer = \"/a\", scale = 13 }", "`amount`: `scale` is a whole number"),
        ("amount = { pointer = \"/a\", scale = -1 }", "`amount`: `scale` is a whole number"),
        ("amount = { constant = 12.5 }", "`amount`: `constant` is a text or a whole number, not 12.5"),
        ("amount = { constant = \"12,50\" }", "`amount`: \"12,50\" is not a decimal number"),
        ("amount = { constant = \"12,50\", scale = 2 }", "`amount`: \"12,50\" is not a decimal number"),
        ("amount = { constant = 1, default = 2 }", "`amount`: `default` does not go with `constant`"),
        ("quantity = { pointer = \"/q\", default = \"1.5\" }", "`quantity`: \"1.5\" is no whole number"),
        ("quantity = { pointer = \"/q\", scale = 2 }", "`quantity`: `scale` is nothing that can be said"),
        ("currency = { constant = \"\" }", "`currency`: \"\" is 1 to 16 bytes"),
        ("order_id = { constant = 1 }", "`order_id`: can not be a constant"),
        ("order_id = { pointer = \"/i\", default = 1 }", "`order_id`: can have no `default`"),
        ("ordered_at = { constant = \"2023-10-01\" }", "`ordered_at`: can not be a constant"),
        ("ordered_at = { pointer = \"/a\", format = \"rfc\" }", "`ordered_at`: `format` is one of iso, epoch_seconds"),
        ("ordered_at = { pointer = \"/a\", time_zone = \"Mars\" }", "`ordered_at`: `time_zone`: \"Mars\" is no IANA"),
    ] {
        let message = order(field);
        assert!(message.starts_with(expected), "{field}\n{message}");
    }
    for product in ["{ constant = \"\" }", "{ pointer = \"/p\", default = \"\" }"] {
        let message = of(&format!("kind = \"feedback\"\nfeedback_id = \"/i\"\nrating = \"/r\"\nproduct = {product}"));
        assert_eq!(message, "`product`: \"\" is empty, and feedback names a product");
    }
    let long = order(&format!("category = {{ constant = \"{}\" }}", "x".repeat(256)));
    assert!(long.ends_with("is longer than 255 bytes"), "{long}");
    let unread = config("topics = [\"t\"]\n[mapping.u]\nformat = \"feedback\"\n").expect_err("unread");
    assert!(unread.starts_with("setting `mapping.\"u\"`: is for a topic that is not read"), "{unread}");
}

/// A store keeps this, and refuses a run that reads otherwise: it must not depend on how the file is
/// written, and must change with every rule.
#[test]
fn how_topics_are_read_is_described_in_one_spelling() {
    let described = |settings: &str| config(settings).expect("sound").formats();
    let built_in =
        described("topics = [\"transactions\", \"product_sold\", \"feedback\", \"orders\", \"product_listings\"]");
    let built_in: Vec<String> = built_in.into_iter().map(|(topic, format)| format!("{topic}: {format}")).collect();
    assert_eq!(
        built_in,
        [
            "feedback: feedback",
            "orders: product_sold",
            "product_listings: product_listings",
            "product_sold: product_sold",
            "transactions: transactions"
        ]
    );
    assert_eq!(described("product_key = \"id\"")["product_sold"], "product_sold, products by id");

    let first =
        "topics = [\"t\"]\n[mapping.t]\nkind = \"feedback\"\nfeedback_id = \"/i\"\nproduct = \"/p\"\nrating = \"/r\"\n";
    let written_otherwise = "topics = [\"t\"]\nmapping.t.rating = { pointer = \"/r\" }\nmapping.t.product = \"/p\"\n\
                             mapping.t.feedback_id.pointer = \"/i\"\nmapping.t.kind = \"feedback\"\n";
    let description = &described(first)["t"];
    assert_eq!(
        description,
        "{\"mapping\":{\"kind\":\"feedback\",\"fields\":{\"feedback_id\":{\"pointer\":\"/i\"},\
         \"product\":{\"pointer\":\"/p\"},\"rating\":{\"pointer\":\"/r\"}}}}"
    );
    assert_eq!(&described(written_otherwise)["t"], description);
    let mut seen = std::collections::HashSet::from([description.clone()]);
    for other in [
        first.replace("\"/r\"", "\"/s\""),
        first.replace("\"/p\"", "{ constant = \"/p\" }"),
        first.replace("\"/p\"", "{ pointer = \"/p\", default = \"p\" }"),
        format!("{first}comment = \"/c\"\n"),
        format!("{first}id_space = \"shop\"\n"),
        format!("{first}time_zone = \"Africa/Douala\"\n"),
        format!("{first}default_currency = \"EUR\"\n"),
        "topics = [\"t\"]\n[mapping.t]\nformat = \"feedback\"\n".to_owned(),
        "topics = [\"t\"]\n[mapping.t]\nformat = \"feedback\"\nid_space = \"shop\"\n".to_owned(),
    ] {
        assert!(seen.insert(described(&other)["t"].clone()), "{other}");
    }
    let moments = |said: &str| {
        let text = "topics = [\"t\"]\n[mapping.t]\nkind = \"order\"\norder_id = \"/i\"\namount = \"/m\"\n";
        described(&format!("{text}ordered_at = {{ pointer = \"/a\"{said} }}\n"))["t"].clone()
    };
    for said in ["", ", format = \"iso\"", ", format = \"epoch_millis\"", ", time_zone = \"Africa/Douala\""] {
        assert!(seen.insert(moments(said)), "{said}");
    }
}

#[test]
fn topics_that_share_an_id_space_share_their_ids() {
    let config = config(
        "topics = [\"a\", \"b\", \"c\"]\n[mapping.a]\nformat = \"transactions\"\nid_space = \"shop\"\n\
         [mapping.b]\nformat = \"transactions\"\nid_space = \"shop\"\n[mapping.c]\nformat = \"feedback\"\n",
    );
    let config = config.expect("sound");
    let [a, b, c] = config.id_spaces().try_into().expect("three");
    assert_eq!(a.id("42"), b.id("42"));
    assert_ne!(a.id("42").0, c.id("42").0);
    use takings::formats::Kind;
    assert_eq!([config.kind_of(0), config.kind_of(1), config.kind_of(2)], [Kind::Order, Kind::Order, Kind::Feedback]);
}

/// By name or by being called so: orders are kept by topic and id, and one of two topics would hold them.
#[test]
fn kept_orders_do_not_share_an_id_space() {
    let kept = |topics: &str, mapping: &str| config(&format!("keep_orders = true\ntopics = [{topics}]\n{mapping}"));
    let second = "[mapping.orders_v2]\nformat = \"product_sold\"\nid_space = ";
    for (topics, mapping) in [
        ("\"product_sold\", \"orders_v2\"", format!("{second}\"product_sold\"")),
        (
            "\"a\", \"orders_v2\"",
            format!("{second}\"shop\"\n[mapping.a]\nformat = \"transactions\"\nid_space = \"shop\""),
        ),
    ] {
        let error = kept(topics, &mapping).expect_err(&mapping);
        assert!(error.starts_with("setting `keep_orders`: does not go with a shared id_space"), "{error}");
    }
    // Feedback has ids of its own, and a space that one topic has alone is not shared.
    kept("\"feedback\", \"orders_v2\"", &format!("{second}\"feedback\"")).expect("sound");
    kept("\"a\", \"orders_v2\"", &format!("{second}\"shop\"")).expect("sound");
}

thread_local! {
    /// One each for all cases: what it learned of a payload must not colour the next.
    static WARM: RefCell<Vec<Readings>> =
        RefCell::new([ORDERS, LISTINGS, FEEDBACK].map(Readings::new).into_iter().collect());
}

fn any_order() -> impl Strategy<Value = String> {
    let members = prop_oneof![3 => value(), 1 => value().prop_map(|value| format!("{value},\"count\":1"))];
    prop::collection::vec(prop::option::weighted(0.12, members), VALUES.len()).prop_map(|changed| {
        let mut values = VALUES.map(|(_, value)| value.to_owned());
        for (value, changed) in values.iter_mut().zip(changed) {
            *value = changed.unwrap_or(std::mem::take(value));
        }
        written(&values)
    })
}

/// Listings and feedback at once: each mapping finds its own.
fn any_other() -> impl Strategy<Value = String> {
    let places = [
        "\"sku\":@",
        "\"title\":{\"fr\":@}",
        "\"title\":@",
        "\"path\":[@]",
        "\"path\":{\"0\":@}",
        "\"path\":@",
        "\"cents\":@",
        "\"review\":{\"id\":@,\"stars\":3,\"text\":\"x\"}",
        "\"review\":{\"id\":1,\"stars\":@}",
        "\"review\":{\"id\":1,\"stars\":2,\"text\":@}",
        "\"by\":@",
    ];
    prop::collection::vec((prop::sample::select(places.to_vec()), value()), 0..6).prop_map(|members| {
        let members: Vec<String> = members.into_iter().map(|(place, value)| place.replace('@', &value)).collect();
        format!("{{\"sku\":1,{}}}", members.join(",")).replace(",}", "}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn agrees_with_the_plain_reading(
        payload in prop_oneof![any_order(), any_other()],
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        WARM.with_borrow_mut(|all| {
            let mut torn = payload.clone().into_bytes();
            let at = at.index(torn.len());
            torn[at] = byte;
            for readings in all.iter_mut() {
                readings.agree(None, Some(payload.as_bytes()))?;
                readings.agree(None, Some(&torn))?;
                readings.agree(None, Some(&torn[..at]))?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }

    #[test]
    fn agrees_on_what_is_a_correction(one in any_order(), other in any_order()) {
        WARM.with_borrow_mut(|all| all[0].agree_on_pair(&one, &other))?;
    }
}
