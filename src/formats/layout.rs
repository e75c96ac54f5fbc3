//! Where the fields of a kind stand in a topic's payloads.

use super::Reject;
use super::fields::Field;
use super::json::{Kind, Token};
use super::members::MemberFinder;
use super::pointers;
use crate::config::mapping::{Mapping, Place};

/// Fields whose empty text is as good as none: there a default steps in as well. A currency's is trimmed before.
const MAY_BE_EMPTY: [&str; 7] =
    ["category", "currency", "payment_method", "product", "product_name", "product_brand", "name"];

/// The places of `N` fields. It can not read a value: it only finds it.
pub(super) struct Layout<const N: usize> {
    /// As messages call the fields: by the member, or the pointer.
    names: [String; N],
    places: Places,
    /// What stands for a field that is not found.
    given: [Option<Given>; N],
}

enum Places {
    /// Members of the payload itself.
    Members(Box<MemberFinder>),
    /// Anywhere in it.
    Pointers(Box<pointers::Place>),
}

struct Given {
    text: String,
    /// Which values it stands for as well: empty texts, of a currency blank ones too.
    is_none: fn(&Token<'_>) -> bool,
}

impl<const N: usize> Layout<N> {
    /// A built-in format's: the member that holds each field, where it has one.
    pub(super) fn of_members(members: [Option<&str>; N]) -> Self {
        Layout {
            names: members.map(|member| member.unwrap_or_default().to_owned()),
            places: Places::Members(Box::new(MemberFinder::new("", members))),
            given: [const { None }; N],
        }
    }

    /// A mapping's, for the fields of its kind in the order that their reader has them.
    pub(super) fn mapped(mapping: &Mapping, fields: [&str; N]) -> Self {
        let origin = |field: &str| mapping.fields.get(field);
        let pointers = fields.map(|field| match &origin(field)?.place {
            Place::Pointer(pointer) => Some(pointer.as_str()),
            Place::Constant(_) => None,
        });
        let ways: Vec<pointers::Way<'_>> = pointers
            .iter()
            .enumerate()
            .filter_map(|(field, pointer)| Some((field, Some(pointer.as_ref()?.strip_prefix('/')?))))
            .collect();
        let given = fields.map(|field| {
            let origin = origin(field)?;
            let text = match &origin.place {
                Place::Constant(text) => text,
                Place::Pointer(_) => origin.default.as_ref()?,
            };
            let is_none: fn(&Token<'_>) -> bool = match field {
                "currency" => |token| token.is_blank(),
                field if MAY_BE_EMPTY.contains(&field) => |token| token.is_empty(),
                _ => |_| false,
            };
            Some(Given { text: text.clone(), is_none })
        });
        Layout {
            names: std::array::from_fn(|field| pointers[field].unwrap_or(fields[field]).to_owned()),
            places: Places::Pointers(Box::new(pointers::Place::new("", &ways))),
            given,
        }
    }

    /// The fields of one payload. A `null` is as good as missing.
    pub(super) fn fields<'p>(&'p mut self, payload: &'p str) -> Result<[Field<'p>; N], Reject> {
        let Layout { names, places, given } = self;
        let mut found: [Option<Token<'p>>; N] = [None; N];
        match places {
            Places::Members(finder) => finder.find(payload, &mut found)?,
            Places::Pointers(root) => root.find(payload, &mut found)?,
        }
        Ok(std::array::from_fn(|field| {
            let found = found[field].filter(|token| token.kind != Kind::Null);
            let token = match (&given[field], found) {
                (None, found) => found,
                (Some(given), Some(found)) if !(given.is_none)(&found) => Some(found),
                (Some(given), _) => Some(Token { kind: Kind::Plain, raw: &given.text }),
            };
            Field { name: &names[field], token }
        }))
    }
}
