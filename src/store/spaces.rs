//! The job's topics as kept orders and feedback need them: each one's rank and id space.

use std::collections::HashMap;

use takings_dataflows::order::IdSpace;

use super::StoreError;

/// The job's topics: rank and id space of each, by its name.
#[derive(Clone, Debug, Default)]
pub struct Topics(HashMap<String, (u8, IdSpace)>);

impl Topics {
    /// `topics` in the order of their ranks, 256 at most, each with its id space.
    pub fn new<'a>(topics: impl IntoIterator<Item = (&'a String, IdSpace)>) -> Topics {
        Topics((0..=u8::MAX).zip(topics).map(|(rank, (topic, space))| (topic.clone(), (rank, space))).collect())
    }

    /// The rank and id space of a topic that `table` holds.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the job does not know it.
    pub(super) fn get(&self, table: &str, topic: &str) -> Result<(u8, IdSpace), StoreError> {
        self.0.get(topic).copied().ok_or_else(|| {
            StoreError::Corrupt(format!("{table} holds records of topic {topic}, which is none of the job's"))
        })
    }
}
