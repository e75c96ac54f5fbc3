//! The job's topics as kept orders need them: each one's rank and id space.

use std::collections::HashMap;

use takings_dataflows::order::IdSpace;

use super::StoreError;

/// A topic's rank and id space, by its name.
pub(super) struct Spaces(HashMap<String, (u8, IdSpace)>);

impl Spaces {
    /// `topics` in the order of their ranks; 256 at most.
    pub(super) fn of(topics: &[String]) -> Spaces {
        Spaces((0..=u8::MAX).zip(topics).map(|(rank, topic)| (topic.clone(), (rank, IdSpace::new(topic)))).collect())
    }

    /// The rank and id space of a topic that `table` holds.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the job does not know it.
    pub(super) fn get(&self, table: &str, topic: &str) -> Result<(u8, IdSpace), StoreError> {
        self.0.get(topic).copied().ok_or_else(|| {
            StoreError::Corrupt(format!("{table} holds orders of topic {topic}, which is none of the job's"))
        })
    }
}
