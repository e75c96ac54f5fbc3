//! Views switched on and off between runs: what happens to their tables.

use takings_dataflows::graph::{keeps_catalogue, keeps_products};
use takings_dataflows::row::{ProductTakings, RowChange, RowValue};
use takings_dataflows::view::View;

use super::JobSettings;
use super::commit::Inconsistent;

/// What a store does before a run with other views than the last one's.
///
/// Two tables hold more than their own view needs: totals of categories and of facts follow the catalogue, so they need
/// `products` with `listings`, and the former the sales of each product that name no category. The latter need those by
/// payment method: a table that is no view's, and comes and goes with theirs.
///
/// *What stays is what the views that are not to be filled need*, and no more: by that the dataflow goes, which knows of
/// the others that they are to be filled from nothing (`graph::Settings::sold_to_fill`), and so does the next start, where
/// this run ends before it has filled them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Switch {
    /// Tables to empty: of views that are off, or are to be filled from nothing.
    pub(super) to_empty: Vec<&'static str>,
    /// Whether `sales_per_product` is to be cut down to the sales that follow the catalogue.
    pub(super) to_listed_only: bool,
    /// Views that are off now.
    pub(super) off: Vec<View>,
    /// Views whose rows are there already, though nobody asked for them before.
    pub(super) already: Vec<View>,
    /// Views to fill from the log.
    pub(super) to_fill: Vec<View>,
    /// Views whose rows are to be read.
    pub(super) to_read: Vec<View>,
}

impl Switch {
    /// From the views that are complete in the store, and how many best sellers it has.
    pub(super) fn of(stored: &[View], stored_top: Option<u16>, given: &JobSettings) -> Switch {
        // Another number of best sellers is another view.
        let same_top = stored_top.is_none_or(|top| top == given.top);
        let on = |view: View| given.views.contains(&view);
        let had = |view: View| stored.contains(&view) && (same_top || view != View::Top);

        let products_before = keeps_products(stored);
        let is_there = |view: View| match view {
            View::Product => products_before == Some(true),
            View::Products => keeps_catalogue(stored),
            view => had(view),
        };
        let (left, to_fill): (Vec<View>, Vec<View>) = given.views.iter().partition(|&&view| is_there(view));
        let products_left = keeps_products(&left);
        let mut switch = Switch {
            to_listed_only: products_before == Some(true) && products_left == Some(false),
            off: View::ALL.into_iter().filter(|&view| !on(view)).collect(),
            already: left.iter().copied().filter(|&view| !had(view)).collect(),
            to_fill,
            ..Switch::default()
        };
        for view in View::TABLES {
            let stays = match view {
                View::Product => products_left.is_some(),
                View::Products => keeps_catalogue(&left),
                View::ListedFacts => left.contains(&View::Facts),
                view => left.contains(&view),
            };
            if stays {
                switch.to_read.push(view);
                continue;
            }
            switch.to_empty.push(view.name());
            match view {
                View::Products => switch.to_empty.push("listings"),
                View::Ratings => switch.to_empty.push("feedback"),
                _ => {}
            }
        }
        switch
    }
}

