//! What a process wrote to its database's files, step by step, as `strace` tells it; and the files that a crash
//! after any step leaves.
//!
//! The shared memory file is left out: no process that starts after a crash believes it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rand::Rng;
use rand::rngs::StdRng;

/// All steps.
pub struct Trace {
    pub steps: Vec<Step>,
}

/// One of them. Files are named by what follows the database's name: nothing, `-wal`, `-journal`.
pub enum Step {
    Write {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: String,
        length: usize,
    },
    Sync {
        file: String,
    },
    Remove {
        file: String,
    },
    /// The process said that it had committed this epoch.
    Acknowledged(u64),
}

impl Trace {
    /// Reads the output of `strace -f -y -xx` for the database at this path.
    pub fn parse(text: &str, database: &str) -> Trace {
        Trace { steps: text.lines().filter_map(|line| step(line, database)).collect() }
    }
}

/// What a line tells of the database.
fn step(line: &str, database: &str) -> Option<Step> {
    let (_process, call) = line.trim_start().split_once(' ')?;
    let (name, arguments) = call.trim_start().split_once('(')?;
    if name == "unlink" {
        let path = String::from_utf8(quoted(arguments)?.0).ok()?;
        return Some(Step::Remove { file: file_of(&path, database)? });
    }
    let (descriptor, rest) = arguments.split_once('<')?;
    let (path, rest) = rest.split_once('>')?;
    if name == "write" {
        let said = String::from_utf8(quoted(rest)?.0).ok()?;
        let epoch = said.trim_end().rsplit('\n').next()?.strip_prefix("epoch ").filter(|_| descriptor == "1")?;
        return Some(Step::Acknowledged(epoch.parse().expect("an epoch")));
    }
    let path = if path.starts_with('\\') { String::from_utf8(unescaped(path)).ok()? } else { path.to_owned() };
    let file = file_of(&path, database)?;
    let number = |text: &str| -> usize {
        let digits: String = text.trim_start_matches([',', ' ']).chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|_| panic!("no number in {text:?}"))
    };
    Some(match name {
        "pwrite64" => {
            let (bytes, rest) = quoted(rest)?;
            assert!(!rest.starts_with("..."), "strace cut a write short");
            let (_length, at) = rest.trim_start_matches([',', ' ']).split_once(',').expect("length and place");
            Step::Write { file, at: number(at), bytes }
        }
        "ftruncate" => Step::Cut { file, length: number(rest) },
        "fsync" | "fdatasync" => Step::Sync { file },
        _ => return None,
    })
}

/// The bytes of the first string, and what follows it.
fn quoted(text: &str) -> Option<(Vec<u8>, &str)> {
    let (_, text) = text.split_once('"')?;
    let (string, rest) = text.split_once('"')?;
    Some((unescaped(string), rest))
}

/// `\x41\x42…`
fn unescaped(text: &str) -> Vec<u8> {
    let hex = |pair: &str| u8::from_str_radix(pair, 16).expect("two digits");
    text.split("\\x").filter(|pair| !pair.is_empty()).map(hex).collect()
}

fn file_of(path: &str, database: &str) -> Option<String> {
    let file = path.strip_prefix(database)?;
    ["", "-wal", "-journal"].contains(&file).then(|| file.to_owned())
}

/// The database's files at some step.
#[derive(Clone, Default)]
pub struct Files {
    /// As a process sees them.
    now: BTreeMap<String, Vec<u8>>,
    /// As they were when they were last synced.
    synced: BTreeMap<String, Vec<u8>>,
    /// What was done to each since.
    since: HashMap<String, Vec<Change>>,
    /// The last epoch that the process said it had committed.
    pub acknowledged: Option<u64>,
}

#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Change::Write { at, bytes } => {
                file.resize(file.len().max(at + bytes.len()), 0);
                file[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Cut { length } => file.resize(*length, 0),
        }
    }
}

impl Files {
    /// Does one step.
    pub fn take(&mut self, step: &Step) {
        let (file, change) = match step {
            Step::Write { file, at, bytes } => (file, Change::Write { at: *at, bytes: bytes.clone() }),
            Step::Cut { file, length } => (file, Change::Cut { length: *length }),
            Step::Sync { file } => {
                self.synced.insert(file.clone(), self.now.get(file).cloned().unwrap_or_default());
                self.since.remove(file);
                return;
            }
            Step::Remove { file } => {
                self.now.remove(file);
                self.synced.remove(file);
                self.since.remove(file);
                return;
            }
            Step::Acknowledged(epoch) => return self.acknowledged = Some(*epoch),
        };
        change.apply(self.now.entry(file.clone()).or_default());
        self.since.entry(file.clone()).or_default().push(change);
    }

    /// What a power cut may leave: all that was synced, and of what came since any part, in any order, and of a
    /// write perhaps some sectors only.
    pub fn without_power(&self, chance: &mut StdRng) -> Files {
        const SECTOR: usize = 512;
        let mut left = Files { now: self.synced.clone(), ..Files::default() };
        for (file, changes) in &self.since {
            for change in changes {
                if chance.random() {
                    continue;
                }
                let mut change = change.clone();
                if let Change::Write { bytes, .. } = &mut change
                    && bytes.len() > SECTOR
                    && chance.random_ratio(1, 4)
                {
                    bytes.truncate(SECTOR * chance.random_range(1..=bytes.len() / SECTOR));
                }
                change.apply(left.now.entry(file.clone()).or_default());
            }
        }
        left
    }

    /// Writes them out.
    pub fn write(&self, folder: &Path) {
        for (file, bytes) in &self.now {
            std::fs::write(folder.join(format!("takings.db{file}")), bytes).expect("the folder is writable");
        }
    }
}
