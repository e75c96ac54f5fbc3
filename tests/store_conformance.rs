//! What every store must do, run against both: [`takings::store::Store`] has the clauses.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "store_conformance/model.rs"]
mod model;
#[path = "store_conformance/refused.rs"]
mod refused;
#[path = "store_conformance/written.rs"]
mod written;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::stores::{
    Fresh, category_key, changed, commit, day, day_key, gone, new, partition, removal, row, settings, total,
};
use takings::store::commit::{Correction, Counters, KeptContent, KeptOrder, Rejected, TotalChange, Why};
use takings::store::{Commit, JobSettings, PartitionState, StoreError};
use takings_dataflows::amount::Amount;
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderDetails, OrderEvent, Version};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

/// Makes a test of each check, for each store.
macro_rules! suite {
    ($($module:ident: $($name:ident),*;)*) => {
        mod postgres { $($(#[test] fn $name() { super::$module::$name(super::Fresh::postgres); })*)* }
        mod sqlite { $($(#[test] fn $name() { super::$module::$name(super::Fresh::sqlite); })*)* }
    };
}

suite!(
    written:
        a_new_store_is_empty,
        what_was_committed_is_there_at_the_next_start,
        only_changed_rows_change_their_epoch,
        rows_that_go_are_told_and_may_come_back,
        an_empty_epoch_moves_the_job_on,
        changed_days_narrow_what_changed,
        amounts_are_exact_at_any_size,
        text_of_any_kind_comes_back,
        rejected_bytes_stand_as_they_came,
        corrections_say_what_was_and_what_is,
        partitions_are_written_whole,
        kept_orders_come_back_as_events;
    refused:
        a_held_store_is_refused_naming_the_holder,
        an_older_generation_is_fenced,
        a_holder_that_lost_its_lock_is_fenced,
        a_commit_repeated_counts_once,
        what_must_never_be_written_is_refused,
        rows_that_should_be_there_are_missed,
        a_store_that_went_back_is_noticed,
        a_newer_schema_is_refused,
        other_settings_are_refused,
        a_store_must_be_acquired_first;
    model:
        any_sequence_of_commits_is_the_model;
);

/// Makes a store that nobody has used yet.
type Make = fn() -> Fresh;
