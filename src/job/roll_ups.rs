//! The stored rows against each other: every roll-up recomputed from the finer rows that were read with it.

use std::collections::{BTreeMap, HashMap};

use differential_dataflow::difference::{IsZero, Semigroup};
use takings_dataflows::period::Period;
use takings_dataflows::row::{Ranked, RowValue};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::JobError;
use crate::store::IncompleteView;

/// How many differences a message names.
const NAMED: usize = 5;

/// The rows that differ from what they must be.
#[derive(Default)]
struct Differences {
    first: Vec<String>,
    more: usize,
}

impl Differences {
    fn push(&mut self, difference: impl FnOnce() -> String) {
        if self.first.len() < NAMED {
            self.first.push(difference());
        } else {
            self.more += 1;
        }
    }

    fn verdict(self) -> Result<(), JobError> {
        if self.first.is_empty() {
            return Ok(());
        }
        let mut text = self.first.join("; ");
        if self.more > 0 {
            text.push_str(&format!("; and {} more", self.more));
        }
        Err(JobError::RollUpsDiffer { differences: text })
    }
}

/// Sums of rows.
type Sums = HashMap<ViewKey, Takings>;

/// Which views are sums of which finer one.
const ROLL_UPS: [(View, &[View]); 5] = [
    (View::Category, &[View::Day, View::Month]),
    (View::PaymentMethod, &[View::Day, View::Month]),
    (View::Facts, &[View::Category, View::PaymentMethod, View::Day, View::Month]),
    (View::Product, &[View::Day, View::Month]),
    (View::Day, &[View::Month]),
];

/// Recomputes every roll-up of a store that has these `views`: days and months from categories, payment methods, facts and products, categories and
/// payment methods from facts, what products have listed from `listed_facts`, best sellers from products. Views that
/// count different parts of the log (`incomplete`) are not compared, nor are products and categories that lack some of it:
/// what follows the catalogue may have been counted in them before, and is then all of it (`graph::Settings::sold_to_fill`).
/// Best sellers are those of the rows that there are.
///
/// # Errors
/// [`JobError::RollUpsDiffer`] naming the first rows that differ.
pub(super) fn check_roll_ups(
    rows: &[(ViewKey, RowValue)],
    top: u16,
    views: &[View],
    incomplete: &[IncompleteView],
) -> Result<(), JobError> {
    let mut differences = Differences::default();
    let mut stored: BTreeMap<View, Sums> = BTreeMap::new();
    for (key, value) in rows {
        if let Some(takings) = value.takings().filter(|_| key.view() != View::Top) {
            stored.entry(key.view()).or_default().insert(*key, takings);
        }
    }
    // The epoch in which a view was filled from a log that had lost records, if it was: what it counts.
    // Rows of products are there for the best sellers too.
    let named = |view| if view == View::Product && !views.contains(&view) { View::Top } else { view };
    let counted = |view| incomplete.iter().find(|known| known.view == named(view)).map(|known| known.since_epoch);
    let is_of_two = |view| matches!(view, View::Product | View::Category) && counted(view).is_some();
    for (from, coarser) in ROLL_UPS {
        for &view in coarser {
            if let (Some(finer), Some(found)) = (stored.get(&from), stored.get(&view))
                && counted(from) == counted(view)
                && !is_of_two(from)
                && !is_of_two(view)
                && (from != View::Product || holds_all(rows))
            {
                compare(from, view, &sums(finer, view), found, &mut differences);
            }
        }
    }
    // What products have listed was counted since whichever view needed it first.
    if incomplete.is_empty() && stored.contains_key(&View::Facts) && stored.contains_key(&View::Product) {
        let finer = stored.remove(&View::ListedFacts).unwrap_or_default();
        compare(View::ListedFacts, View::Product, &sums(&finer, View::Product), &listed(rows), &mut differences);
    }
    check_ranks(rows, top.into(), &mut differences);
    differences.verdict()
}

/// Checks that every stored row is one that records can sum to.
///
/// # Errors
/// [`JobError::RollUpsDiffer`] naming the first rows that are not.
pub(super) fn check_possible(rows: &[(ViewKey, RowValue)]) -> Result<(), JobError> {
    let mut differences = Differences::default();
    for (key, value) in rows.iter().filter(|(_, value)| !value.is_consistent()) {
        differences.push(|| format!("{key} is {value:?}, which no records sum to"));
    }
    differences.verdict()
}

/// Whether the rows of products are of all sales. Where only those that follow the catalogue are kept, each
/// row says so of itself.
fn holds_all(rows: &[(ViewKey, RowValue)]) -> bool {
    rows.iter().any(|(_, value)| matches!(value, RowValue::Product(product) if product.all != product.listed))
        || rows.iter().any(|(key, _)| key.view() == View::Top)
}

