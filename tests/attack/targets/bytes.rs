//! Bytes as choices: what a fuzzer turns, a structure follows.

/// Bytes that are taken from the front. Zeros once they are at their end.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// One byte.
    pub fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        usize::from(self.next()) % most
    }

    /// One of these.
    pub fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.below(from.len())]
    }

    /// Whether, one time in `of`.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }

    /// All the rest, as text.
    pub fn text(&mut self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(std::mem::take(&mut self.0))
    }
}
