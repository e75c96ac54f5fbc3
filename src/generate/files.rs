//! Events into a file log.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::value::RawValue;

use super::Sink;
use super::event::{Event, Kind, Topic};

/// A folder's files, one a partition. What is of one order, listing or feedback goes to one.
///
/// Each line is an envelope with the key, the payload and the log's timestamp; see
/// [`crate::source::files`].
pub(super) struct FileSink {
    files: BTreeMap<Topic, Vec<BufWriter<File>>>,
}

impl FileSink {
    pub(super) fn create(
        folder: &Path,
        topics: &[(Topic, String)],
        partitions: u16,
        append: bool,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
        let mut files = BTreeMap::new();
        for (topic, name) in topics {
            if folder.join(format!("{name}.jsonl")).exists() {
                bail!("{name}.jsonl in {} is the log's partition 0 already; name another folder", folder.display());
            }
            let partitions = (0..partitions).map(|part| open(&folder.join(format!("{name}-{part}.jsonl")), append));
            files.insert(*topic, partitions.collect::<anyhow::Result<_>>()?);
        }
        Ok(FileSink { files })
    }
}

/// Opens a partition's file, to be written to at its end.
fn open(path: &PathBuf, append: bool) -> anyhow::Result<BufWriter<File>> {
    let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
    let mut file = opened.with_context(|| format!("opening {}", path.display()))?;
    let length = file.metadata()?.len();
    if length > 0 {
        if !append {
            bail!("{} holds events already; add to them with --append, or name another folder", path.display());
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            bail!("{} ends within a line; end that line, or name another folder", path.display());
        }
    }
    Ok(BufWriter::with_capacity(256 * 1024, file))
}

impl Sink for FileSink {
    fn send(&mut self, event: &Event) -> anyhow::Result<()> {
        let files = self.files.get_mut(&event.topic).filter(|files| !files.is_empty());
        let files = files.with_context(|| format!("topic {} was not opened", event.topic.name()))?;
        let place = (event.place % files.len() as u64) as usize;
        write(event, &mut files[place]).context("writing to the file log")
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        for file in self.files.values_mut().flatten() {
            file.flush().context("writing to the file log")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()
    }
}

fn write(event: &Event, file: &mut impl Write) -> anyhow::Result<()> {
    let Event { key, payload, timestamp, .. } = event;
    let text = match payload.as_deref() {
        None => "null".to_owned(),
        Some(payload) => match std::str::from_utf8(payload) {
            // What is no JSON goes as a string that holds it.
            Ok(text) if event.kind == Kind::Invalid && serde_json::from_str::<&RawValue>(text).is_err() => {
                serde_json::to_string(text)?
            }
            Ok(text) => text.to_owned(),
            // Not even text: a line of its own, which can hold whatever a file can.
            Err(_) => {
                file.write_all(payload)?;
                return Ok(file.write_all(b"\n")?);
            }
        },
    };
    match key {
        None => file.write_all(b"{\"key\":null")?,
        Some(key) => {
            // Keys are ids: nothing to escape.
            file.write_all(b"{\"key\":\"")?;
            file.write_all(key)?;
            file.write_all(b"\"")?;
        }
    }
    Ok(writeln!(file, ",\"timestamp\":{timestamp},\"value\":{text}}}")?)
}
