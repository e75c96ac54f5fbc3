//! Escapes in strings of JSON, which the [scanner](super::json) leaves as they are.

/// An escape for half of a character, without its other half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an escape stands for half a character (a lone surrogate)")]
pub(crate) struct LoneSurrogate;

/// Appends the characters of an [`Kind::Escaped`](super::json::Kind::Escaped) string to `text`.
pub(crate) fn unescape(raw: &str, text: &mut String) -> Result<(), LoneSurrogate> {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        // The scanner saw a whole escape here, so neither lookup nor parse can fail.
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or("");
        let character = match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = code_unit(&mut rest);
                if let 0xD800..0xDC00 = high {
                    rest = rest.strip_prefix("\\u").ok_or(LoneSurrogate)?;
                    let low = code_unit(&mut rest);
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(LoneSurrogate);
                    }
                    char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).ok_or(LoneSurrogate)?
                } else {
                    char::from_u32(high).ok_or(LoneSurrogate)?
                }
            }
            same => char::from(same),
        };
        text.push(character);
    }
    text.push_str(rest);
    Ok(())
}

/// Takes four hexadecimal digits.
fn code_unit(rest: &mut &str) -> u32 {
    let (digits, after) = rest.split_at_checked(4).unwrap_or((rest, ""));
    *rest = after;
    u32::from_str_radix(digits, 16).unwrap_or(0xD800)
}
