//! Values found by JSON pointers (RFC 6901), all pointers of a mapping in one walk.

use super::Reject;
use super::json::{self, Kind, Token};
use super::members::MemberFinder;

/// The most pointers that part at one place.
const MAX_BRANCHES: usize = 16;

/// A place in a payload that some pointers lead to or through.
///
/// Clauses that hold:
/// - *no member twice* in any object on the way;
/// - *what is not there is not found*: a pointer through a text, past an array's end or to a member
///   that is not there finds nothing, and is no error.
pub(super) struct Place {
    /// The fields whose values stand here.
    fields: Vec<usize>,
    branches: Vec<Branch>,
    finder: MemberFinder,
    /// Open brackets of an array's elements.
    stack: Vec<u8>,
}

/// What one segment of a pointer leads to.
struct Branch {
    /// The segment as an array's index, where it is one.
    index: Option<usize>,
    place: Place,
}

/// A field's number, and what is left of its pointer: `None` where its value stands here.
pub(super) type Way<'p> = (usize, Option<&'p str>);

impl Place {
    /// Where the pointers (without their first `/`), each with its field's number, lead from a place
    /// whose own pointer is `path`. At most [`MAX_BRANCHES`] pointers.
    pub(super) fn new(path: &str, pointers: &[Way<'_>]) -> Place {
        let mut segments: Vec<(&str, Vec<Way<'_>>)> = Vec::new();
        for &(field, pointer) in pointers {
            let Some(pointer) = pointer else { continue };
            let (segment, rest) = match pointer.split_once('/') {
                Some((segment, rest)) => (segment, Some(rest)),
                None => (pointer, None),
            };
            match segments.iter_mut().find(|(known, _)| *known == segment) {
                Some((_, through)) => through.push((field, rest)),
                None => segments.push((segment, vec![(field, rest)])),
            }
        }
        let names: Vec<String> =
            segments.iter().map(|(segment, _)| segment.replace("~1", "/").replace("~0", "~")).collect();
        Place {
            fields: pointers.iter().filter(|(_, pointer)| pointer.is_none()).map(|(field, _)| *field).collect(),
            finder: MemberFinder::new(&format!("{path}/"), names.iter().map(|name| Some(name.as_str()))),
            stack: Vec::new(),
            branches: segments
                .into_iter()
                .map(|(segment, through)| {
                    let is_index = segment == "0" || (!segment.starts_with(['0', '+']) && !segment.is_empty());
                    let index = if is_index { segment.parse().ok() } else { None };
                    Branch { index, place: Place::new(&format!("{path}/{segment}"), &through) }
                })
                .collect(),
        }
    }

    /// Puts every value that stands in the object `text` in its field's place.
    pub(super) fn find<'p>(&mut self, text: &'p str, found: &mut [Option<Token<'p>>]) -> Result<(), Reject> {
        let mut members = [None; MAX_BRANCHES];
        self.finder.find(text, &mut members)?;
        for (branch, value) in self.branches.iter_mut().zip(members) {
            if let Some(value) = value {
                branch.place.take(value, found)?;
            }
        }
        Ok(())
    }

    fn take<'p>(&mut self, value: Token<'p>, found: &mut [Option<Token<'p>>]) -> Result<(), Reject> {
        for &field in &self.fields {
            found[field] = Some(value);
        }
        match value.kind {
            _ if self.branches.is_empty() => {}
            Kind::Object => self.find(value.raw, found)?,
            Kind::Array => {
                let Place { branches, stack, .. } = self;
                for Branch { index, place } in branches {
                    if let Some(index) = *index
                        && let Some(element) = json::element(value.raw, index, stack)?
                    {
                        place.take(element, found)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