/// What becomes of the inconsistent rows of `sales_per_product` once the table is cut down to the sales that follow
/// the catalogue: some are totals now and to be written, the others stay inconsistent.
pub(super) fn listed_only(open: &[Inconsistent]) -> (Vec<RowChange>, Vec<Inconsistent>) {
    let listed = |value: RowValue| match value {
        RowValue::Product(ProductTakings { listed, .. }) if listed != Default::default() => {
            Some(RowValue::Product(ProductTakings { all: listed, listed }))
        }
        _ => None,
    };
    let (mut totals, mut still) = (Vec::new(), Vec::new());
    for row in open.iter().filter(|row| row.key.view() == View::Product) {
        let (key, stands) = (row.key, row.stands.and_then(listed));
        match listed(row.would_be) {
            Some(would_be) if !would_be.is_consistent() => still.push(Inconsistent { key, stands, would_be }),
            new => totals.push(RowChange { key, old: stands, new }),
        }
    }
    (totals, still)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(views: &[View]) -> JobSettings {
        JobSettings { views: views.to_vec(), top: 10, ..JobSettings::default() }
    }

    #[test]
    fn the_same_views_change_nothing() {
        let switch = Switch::of(&View::ALL, Some(10), &given(&View::ALL));
        assert_eq!(switch, Switch { to_read: View::TABLES.to_vec(), ..Switch::default() });
    }

    #[test]
    fn a_new_store_fills_every_view() {
        let switch = Switch::of(&[], None, &given(&[View::Category, View::Ratings]));
        assert_eq!(switch.to_fill, [View::Category, View::Ratings]);
        assert!(switch.to_read.is_empty());
    }

    #[test]
    fn categories_keep_what_they_need_of_products() {
        let switch = Switch::of(&View::ALL, Some(10), &given(&[View::Category]));
        assert!(switch.to_listed_only);
        assert_eq!(switch.to_read, [View::Category, View::Product, View::Products]);
        assert!(switch.to_empty.contains(&"top_products") && switch.to_empty.contains(&"feedback"));
        assert!(!switch.to_empty.contains(&"listings"));

        let back = Switch::of(&[View::Category], Some(10), &given(&[View::Category, View::Product, View::Products]));
        assert_eq!(back.to_fill, [View::Product], "own sales come from the log, listed ones are there");
        assert_eq!(back.already, [View::Products]);
        assert!(!back.to_empty.contains(&"sales_per_product"));

        let none = Switch::of(&View::ALL, Some(10), &given(&[View::Day]));
        assert!(none.to_empty.contains(&"sales_per_product") && none.to_empty.contains(&"listings"));
    }

    #[test]
    fn facts_come_and_go_with_what_they_need() {
        let with_facts = given(&[View::Facts]);
        let on = Switch::of(&View::DEFAULT, Some(10), &with_facts);
        assert_eq!((on.to_fill, on.to_read), (vec![View::Facts], vec![]), "the catalogue is counted with them");
        let beside = Switch::of(&View::DEFAULT, Some(10), &given(&View::ALL));
        assert_eq!(beside.to_fill, [View::Facts]);
        assert!(beside.to_read.contains(&View::Products) && !beside.to_read.contains(&View::ListedFacts));
        let stay = Switch::of(&[View::Facts], Some(10), &with_facts);
        assert_eq!(stay.to_read, [View::Facts, View::Products, View::ListedFacts]);
        let off = Switch::of(&View::ALL, Some(10), &given(&View::DEFAULT));
        assert_eq!(off.to_empty, ["sales_facts", "listed_facts"]);
        assert_eq!(off.off, [View::Facts]);
    }

    #[test]
    fn another_number_of_best_sellers_is_another_view() {
        let switch = Switch::of(&View::ALL, Some(5), &given(&View::ALL));
        assert_eq!(switch.to_fill, [View::Top]);
        assert_eq!(switch.to_empty, ["top_products"]);
        assert!(!switch.to_listed_only);
        // The rows of products that best sellers needed are not those that categories need.
        let views = [View::Category, View::Top];
        let switch = Switch::of(&views, Some(5), &given(&views));
        assert_eq!(switch.to_fill, [View::Top]);
        assert!(switch.to_listed_only && switch.to_read.contains(&View::Product));
    }

    #[test]
    fn what_is_to_be_filled_begins_with_nothing() {
        let top_for_products = Switch::of(&[View::Day, View::Product], Some(10), &given(&[View::Day, View::Top]));
        assert_eq!((top_for_products.to_fill, top_for_products.to_read), (vec![View::Top], vec![View::Day]));
        let categories_for_top = Switch::of(&[View::Top], Some(10), &given(&[View::Category]));
        assert_eq!((categories_for_top.to_fill, categories_for_top.to_read), (vec![View::Category], vec![]));
        let facts_for_categories = Switch::of(&[View::Category], Some(10), &given(&[View::Facts]));
        assert!(facts_for_categories.to_empty.contains(&"listings"), "they are read again");
    }

    #[test]
    fn best_sellers_have_the_rows_of_products() {
        let switch = Switch::of(&[View::Top], Some(10), &given(&[View::Product]));
        assert_eq!((switch.to_fill, switch.already), (vec![], vec![View::Product]));
    }
}
