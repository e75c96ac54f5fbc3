//! Names as numbers: a sale holds five of them, and there are few.

use std::collections::HashMap;
use std::sync::Arc;

/// A name's number.
pub(super) type Name = u32;

/// All names met so far.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, Name>,
    texts: Vec<Arc<str>>,
}

impl Names {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> Name {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let (text, number): (Arc<str>, Name) = (text.into(), self.texts.len() as Name);
        self.numbers.insert(Arc::clone(&text), number);
        self.texts.push(text);
        number
    }

    /// The text of a number.
    pub(super) fn text(&self, number: Name) -> &str {
        &self.texts[number as usize]
    }
}
