//! What two processes tell each other before anything else, and whether they can work together.
//!
//! A hello is one line of JSON, so that versions of takings that share nothing else can still say what
//! differs.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde::{Deserialize, Serialize};

use crate::config::JobConfig;

/// What a connection is for. Two processes have one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    /// Words between processes: see [`super::link`].
    Link,
    /// The dataflow's own messages.
    Dataflow,
}

/// The first line on a connection, from the process that made it; and the answer where it is welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The version of takings.
    pub(super) takings: String,
    pub(super) process: usize,
    pub(super) processes: usize,
    pub(super) purpose: Purpose,
    /// Told apart by it: a process and the one that was started in its place.
    pub(super) incarnation: String,
    /// What must be the same everywhere: by setting, its value.
    pub(super) settings: BTreeMap<String, String>,
}

/// Why two processes can not work together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Difference {
    /// What differs, with both values.
    pub(super) what: String,
    /// Whether only a change of settings cures it. A difference of versions passes while a cluster is
    /// brought up to date.
    pub(super) is_of_settings: bool,
}

/// The other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Welcome(Hello),
    Refused(Difference),
}

/// A hello is no longer than this: it lists settings.
const LINE_AT_MOST: usize = 1 << 20;

impl Hello {
    /// This process's own.
    pub(super) fn of(config: &JobConfig, process: usize, processes: usize) -> Hello {
        Hello {
            takings: env!("CARGO_PKG_VERSION").to_owned(),
            process,
            processes,
            purpose: Purpose::Link,
            incarnation: uuid::Uuid::new_v4().to_string(),
            settings: agreed(config),
        }
    }

    /// Whether this process can work with another.
    ///
    /// # Errors
    /// The first [`Difference`], from this process's point of view.
    pub(super) fn allow(&self, other: &Hello) -> Result<(), Difference> {
        let who = |hello: &Hello| format!("process {}", hello.process);
        let of_settings = |what| Difference { what, is_of_settings: true };
        if self.takings != other.takings {
            return Err(other_version(&who(self), &self.takings, &who(other), &other.takings));
        }
        if self.processes != other.processes {
            return Err(of_settings(format!(
                "{} has a hosts file of {} processes, and {} one of {}",
                who(self),
                self.processes,
                who(other),
                other.processes
            )));
        }
        if self.process == other.process {
            return Err(of_settings(format!("both are process {}: give each its own --process", self.process)));
        }
        let names = self.settings.keys().chain(other.settings.keys());
        let value = |hello: &Hello, name: &String| hello.settings.get(name).map_or("(none)", String::as_str).to_owned();
        match names.into_iter().find(|name| value(self, name) != value(other, name)) {
            None => Ok(()),
            Some(name) => Err(of_settings(format!(
                "{name} is {} in {}, and {} in {}",
                value(self, name),
                who(self),
                value(other, name),
                who(other)
            ))),
        }
    }
}

fn other_version(here: &str, ours: &str, there: &str, theirs: &str) -> Difference {
    Difference {
        what: format!("{here} is takings {ours}, and {there} is takings {theirs}: all must be of one version"),
        is_of_settings: false,
    }
}

/// The settings that decide what is counted, and how the work is shared. Where the log and the store are may
/// be spelled differently from machine to machine: that it is the same log is checked by its identity.
fn agreed(config: &JobConfig) -> BTreeMap<String, String> {
    let views: Vec<&str> = config.views.iter().map(|view| view.name()).collect();
    let window = config
        .correction_window
        .map_or_else(|| "as far as the log".to_owned(), |window| humantime::format_duration(window).to_string());
    let formats = config.formats().into_iter().map(|(topic, format)| (format!("mapping of {topic}"), format));
    let settings = [
        ("workers", config.workers.to_string()),
        ("topics", config.topics.join(",")),
        ("time_zone", config.time_zone.name().to_owned()),
        ("default_currency", config.default_currency.clone()),
        ("correction_window", window),
        ("views", views.join(",")),
        ("top", config.top.to_string()),
        ("volume_window", format!("{} minutes", config.volume_window)),
        ("keep_orders", config.keep_orders.to_string()),
        ("payload_limit", config.payload_limit.to_string()),
        ("until_caught_up", config.until_caught_up.to_string()),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(formats).collect()
}

/// Writes one line.
pub(super) fn write_line(stream: &mut TcpStream, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    stream.write_all(&text)
}

/// Reads one line and nothing after it: what follows may be the dataflow's.
fn read_line(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        stream.read_exact(&mut byte)?;
        match byte[0] {
            b'\n' => return Ok(line),
            _ if line.len() == LINE_AT_MOST => return Err(io::Error::other("no takings: its first line has no end")),
            byte => line.push(byte),
        }
    }
}

/// Reads another process's hello. Of another version of takings not even the fields need be known.
pub(super) fn read_hello(stream: &mut TcpStream, own: &Hello) -> io::Result<Result<Hello, Difference>> {
    #[derive(Deserialize)]
    struct AnyVersion {
        takings: String,
    }
    let line = read_line(stream)?;
    let AnyVersion { takings } = serde_json::from_slice(&line)?;
    if takings != own.takings {
        return Ok(Err(other_version(&format!("process {}", own.process), &own.takings, "the other one", &takings)));
    }
    let hello: Hello = serde_json::from_slice(&line)?;
    Ok(own.allow(&hello).map(|()| hello))
}

/// Reads the answer to a hello.
pub(super) fn read_answer(stream: &mut TcpStream) -> io::Result<Answer> {
    Ok(serde_json::from_slice(&read_line(stream)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(process: usize) -> Hello {
        Hello {
            takings: "1.2.3".to_owned(),
            process,
            processes: 3,
            purpose: Purpose::Link,
            incarnation: process.to_string(),
            settings: [("workers", "2"), ("time_zone", "UTC")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        }
    }

    #[test]
    fn a_difference_is_named_with_both_values() {
        assert_eq!(hello(0).allow(&hello(1)), Ok(()));
        let mut other = hello(1);
        other.settings.insert("time_zone".to_owned(), "Africa/Dakar".to_owned());
        let difference = hello(0).allow(&other).expect_err("another zone");
        assert!(difference.is_of_settings);
        assert_eq!(difference.what, "time_zone is UTC in process 0, and Africa/Dakar in process 1");
        other = hello(1);
        other.settings.remove("workers");
        assert!(hello(0).allow(&other).expect_err("missing").what.contains("workers is 2 in process 0, and (none)"));
        other = Hello { takings: "1.3.0".to_owned(), ..hello(1) };
        let difference = hello(0).allow(&other).expect_err("another version");
        assert!(!difference.is_of_settings && difference.what.contains("1.3.0"), "{difference:?}");
        assert!(hello(0).allow(&hello(0)).expect_err("itself").what.contains("--process"));
        other = Hello { processes: 2, ..hello(1) };
        assert!(hello(0).allow(&other).expect_err("fewer").what.contains("3 processes"));
    }
}
