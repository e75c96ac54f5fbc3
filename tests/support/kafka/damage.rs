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

    /// A broker that is stopped comes back without any record of a partition, as after a volume that was lost.
    pub fn lose_records(&self, topic: &str, partition: i32) {
        assert!(self.process.is_none(), "a broker that runs serves from its memory");
        fs::remove_dir_all(self.data().join(format!("{topic}-{partition}"))).expect("the partition has a log");
    }
}
