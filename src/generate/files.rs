//! Events into a file log.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, bail};
use xxhash_rust::xxh3::xxh3_64;

use super::Sink;
use super::shop::Event;

/// A folder's files, one a partition. An order's versions all go to one.
pub(super) struct FileSink {
    files: Vec<BufWriter<File>>,
}

impl FileSink {
    pub(super) fn create(folder: &Path, topic: &str, partitions: u16, append: bool) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
        if folder.join(format!("{topic}.jsonl")).exists() {
            bail!("{topic}.jsonl in {} is the log's partition 0 already; name another folder", folder.display());
        }
        let mut files = Vec::new();
        for partition in 0..partitions {
            let path = folder.join(format!("{topic}-{partition}.jsonl"));
            let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
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
            files.push(BufWriter::with_capacity(256 * 1024, file));
        }
        Ok(FileSink { files })
    }
}

impl Sink for FileSink {
    fn send(&mut self, event: &Event) -> anyhow::Result<()> {
        let partition = event.key.as_ref().map_or(0, |key| xxh3_64(key) % self.files.len() as u64);
        let file = &mut self.files[partition as usize];
        match (&event.key, &event.payload) {
            (_, Some(payload)) => file.write_all(payload)?,
            // Keys are UUIDs: nothing to escape.
            (Some(key), None) => {
                file.write_all(b"{\"key\":\"")?;
                file.write_all(key)?;
                file.write_all(b"\",\"value\":null}")?;
            }
            (None, None) => file.write_all(b"{\"key\":null,\"value\":null}")?,
        }
        file.write_all(b"\n")?;
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        for file in &mut self.files {
            file.flush().context("writing to the file log")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()
    }
}