/// The rows of a view as the sums of finer ones.
fn sums(finer: &Sums, view: View) -> Sums {
    let mut sums = Sums::new();
    for (key, takings) in finer {
        let (day, currency) = match *key {
            ViewKey::Category { day, currency, .. }
            | ViewKey::PaymentMethod { day, currency, .. }
            | ViewKey::Facts { day, currency, .. }
            | ViewKey::ListedFacts { day, currency, .. }
            | ViewKey::Product { day, currency, .. }
            | ViewKey::Day { day, currency } => (day, currency),
            _ => continue,
        };
        let into = match (view, *key) {
            (View::Month, _) => ViewKey::Month { month: day.month(), currency },
            (View::Category, ViewKey::Facts { category, .. }) => ViewKey::Category { day, category, currency },
            (View::PaymentMethod, ViewKey::Facts { payment_method, .. }) => {
                ViewKey::PaymentMethod { day, payment_method, currency }
            }
            (View::Product, ViewKey::ListedFacts { product, .. }) => ViewKey::Product { day, product, currency },
            _ => ViewKey::Day { day, currency },
        };
        sums.entry(into).or_default().plus_equals(takings);
    }
    // Rows that are inconsistent may cancel out, and then there is no row.
    sums.retain(|_, takings| !takings.is_zero());
    sums
}

/// What each product has of sales that follow the catalogue.
fn listed(rows: &[(ViewKey, RowValue)]) -> Sums {
    let listed = |(key, value): &(ViewKey, RowValue)| match value {
        RowValue::Product(product) if !product.listed.is_zero() => Some((*key, product.listed)),
        _ => None,
    };
    rows.iter().filter_map(listed).collect()
}

fn compare(from: View, view: View, expected: &Sums, found: &Sums, differences: &mut Differences) {
    for (key, found) in found {
        if expected.get(key) != Some(found) {
            differences.push(|| format!("{key} is {found:?}, and {from} sums to {:?}", expected.get(key)));
        }
    }
    for (key, expected) in expected.iter().filter(|(key, _)| !found.contains_key(key)) {
        differences.push(|| format!("{key} is missing in {view}, and {from} sums to {expected:?}"));
    }
}

