//! Where a log is, as people write it.

use std::path::PathBuf;

use url::Url;

/// What a place may look like, for messages.
const FORMS: &str = "give kafka://HOST:PORT[,HOST:PORT…], or the folder of a file log";

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `kafka://HOST:PORT[,HOST:PORT…]`: the brokers.
    Kafka(String),
    /// A folder of a file log, as a path, `file:///PATH` or `file:/PATH`.
    Folder(PathBuf),
}

impl Place {
    /// Reads what was given as `--source` or `--to`.
    ///
    /// # Errors
    /// What is wrong with it: a scheme that is none of these would otherwise be taken for a folder that does not exist
    /// yet, and waited for.
    pub fn parse(text: &str) -> Result<Place, String> {
        let file_url = |text: &str| {
            let folder = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
            folder.map(Place::Folder).ok_or_else(|| format!("{text:?} names no folder of this machine; {FORMS}"))
        };
        match text.split_once("://") {
            None if text.starts_with("file:/") => file_url(text),
            None if text.starts_with("kafka:") => Err(format!("{text:?} lacks the slashes; {FORMS}")),
            None => Ok(Place::Folder(PathBuf::from(text))),
            Some(("kafka", brokers)) => Ok(Place::Kafka(brokers.to_owned())),
            Some(("file", _)) => file_url(text),
            Some((scheme, _)) => Err(format!("{scheme:?} is no kind of log; {FORMS}")),
        }
    }

    /// Whether it is Kafka.
    pub fn is_kafka(&self) -> bool {
        matches!(self, Place::Kafka(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_path_or_a_file_url_and_nothing_unknown_is_taken_for_one() {
        let folder = |path: &str| Ok(Place::Folder(PathBuf::from(path)));
        assert_eq!(Place::parse("kafka://a:1,b:2"), Ok(Place::Kafka("a:1,b:2".to_owned())));
        assert_eq!(Place::parse("logs/shop"), folder("logs/shop"));
        assert_eq!(Place::parse("file:///srv/the%20shop"), folder("/srv/the shop"));
        assert_eq!(Place::parse("file:/srv/shop"), folder("/srv/shop"));
        for wrong in ["file://elsewhere/shop", "kafka:localhost:9092", "s3://bucket/shop", "kafak://localhost:9092"] {
            assert!(Place::parse(wrong).is_err_and(|message| message.contains("give kafka://")), "{wrong}");
        }
    }
}
