//! A disk that changes what was written.

use std::fs;

use super::Kafka;

impl Kafka {
    /// Changes a byte of the first place where `text` stands in a partition's log on disk, as a failing disk
    /// would. Only while the broker is stopped: then nothing of it is in the broker's memory.
    ///
    /// # Panics
    /// When the text is not there.
    pub fn damage(&self, topic: &str, partition: i32, text: &str) {
        assert!(self.process.is_none(), "a broker that runs serves from its memory");
        let path = self.data().join(format!("{topic}-{partition}")).join("00000000000000000000.log");
        let mut bytes = fs::read(&path).expect("the partition has a log");
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("the text is there");
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("the log is writable");
    }

    /// A broker that is stopped comes back without any record of a partition, as after a volume that was lost: with what
    /// the volume's own files say of it. Otherwise a broker that is killed soon after goes by an offset that a checkpoint
    /// still has, and loses what was acknowledged since.
    pub fn lose_records(&self, topic: &str, partition: i32) {
        assert!(self.process.is_none(), "a broker that runs serves from its memory");
        fs::remove_dir_all(self.data().join(format!("{topic}-{partition}"))).expect("the partition has a log");
        for checkpoint in CHECKPOINTS {
            self.forget(checkpoint, &format!("{topic} {partition} "));
        }
    }

    /// Leaves out the lines of a checkpoint that begin so. It has its version, the number of its lines, and those.
    fn forget(&self, checkpoint: &str, of: &str) {
        let path = self.data().join(checkpoint);
        let text = fs::read_to_string(&path).expect("a broker that stopped in order wrote it");
        let mut lines = text.lines();
        let version = lines.next().expect("its version").to_owned();
        let kept: Vec<&str> = lines.skip(1).filter(|line| !line.starts_with(of)).collect();
        let text = [vec![version.as_str(), &kept.len().to_string()], kept].concat().join("\n");
        fs::write(&path, text + "\n").expect("the folder is writable");
    }
}

/// Where a broker writes down offsets of all partitions of a volume.
const CHECKPOINTS: [&str; 3] =
    ["log-start-offset-checkpoint", "recovery-point-offset-checkpoint", "replication-offset-checkpoint"];
