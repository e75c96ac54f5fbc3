//! Text as every store can hold it: without U+0000.
//!
//! PostgreSQL's `text` has no room for U+0000, and SQLite's own tools cut a text there. No record that holds one counts;
//! an earlier version wrote it `␀0`, and the sign `␀` (U+2400) itself `␀␀`, as it is still. Every other
//! text stands as it came, and no two texts are written alike.

use std::borrow::Cow;

const SIGN: char = '␀';

/// The text to write.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', SIGN]) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\0' => written.extend([SIGN, '0']),
            SIGN => written.extend([SIGN, SIGN]),
            other => written.push(other),
        }
    }
    Cow::Owned(written)
}

/// The text that was written. A sign that [`escaped`] did not write stands for itself.
pub fn unescaped(written: &str) -> Cow<'_, str> {
    if !written.contains(SIGN) {
        return Cow::Borrowed(written);
    }
    let mut text = String::with_capacity(written.len());
    let mut letters = written.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == SIGN {
            match letters.next_if(|&next| next == '0' || next == SIGN) {
                Some('0') => text.push('\0'),
                _ => text.push(SIGN),
            }
        } else {
            text.push(letter);
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_text_stands_as_it_came() {
        for text in ["", "Électronique", r"a\u0000b", "00"] {
            assert!(matches!(escaped(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(escaped("a\0b␀"), "a␀0b␀␀");
    }

    proptest! {
        #[test]
        fn comes_back_and_holds_no_nul(text in "[\0␀0a]{0,12}") {
            let written = escaped(&text);
            prop_assert!(!written.contains('\0'));
            prop_assert_eq!(unescaped(&written), text.as_str());
        }
    }
}
