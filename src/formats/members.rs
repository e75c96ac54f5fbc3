//! The members of an object, found by their names.

use xxhash_rust::xxh3::xxh3_64;

use super::Reject;
use super::escape::unescape;
use super::fields::excerpt;
use super::json::{Kind, Object, Token};

/// Finds members by name. Its buffers live on from one object to the next, so that finding allocates
/// nothing.
///
/// Clauses that hold:
/// - *no member twice*, whether it is asked for or not;
/// - *any order*: a producer's own order of members is learned, and only makes it faster.
pub(super) struct MemberFinder {
    /// What stands before a member's name in messages.
    prefix: String,
    /// The names asked for, by their places; a place may ask for none.
    names: Vec<Option<Name>>,
    /// The members of the object before this one, in its order.
    order: [Option<u8>; 16],
    /// Members that nobody asked for: hash of the key, and where its text stands in the object.
    strangers: Vec<(u64, usize, usize)>,
    /// Open brackets of a nested value.
    stack: Vec<u8>,
    /// A key without its escapes.
    plain: String,
}

struct Name {
    text: String,
    /// As a producer writes it, most likely.
    quoted: String,
}

impl MemberFinder {
    /// For up to 256 names. `prefix` stands before a name in messages.
    pub(super) fn new<'n>(prefix: &str, names: impl IntoIterator<Item = Option<&'n str>>) -> Self {
        let name = |text: &str| Name { text: text.to_owned(), quoted: serde_json::Value::from(text).to_string() };
        MemberFinder {
            prefix: prefix.to_owned(),
            names: names.into_iter().map(|text| text.map(name)).collect(),
            order: [None; 16],
            strangers: Vec::new(),
            stack: Vec::new(),
            plain: String::new(),
        }
    }

    /// Reads `text` as one object and puts the value of each member that is asked for in its name's
    /// place.
    pub(super) fn find<'p>(&mut self, text: &'p str, found: &mut [Option<Token<'p>>]) -> Result<(), Reject> {
        let MemberFinder { prefix, names, order, strangers, stack, plain } = self;
        strangers.clear();
        let mut object = Object::open(text, stack)?;
        let mut place = 0;
        while object.has_member()? {
            // A producer writes its members in the same order each time.
            let guess = order.get(place).copied().flatten();
            let guessed = guess.and_then(|member| names[usize::from(member)].as_ref());
            let member = match guessed {
                Some(name) if object.pass_key(&name.quoted)? => guess,
                _ => {
                    let key = object.key()?;
                    let key_text = key_text(key, plain)?;
                    let is_named = |name: &Option<Name>| name.as_ref().is_some_and(|name| name.text == key_text);
                    let member = names.iter().position(is_named).map(|member| member as u8);
                    if member.is_none() {
                        let at = key.raw.as_ptr() as usize - text.as_ptr() as usize;
                        strangers.push((xxh3_64(key_text.as_bytes()), at, key.raw.len()));
                    }
                    if let Some(place) = order.get_mut(place) {
                        *place = member;
                    }
                    member
                }
            };
            place += 1;
            let value = object.value()?;
            if let Some(member) = member.map(usize::from)
                && found[member].replace(value).is_some()
            {
                let name = names[member].as_ref().map_or("", |name| &name.text);
                return Err(Reject::Duplicate(format!("{prefix}{name}")));
            }
        }
        // Sorted, so that a hostile payload of a million members costs no square of it.
        if strangers.len() > 1 {
            strangers.sort_unstable();
            let name = |&(_, at, length): &(u64, usize, usize)| {
                let mut name = String::new();
                unescape(&text[at..at + length], &mut name).map(|()| name).ok()
            };
            for same_hash in strangers.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > 1) {
                let mut keys: Vec<_> = same_hash.iter().filter_map(name).collect();
                keys.sort_unstable();
                if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
                    let name: String = pair[0].chars().take(48).collect();
                    return Err(Reject::Duplicate(format!("{prefix}{name}")));
                }
            }
        }
        Ok(())
    }
}

fn key_text<'t>(key: Token<'t>, plain: &'t mut String) -> Result<&'t str, Reject> {
    if key.kind == Kind::Plain {
        return Ok(key.raw);
    }
    plain.clear();
    unescape(key.raw, plain).map_err(|error| Reject::NotJson(format!("key {}: {error}", excerpt(key.raw))))?;
    Ok(plain)
}
