//! What a run was told to resume behind: stretches of a partition that the log holds, or held, and that were never
//! counted.
//!
//! They are kept for good. A replay that took them for counted would make their orders known, and the first
//! correction of one would take back what no total has.

use serde::{Deserialize, Serialize};

use super::StoreError;

/// Stretches of offsets, each from its first to before its end; sorted, and none touches another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PassedOver(Vec<(u64, u64)>);

impl PassedOver {
    /// Whether nothing was passed over.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each stretch: its first offset, and the one after its last.
    pub fn stretches(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// Passes over the offsets from `first` to before `end` as well.
    pub fn add(&mut self, first: u64, end: u64) {
        if first >= end {
            return;
        }
        let (mut first, mut end) = (first, end);
        self.0.retain(|&(from, to)| {
            let touches = from <= end && first <= to;
            if touches {
                (first, end) = (first.min(from), end.max(to));
            }
            !touches
        });
        let place = self.0.partition_point(|&(from, _)| from < first);
        self.0.insert(place, (first, end));
    }

    /// Forgets what lies at `end` and after it: a log that was cut there has other records now.
    pub fn cut(&mut self, end: u64) {
        self.0.retain_mut(|(from, to)| {
            *to = (*to).min(end);
            from < to
        });
    }

    /// What is left of the offsets from `first` to before `end`.
    pub fn counted(&self, first: u64, end: u64) -> Vec<(u64, u64)> {
        let mut left = Vec::new();
        let mut at = first;
        for &(from, to) in &self.0 {
            if from >= end {
                break;
            }
            if at < from {
                left.push((at, from));
            }
            at = at.max(to);
        }
        if at < end {
            left.push((at, end));
        }
        left
    }

    /// As it stands in `sources.passed_over`: `[[10,15]]`; nothing where nothing was.
    pub(super) fn written(&self) -> Option<String> {
        // Numbers: can not fail to become JSON.
        (!self.is_empty()).then(|| serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads what [`written`](Self::written) gave.
    pub(super) fn read(text: Option<&str>, topic: &str, partition: u16) -> Result<PassedOver, StoreError> {
        let Some(text) = text else { return Ok(PassedOver::default()) };
        let stretches: Vec<(u64, u64)> = serde_json::from_str(text).map_err(|error| {
            StoreError::Corrupt(format!(
                "sources.passed_over of {topic}/{partition} is {text:?}, which is no list of offsets: {error}"
            ))
        })?;
        let mut read = PassedOver::default();
        stretches.into_iter().for_each(|(first, end)| read.add(first, end));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_left_is_what_was_never_passed_over(
            added in prop::collection::vec((0u64..40, 0u64..40), 0..8),
            cut in 0u64..50,
            (first, end) in (0u64..40, 0u64..50),
        ) {
            let mut passed_over = PassedOver::default();
            added.iter().for_each(|&(from, to)| passed_over.add(from, to));
            passed_over.cut(cut);
            let is_passed = |offset: u64| offset < cut && added.iter().any(|&(from, to)| from <= offset && offset < to);
            let left = passed_over.counted(first, end);
            for offset in 0..60 {
                let is_left = left.iter().any(|&(from, to)| from <= offset && offset < to);
                prop_assert_eq!(is_left, (first..end).contains(&offset) && !is_passed(offset), "{}", offset);
            }
            for stretches in [left, passed_over.stretches().collect()] {
                prop_assert!(stretches.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", stretches);
            }
            let read = PassedOver::read(passed_over.written().as_deref(), "t", 0);
            prop_assert_eq!(read.ok(), Some(passed_over));
        }
    }

    #[test]
    fn what_is_no_list_is_told() {
        let error = PassedOver::read(Some("[[1]]"), "orders", 3).expect_err("no pair").to_string();
        assert!(error.contains("sources.passed_over of orders/3"), "{error}");
    }
}
