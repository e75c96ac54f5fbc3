//! What every store must do, run against both: [`takings::store::Store`] has the clauses.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "store_conformance/model.rs"]
mod model;
#[path = "store_conformance/proven.rs"]
mod proven;
#[path = "store_conformance/refused.rs"]
mod refused;
#[path = "store_conformance/switched.rs"]
mod switched;
#[path = "store_conformance/written.rs"]
mod written;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::stores::{
    Fresh, category_key, changed, commit, day, day_key, gone, new, partition, removal, row, settings, total,
};
use takings::store::commit::{
    Correction, Counters, EarlierOrder, FilledView, KeptContent, KeptFeedback, KeptListing, KeptOrder, Rejected, Why,
};
use takings::store::{
    Commit, IncompleteView, Inconsistent, JobSettings, PartitionState, PassedOver, StoreError, Topics,
};
use takings_dataflows::amount::Amount;
use takings_dataflows::event::Event;
use takings_dataflows::listing::{Listing, ListingEvent};
use takings_dataflows::minute::Minute;
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderDetails, OrderEvent, Version};
use takings_dataflows::period::Period;
use takings_dataflows::rating::{Rating, RatingEvent, Stars};
use takings_dataflows::row::{ProductTakings, Ranked, RowChange, RowValue};
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
        a_place_may_come_twice,
        rows_of_every_view_come_back,
        kept_listings_and_feedback_come_back_as_events,
        kept_orders_come_back_as_events;
    switched:
        a_view_switched_off_is_empty,
        a_view_switched_on_is_to_be_filled_until_it_is,
        categories_keep_what_they_need_of_products,
        facts_keep_what_they_need_and_go_with_it,
        a_store_of_the_first_schema_is_brought_up_to_date,
        another_number_of_best_sellers_is_filled_anew;
    refused:
        a_held_store_is_refused_naming_the_holder,
        an_older_generation_is_fenced,
        a_holder_that_lost_its_lock_is_fenced,
        an_idle_holder_learns_that_it_was_replaced,
        a_generation_given_twice_is_two,
        a_commit_repeated_counts_once,
        what_must_never_be_written_is_refused,
        rows_that_should_be_there_are_missed,
        a_store_that_went_back_is_noticed,
        an_idle_holder_notices_a_store_that_went_back,
        a_newer_schema_is_refused,
        an_older_schema_is_named_to_who_only_reads,
        other_settings_are_refused,
        a_store_must_be_acquired_first;
    proven:
        a_total_that_can_be_none_is_noted_and_never_written,
        what_was_cured_is_history,
        a_key_of_any_text_and_view_comes_back,
        inconsistent_rows_go_with_their_view,
        products_cut_down_to_listed_sales_may_be_totals_again,
        days_are_read_at_one_moment,
        verdicts_stand_until_the_next_and_tell_what_changed,
        verdicts_of_an_older_generation_are_refused,
        verdicts_on_a_store_that_went_back_are_refused;
    model:
        any_sequence_of_commits_is_the_model;
);

/// Makes a store that nobody has used yet.
type Make = fn() -> Fresh;