/// Ranks every product of every period once more, where best sellers are kept.
fn check_ranks(rows: &[(ViewKey, RowValue)], top: usize, differences: &mut Differences) {
    let mut found: HashMap<(Period, Symbol, u16), Ranked> = HashMap::new();
    for (key, value) in rows {
        if let (&ViewKey::Top { period, currency, rank }, &RowValue::Ranked(ranked)) = (key, value) {
            found.insert((period, currency, rank), ranked);
        }
    }
    if found.is_empty() {
        return;
    }
    let mut groups: HashMap<(Period, Symbol), HashMap<Symbol, Takings>> = HashMap::new();
    for (key, value) in rows {
        if let (&ViewKey::Product { day, product, currency }, Some(takings)) = (key, value.takings()) {
            for period in [Period::Day(day), Period::Month(day.month()), Period::All] {
                groups.entry((period, currency)).or_default().entry(product).or_default().plus_equals(&takings);
            }
        }
    }
    for ((period, currency), products) in groups {
        // What no set of sales can sum to has no rank.
        let is_total = |sold: &Takings| sold.is_alive() && sold.is_consistent();
        let mut ranked: Vec<(Symbol, Takings)> = products.into_iter().filter(|(_, sold)| is_total(sold)).collect();
        let order = |one: &(Symbol, Takings), other: &(Symbol, Takings)| {
            other.1.amount.cmp(&one.1.amount).then_with(|| one.0.text().cmp(other.0.text()))
        };
        if ranked.len() > top {
            ranked.select_nth_unstable_by(top, order);
            ranked.truncate(top);
        }
        ranked.sort_unstable_by(order);
        for ((product, takings), rank) in ranked.into_iter().zip(1..) {
            let expected = Ranked { product, takings };
            let stored = found.remove(&(period, currency, rank));
            if stored != Some(expected) {
                differences.push(|| {
                    let key = ViewKey::Top { period, currency, rank };
                    format!("{key} is {stored:?}, and sales_per_product ranks {expected:?}")
                });
            }
        }
    }
    for ((period, currency, rank), ranked) in found {
        differences.push(|| {
            let key = ViewKey::Top { period, currency, rank };
            format!("{key} is {ranked:?}, and sales_per_product ranks none there")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use takings_dataflows::amount::Amount;
    use takings_dataflows::day::Day;
    use takings_dataflows::row::ProductTakings;

    fn total(amount: i128, orders: i64) -> Takings {
        Takings { amount: Amount::from_micros(amount), orders, units: orders }
    }

    fn totals() -> Vec<(ViewKey, RowValue)> {
        let (day, currency) = (Day::from_epoch_days(20_000), Symbol::new("EUR"));
        let category = |name: &str| ViewKey::Category { day, category: Symbol::new(name), currency };
        let (month, one) = (day.month(), Symbol::new("one"));
        let top =
            |period| (ViewKey::Top { period, currency, rank: 1 }, Ranked { product: one, takings: total(-20, 3) });
        let sold = ProductTakings { all: total(-20, 3), listed: total(10, 1) };
        let (card, cash) = (Symbol::new("CARD"), Symbol::new("CASH"));
        let paid = |payment_method| ViewKey::PaymentMethod { day, payment_method, currency };
        let fact =
            |name: &str, payment_method| ViewKey::Facts { day, category: Symbol::new(name), payment_method, currency };
        let sums = [
            (category("Books"), total(10, 1)),
            (category("Toys"), total(-30, 2)),
            (paid(card), total(-5, 2)),
            (paid(cash), total(-15, 1)),
            (fact("Books", card), total(10, 1)),
            (fact("Toys", card), total(-15, 1)),
            (fact("Toys", cash), total(-15, 1)),
            (ViewKey::ListedFacts { day, product: one, payment_method: card, currency }, total(10, 1)),
            (ViewKey::Day { day, currency }, total(-20, 3)),
            (ViewKey::Month { month, currency }, total(-20, 3)),
        ];
        let ranks = [top(Period::All), top(Period::Month(month)), top(Period::Day(day))];
        let mut rows: Vec<_> = sums.map(|(key, takings)| (key, RowValue::Takings(takings))).into();
        rows.push((ViewKey::Product { day, product: one, currency }, RowValue::Product(sold)));
        rows.extend(ranks.map(|(key, ranked)| (key, RowValue::Ranked(ranked))));
        rows
    }

    #[test]
    fn totals_that_add_up_pass() {
        check_roll_ups(&totals(), 10, &View::ALL, &[]).expect("they add up");
        check_roll_ups(&[], 10, &View::ALL, &[]).expect("nothing adds up to nothing");
    }

    #[test]
    fn any_row_changed_or_lost_is_named() {
        for index in 0..totals().len() {
            let mut changed = totals();
            let (key, value) = &mut changed[index];
            let key = *key;
            match value {
                RowValue::Takings(takings) => takings.units += 1,
                RowValue::Product(product) => product.all.units += 1,
                RowValue::Ranked(ranked) => ranked.takings.units += 1,
                RowValue::Listing(_) | RowValue::Stars(_) => unreachable!("not among them"),
            }
            let message = check_roll_ups(&changed, 10, &View::ALL, &[]).expect_err("a changed row").to_string();
            assert!(message.contains("sales_"), "{key}: {message}");
            let mut lost = totals();
            lost.remove(index);
            // Without a single row of it a view counts as switched off.
            let others = totals().iter().filter(|(other, _)| other.view() == key.view()).count();
            let may_be_off = others == 1 && key.view() != View::ListedFacts;
            assert!(check_roll_ups(&lost, 10, &View::ALL, &[]).is_err() || may_be_off, "{key} lost");
        }
    }

    #[test]
    fn a_view_that_counts_less_is_compared_with_none() {
        let mut rows = totals();
        let day = rows.iter_mut().find(|(key, _)| key.view() == View::Day).expect("a row");
        day.1 = RowValue::Takings(total(-20, 2));
        let filled_in =
            |view, since_epoch| IncompleteView { view, complete_from: Day::from_epoch_days(20_000), since_epoch };
        assert!(check_roll_ups(&rows, 10, &View::ALL, &[filled_in(View::Month, 5)]).is_err(), "categories still tell");
        assert!(check_roll_ups(&rows, 10, &View::ALL, &[filled_in(View::Day, 5)]).is_ok());
        let all_but_day = View::ALL.map(|view| filled_in(view, if view == View::Day { 6 } else { 5 }));
        assert!(check_roll_ups(&rows, 10, &View::ALL, &all_but_day).is_ok());
        let all = View::ALL.map(|view| filled_in(view, 5));
        assert!(check_roll_ups(&rows, 10, &View::ALL, &all).is_err(), "views that were filled together count the same");
    }

    #[test]
    fn rows_that_no_records_sum_to_are_named() {
        check_possible(&totals()).expect("all of them are possible");
        let mut rows = totals();
        rows[0].1 = RowValue::Takings(total(10, 0));
        let message = check_possible(&rows).expect_err("money without an order").to_string();
        assert!(message.contains("sales_per_category"), "{message}");
    }

    /// What would be in place of inconsistent rows adds up like any other.
    #[test]
    fn inconsistent_rows_add_up() {
        let (day, currency) = (Day::from_epoch_days(20_000), Symbol::new("EUR"));
        let category = |name: &str| ViewKey::Category { day, category: Symbol::new(name), currency };
        let mut rows = vec![
            (category("Books"), RowValue::Takings(total(10, 1))),
            (category("Toys"), RowValue::Takings(total(-10, -1))),
        ];
        check_roll_ups(&rows, 10, &View::ALL, &[]).expect("they cancel out in a day without a row");
        rows.push((ViewKey::Day { day, currency }, RowValue::Takings(total(1, 1))));
        assert!(check_roll_ups(&rows, 10, &View::ALL, &[]).is_err());
    }

    #[test]
    fn more_ranks_than_asked_for_are_named() {
        let mut rows = totals();
        let Some((ViewKey::Top { period, currency, .. }, value)) = rows.last().copied() else { unreachable!() };
        rows.push((ViewKey::Top { period, currency, rank: 2 }, value));
        let message = check_roll_ups(&rows, 10, &View::ALL, &[]).expect_err("a second rank of one product").to_string();
        assert!(message.contains("top_products"), "{message}");
    }
}
