//! What every product sold, by day and currency; which category that counts in; who leads.
//!
//! Why not a differential join of sales with listings, and `count_total` of the products' rows: `benches/products.rs`
//! has both beside each other. They keep two arrangements of some 100 bytes a row each, and as much again while those
//! merge. This table costs a probe an order and one row of 80 bytes, and a listing that moves a product finds its
//! rows by probing each day: a thousand days are a thousand probes. What leaves it is differential again: changes of
//! categories are counted together with those of all other sales, and leaders are ranked by a `reduce`.

use differential_dataflow::difference::{IsZero, Semigroup};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::attribution::{Attributed, Moves, Shifts, Touched, category_of};
use super::groups::{Group, Groups};
use super::listed_facts::ListedFacts;
use super::sale::{Part, Sale};
use super::shelf::OfProduct;
use crate::day::Day;
use crate::listing::{Listing, ListingEvent};
use crate::order::Version;
use crate::period::Period;
use crate::row::{ProductTakings, Ranked, RowChange, RowValue};
use crate::symbol::Symbol;
use crate::takings::Takings;
use crate::upsert::{Newest, Outcome};
use crate::view::{UNLISTED, ViewKey};

/// Which products' rows a job needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The number of best sellers; `None`: no ranks.
    pub(crate) top: Option<usize>,
    /// Whether the totals of categories are wanted.
    pub(crate) categories: bool,
    /// Whether the totals of facts are wanted.
    pub(crate) facts: bool,
    /// Whether rows of `products` are wanted.
    pub(crate) catalogue: bool,
}

/// One worker's products.
///
/// Clauses that hold after each epoch:
/// - *totals*: a row is the sum of the sales taken in, and is gone where no order is left;
/// - *attribution*: what was handed out as changes of categories, and of facts, sums, for each row, to its listed
///   takings under the category that its product has now;
/// - *leaders*: what was handed out of each group is its first `top` products.
pub(crate) struct Book {
    wanted: Wanted,
    unlisted: Symbol,
    listings: Newest<Symbol, Listing>,
    days: Groups<(Day, Symbol), Row>,
    wider: Groups<(Period, Symbol), WideRow>,
    /// Rows that the open epoch touched.
    touched: Vec<Touched<ProductTakings>>,
    facts: ListedFacts,
    /// Products whose listing the open epoch changed, with what it was.
    relisted: HashMap<Symbol, Option<Listing>>,
    /// Products that were listed before anyone asked for the catalogue: the next epoch hands them over.
    unwritten: Vec<Symbol>,
    /// Changes of categories, as they gather.
    categories: Shifts<(Day, Symbol)>,
    /// The open epoch's number here: marks rows that are in `touched`.
    mark: u32,
}

/// The mark of a row that no epoch has touched.
const NEW: u32 = 0;

/// A product in a day and currency. 80 bytes.
struct Row {
    product: Symbol,
    /// The number of the category that its listed takings count in.
    category: u32,
    mark: u32,
    takings: ProductTakings,
}

const _: () = assert!(size_of::<Row>() == 80);

/// A product in a month, or in all time, and a currency.
struct WideRow {
    product: Symbol,
    takings: Takings,
}

impl OfProduct for Row {
    fn product(&self) -> Symbol {
        self.product
    }
}

impl Attributed for Row {
    fn listed(&self) -> &Takings {
        &self.takings.listed
    }

    fn category(&mut self) -> &mut u32 {
        &mut self.category
    }

    fn mark(&self) -> u32 {
        self.mark
    }
}

impl OfProduct for WideRow {
    fn product(&self) -> Symbol {
        self.product
    }
}

/// What an epoch changed.
#[derive(Default)]
pub(crate) struct Changed {
    /// Changes of totals by category: of categories, and of facts.
    pub(crate) categories: Vec<(ViewKey, Takings)>,
    /// Changed rows of `sales_per_product`, `listed_facts` and `products`.
    pub(crate) rows: Vec<RowChange>,
    /// Changed leaders of each group.
    pub(crate) leaders: Vec<((Period, Symbol), Ranked, isize)>,
}

