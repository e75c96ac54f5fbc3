//! Options for librdkafka, `NAME=VALUE`, as a flag, a variable and the file give them.
//!
//! Values are secrets as often as not: no message shows one.

use std::ffi::OsStr;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{Arg, Command};
use serde::Deserialize;

use super::{ConfigError, secret};

/// As messages and the file call the setting.
const SETTING: &str = "kafka_option";

/// What one flag, one entry of the file's list, or the whole variable gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Given(Vec<String>);

impl From<String> for Given {
    fn from(option: String) -> Self {
        Given(vec![option])
    }
}

impl Given {
    /// The options of all, where there is one.
    pub(super) fn all(given: &[Given]) -> Option<Vec<String>> {
        let options: Vec<String> = given.iter().flat_map(|Given(options)| options).cloned().collect();
        Some(options).filter(|options| !options.is_empty())
    }
}

/// Takes a flag as it stands, and cuts a variable, which can not be repeated, into its options.
#[derive(Clone)]
pub(super) struct FlagOrVariable;

impl TypedValueParser for FlagOrVariable {
    type Value = Given;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Given, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value).map(Given::from)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Given, clap::Error> {
        let text = StringValueParser::new().parse_ref(command, arg, value)?;
        Ok(if source == ValueSource::EnvVariable { Given(split(&text)) } else { Given::from(text) })
    }
}

/// The options that stand in one text. Values hold commas too, so only one before a name and `=` is between two.
fn split(text: &str) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for piece in text.split(',') {
        match options.last_mut() {
            Some(before) if !begins_an_option(piece) => {
                before.push(',');
                before.push_str(piece);
            }
            _ => options.push(piece.to_owned()),
        }
    }
    options.retain(|option| !option.trim().is_empty());
    options
}

fn begins_an_option(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.';
    let name = text.split_once('=').map_or("", |(name, _)| name.trim());
    !name.is_empty() && name.bytes().all(is_known)
}

/// Each option's name and value; `file:PATH` is what stands in that file.
///
/// # Errors
/// [`ConfigError`] where one is no `NAME=VALUE`, or its file can not be read.
pub(crate) fn read(options: &[String]) -> Result<Vec<(String, String)>, ConfigError> {
    let read = |(place, option): (usize, &String)| match option.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), secret(SETTING, value)?)),
        _ => {
            let message = format!(
                "number {place} is not NAME=VALUE, such as security.protocol=ssl (not shown: it may be secret)"
            );
            Err(ConfigError::new(SETTING, message))
        }
    };
    (1..).zip(options).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_cut_only_before_a_name() {
        for (text, expected) in [
            ("", &[][..]),
            ("debug=broker,topic", &["debug=broker,topic"]),
            (
                "security.protocol=sasl_ssl,sasl.password=a,b, sasl.username=me",
                &["security.protocol=sasl_ssl", "sasl.password=a,b", " sasl.username=me"],
            ),
            ("sasl.password=,=,A=1,x", &["sasl.password=,=,A=1,x"]),
            ("a.b=1,,c2=3", &["a.b=1,", "c2=3"]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn a_flag_is_taken_as_it_stands() {
        let command = Command::new("takings");
        let given = |source| {
            let value = OsStr::new("sasl.password=a,b=c");
            FlagOrVariable.parse_ref_(&command, None, value, source).expect("text").0
        };
        assert_eq!(given(ValueSource::CommandLine), ["sasl.password=a,b=c"]);
        assert_eq!(given(ValueSource::EnvVariable), ["sasl.password=a", "b=c"]);
    }

    #[test]
    fn a_value_may_stand_in_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        std::fs::write(&file, "s3cret\n").expect("written");
        let options = [" ssl.ca.pem =a=b".to_owned(), format!("sasl.password=file:{}", file.display())];
        let read_as = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read(&options).expect("options"),
            [read_as("ssl.ca.pem", "a=b"), read_as("sasl.password", "s3cret")]
        );
        for wrong in ["s3cret", "=s3cret"] {
            let error = read(&["a=b".to_owned(), wrong.to_owned()]).expect_err("no name").to_string();
            assert!(error.starts_with("setting `kafka_option`: number 2 is not NAME=VALUE"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
