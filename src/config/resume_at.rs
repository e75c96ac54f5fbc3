//! Where to go on in a partition, `TOPIC/PARTITION=OFFSET`.

use std::str::FromStr;

use super::ConfigError;

/// `TOPIC/PARTITION=OFFSET`: where to go on in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeAt {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u16,
    /// The first offset to read.
    pub offset: u64,
}

impl FromStr for ResumeAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.rsplit_once('=').and_then(|(place, offset)| {
            let (topic, partition) = place.rsplit_once('/')?;
            Some(ResumeAt { topic: topic.to_owned(), partition: partition.parse().ok()?, offset: offset.parse().ok()? })
        });
        parsed.ok_or_else(|| format!("{text:?} is not TOPIC/PARTITION=OFFSET, such as product_sold/3=1500"))
    }
}

/// The places of several texts, each of one or more with commas between: a variable can not be repeated, and may be
/// empty.
pub(super) fn read(given: &[String]) -> Result<Vec<ResumeAt>, ConfigError> {
    let places = given.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|place| !place.is_empty());
    places.map(|place| place.parse().map_err(|message: String| ConfigError::new("resume_at", message))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_resume_is_read() {
        let place = ResumeAt { topic: "a/b".into(), partition: 3, offset: 1500 };
        assert_eq!("a/b/3=1500".parse(), Ok(place));
        assert!("product_sold=3".parse::<ResumeAt>().is_err());
    }

    #[test]
    fn a_variable_names_several_places_or_none() {
        let places = |given: &[&str]| {
            let read = read(&given.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())?;
            Ok::<_, ConfigError>(read.iter().map(|at| format!("{}/{}@{}", at.topic, at.partition, at.offset)).collect())
        };
        let several: Vec<String> = places(&["a/0=1, b-c/12=3", "d/1=2"]).expect("places");
        assert_eq!(several, ["a/0@1", "b-c/12@3", "d/1@2"]);
        assert_eq!(places(&["", " "]).expect("none"), Vec::<String>::new());
        assert_eq!(places(&["a/0=1,b"]).expect_err("no place").setting, "resume_at");
    }
}