impl Book {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Book {
            wanted,
            unlisted: Symbol::new(UNLISTED),
            listings: Newest::new(),
            days: Groups::new(),
            wider: Groups::new(),
            touched: Vec::new(),
            facts: ListedFacts::new(),
            relisted: HashMap::default(),
            unwritten: Vec::new(),
            categories: Shifts::default(),
            mark: next(NEW),
        }
    }

    /// Takes a sale in, or takes one back.
    pub(crate) fn sell(&mut self, sale: &Sale) {
        let &Sale { product, day, currency, part, takings } = sale;
        let Book { days, listings, unlisted, touched, facts, mark, .. } = self;
        if let Part::ListedBy(payment_method) = part {
            let category = || category_of(listings.get(product), *unlisted);
            facts.sell((day, payment_method, currency), product, &takings, *mark, category);
            return;
        }
        let group = days.number((day, currency));
        let rows = &mut days.groups[group as usize].rows;
        let at = rows.place(product, || Row {
            product,
            category: category_of(listings.get(product), *unlisted),
            mark: NEW,
            takings: ProductTakings::default(),
        });
        let row = rows.row_mut(at);
        if row.mark != *mark {
            row.mark = *mark;
            touched.push(Touched { group, at, was: row.takings });
        }
        row.takings.all.plus_equals(&takings);
        if part == Part::Listed {
            row.takings.listed.plus_equals(&takings);
        }
    }

    /// Takes a version of a listing in. Says what it did, and whether it is now the product's newest.
    pub(crate) fn list(&mut self, event: &ListingEvent) -> (Outcome, Option<Version>) {
        let replaced = self.listings.apply(event.product, event.version, event.content);
        if replaced.was != replaced.is
            && let Entry::Vacant(entry) = self.relisted.entry(event.product)
        {
            entry.insert(replaced.was);
        }
        (replaced.outcome, replaced.newest)
    }

    /// Ends the loading: what was taken in so far is in the stored totals already, but for what is to be
    /// filled, which the next epoch hands over. Returns the leaders that are stored already.
    pub(crate) fn loaded(&mut self, fill: &Wanted) -> Vec<((Period, Symbol), Ranked, isize)> {
        let touched = std::mem::take(&mut self.touched);
        let listings = std::mem::take(&mut self.relisted);
        for &Touched { group, at, .. } in &touched {
            let Group { key, rows, .. } = &mut self.days.groups[group as usize];
            let row = rows.row_mut(at);
            // Its listing may have come after it.
            row.category = category_of(self.listings.get(row.product), self.unlisted);
            if fill.categories {
                self.categories.add(*key, row.category, &row.takings.listed);
            }
        }
        self.facts.loaded(|product| category_of(self.listings.get(product), self.unlisted));
        self.lead(&touched);
        if fill.catalogue {
            self.unwritten.extend(listings.into_keys());
        }
        self.mark = next(self.mark);
        let mut leaders = Vec::new();
        if fill.top.is_none() {
            self.publish(&mut leaders);
        }
        leaders
    }

    /// Ends an epoch.
    pub(crate) fn close(&mut self) -> Changed {
        let mut changed = Changed::default();
        let touched = std::mem::take(&mut self.touched);
        let mut relisted = std::mem::take(&mut self.relisted);
        if self.wanted.categories || self.wanted.facts {
            let moves = Moves::of(&relisted, |listing| category_of(listing, self.unlisted), &self.listings);
            if self.wanted.categories {
                let Book { days, categories, mark, .. } = self;
                let was = touched.iter().map(|row| Touched { group: row.group, at: row.at, was: row.was.listed });
                moves.attribute(days, was, *mark, categories);
                changed.categories.extend(categories.drain().map(|((day, currency), category, takings)| {
                    (ViewKey::Category { day, category, currency }, takings)
                }));
            }
            if self.wanted.facts {
                self.facts.attribute(&moves, self.mark, |key, takings| changed.categories.push((key, takings)));
            }
        }
        if self.wanted.catalogue {
            relisted.extend(self.unwritten.drain(..).map(|product| (product, None)));
            changed.rows.extend(relisted.iter().filter_map(|(&product, &was)| {
                let (old, new) = (was.map(RowValue::Listing), self.listings.get(product).map(RowValue::Listing));
                (old != new).then_some(RowChange { key: ViewKey::Listing { product }, old, new })
            }));
        }
        changed.rows.reserve(touched.len());
        for &Touched { group, at, was } in &touched {
            let Group { key: (day, currency), rows, .. } = &self.days.groups[group as usize];
            let Row { product, takings, .. } = rows.row(at);
            let value =
                |takings: ProductTakings| (takings != ProductTakings::default()).then_some(RowValue::Product(takings));
            let (old, new) = (value(was), value(*takings));
            if old != new {
                let key = ViewKey::Product { day: *day, product: *product, currency: *currency };
                changed.rows.push(RowChange { key, old, new });
            }
        }
        self.facts.close(|change| changed.rows.push(change));
        self.lead(&touched);
        for &Touched { group, at, .. } in &touched {
            let rows = &mut self.days.groups[group as usize].rows;
            if rows.row(at).takings == ProductTakings::default() {
                rows.remove(at);
            }
        }
        self.touched = touched;
        self.touched.clear();
        self.publish(&mut changed.leaders);
        self.mark = next(self.mark);
        changed
    }

    /// Brings months, all time and every group's leaders up to date with the days' rows.
    fn lead(&mut self, touched: &[Touched<ProductTakings>]) {
        let Some(top) = self.wanted.top else { return };
        for &Touched { group, at, was } in touched {
            let Group { key: (day, currency), rows, .. } = &self.days.groups[group as usize];
            let (day, currency) = (*day, *currency);
            let &Row { product, takings: ProductTakings { all: is, .. }, .. } = rows.row(at);
            let mut change = is;
            change.plus_equals(&-was.all);
            if change.is_zero() {
                continue;
            }
            self.days.lead(top, group, product, was.all, is);
            for period in [Period::Month(day.month()), Period::All] {
                let group = self.wider.number((period, currency));
                let rows = &mut self.wider.groups[group as usize].rows;
                let at = rows.place(product, || WideRow { product, takings: Takings::default() });
                let takings = &mut rows.row_mut(at).takings;
                let was = *takings;
                takings.plus_equals(&change);
                let is = *takings;
                if is.is_zero() {
                    rows.remove(at);
                }
                self.wider.lead(top, group, product, was, is);
            }
        }
    }

    fn publish(&mut self, changed: &mut Vec<((Period, Symbol), Ranked, isize)>) {
        let Some(top) = self.wanted.top else { return };
        let of_day = |row: &Row| Ranked { product: row.product, takings: row.takings.all };
        self.days.publish(top, of_day, |(day, currency), ranked, diff| {
            changed.push(((Period::Day(day), currency), ranked, diff));
        });
        let of_wider = |row: &WideRow| Ranked { product: row.product, takings: row.takings };
        self.wider.publish(top, of_wider, |group, ranked, diff| changed.push((group, ranked, diff)));
    }
}

