//! Objects of a format's members, sound and otherwise, and the property that all formats share: both readings
//! agree on them (see `readings`).

use proptest::prelude::*;

/// A JSON value that may stand where another is expected.
pub(crate) fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        3 => r#""(\\u00[0-9a-f]{2}|\\ud83d\\ude00|\\ud800|\\n|\\"|[a-z]){0,6}""#,
        3 => r"-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?",
        3 => r#""[+-]?[0-9]{1,8}(\.[0-9]{0,9})?([eE][+-]?[0-9]{0,3})?""#,
        4 => r#""20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-][01][0-9](:?[0-5][0-9](:[0-5][0-9])?)?)?(\[[A-Z][A-Za-z/+:1-]{0,8}\]?)?)?""#,
        1 => r#""[+-]0{0,2}[0-9]{4,6}-(0[1-9]|1[0-2])-[0-3][0-9]T00:00:00.000Z""#,
        2 => r"[0-9]{1,15}",
        2 => "[0-6](\\.[05])?",
        1 => Just("null".to_owned()),
        1 => Just("\"\"".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just(r#"{"a":[1,{"a":2}]}"#.to_owned()),
        1 => Just(format!("\"{}\"", "y".repeat(520))),
        1 => "[0-9a-z\"\\\\{}\\[\\],:]{0,6}",
    ]
}

/// Objects of these members, some with another value, some with members more, in another order, or with
/// space between.
pub(crate) fn any_object(members: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = String> {
    let changed = prop::collection::vec(prop::option::weighted(0.15, value()), members.len());
    let twice =
        prop::sample::select(members).prop_map(|(name, _)| format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]));
    let strange = prop::collection::vec((prop_oneof![3 => "[a-c]{1,2}", 1 => twice], value()), 0..3);
    (changed, strange, prop::bool::weighted(0.1), "[ \n\t]{0,2}").prop_map(move |(changed, strange, shuffle, space)| {
        let sound = members.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let mut members: Vec<(String, String)> = sound
            .zip(changed)
            .map(|((name, value), changed)| (name, changed.unwrap_or(value)))
            .chain(strange)
            .collect();
        if shuffle {
            members.reverse();
        }
        let members: Vec<_> = members.into_iter().map(|(k, v)| format!("{space}\"{k}\"{space}:{v}{space}")).collect();
        format!("{space}{{{}}}{space}", members.join(","))
    })
}

/// An object of these members, with one value put in place of another; an empty `with` leaves it out.
pub(crate) fn object(members: &[(&str, &str)], member: &str, with: &str) -> String {
    let written: Vec<String> = members
        .iter()
        .map(|&(name, value)| (name, if name == member { with } else { value }))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", written.join(","))
}

/// Tests that both readings agree on any bytes: objects of the format's members, whole and torn, and keys.
macro_rules! agree_on_any_bytes {
    ($settings:expr, $members:expr) => {
        use std::cell::RefCell;

        use proptest::prelude::*;

        use super::agreement::{any_object, value};

        thread_local! {
            /// One for all cases: what it learned of a payload must not colour the next.
            static WARM: RefCell<Readings> = RefCell::new(Readings::new($settings));
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(3_000))]

            #[test]
            fn agrees_with_the_plain_reading(payload in any_object(&$members), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
                WARM.with_borrow_mut(|readings| {
                    readings.agree(None, Some(payload.as_bytes()))?;
                    let mut torn = payload.into_bytes();
                    let at = at.index(torn.len());
                    torn[at] = byte;
                    readings.agree(None, Some(&torn))?;
                    readings.agree(None, Some(&torn[..at]))
                })?;
            }

            #[test]
            fn agrees_on_what_is_a_correction(one in any_object(&$members), other in any_object(&$members)) {
                WARM.with_borrow_mut(|readings| readings.agree_on_pair(&one, &other))?;
            }

            #[test]
            fn agrees_on_keys(key in prop_oneof![any::<Vec<u8>>(), value().prop_map(String::into_bytes)]) {
                WARM.with_borrow_mut(|readings| readings.agree(Some(&key), None))?;
            }
        }
    };
}
pub(crate) use agree_on_any_bytes;