/// The mark of the epoch after this one's: never that of a row that is new.
const fn next(mark: u32) -> u32 {
    if mark == u32::MAX { NEW + 1 } else { mark + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::order::Version;

    /// A sale that comes between two listings of one epoch counts in the category of the second, even where
    /// that is the one from before the epoch.
    #[test]
    fn a_category_that_came_and_went_within_an_epoch_leaves_nothing() {
        let mut book = Book::new(Wanted { top: None, categories: true, facts: true, catalogue: true });
        let (product, currency) = (Symbol::new("a kettle"), Symbol::new("EUR"));
        let toys = Listing { category: Some(Symbol::new("Toys")), ..Listing::default() };
        let list = |book: &mut Book, offset, content| {
            book.list(&ListingEvent { product, version: Version::new(0, 0, 0, offset), content });
        };
        let day = Day::from_epoch_days(20_779);
        let takings = Takings { amount: Amount::from_micros(5), orders: 1, units: 1 };
        list(&mut book, 1, Some(toys));
        let payment_method = Symbol::new("CARD");
        for part in [Part::Listed, Part::ListedBy(payment_method)] {
            book.sell(&Sale { product, day, currency, part, takings });
        }
        list(&mut book, 2, None);
        let category = Symbol::new(UNLISTED);
        let of_category = ViewKey::Category { day, category, currency };
        let of_fact = ViewKey::Facts { day, category, payment_method, currency };
        assert_eq!(book.close().categories, [(of_category, takings), (of_fact, takings)]);
    }
}
