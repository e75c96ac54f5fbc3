//! How a table that can be read is described: its columns, its order, the parameters that choose rows.
//!
//! SQL, routes, CSV, the event feed and the OpenAPI description are all made from such descriptions: of
//! the [views](super::views) and of the two [logs](super::logs). Adding a view is adding one entry.

/// What a column holds, and so how it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A calendar day, as `2026-11-22`.
    Date,
    /// A whole number of 64 bits.
    Integer,
    /// An exact number, as decimal text with six places: money, an average.
    Decimal,
    /// A moment, as `2026-11-22T12:34:56.789Z`.
    Timestamp,
    /// Bytes as they came; at most [`BYTES_SHOWN`] of them are read.
    Bytes,
}

/// How many bytes of a record's key and payload are read.
pub const BYTES_SHOWN: usize = 2048;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name: a contract with readers.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it means, for the API's description.
    pub doc: &'static str,
}

impl Column {
    /// A column that is never null.
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Column { name, kind, nullable: false, doc }
    }

    /// The same, where it may be null.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
}

/// What a parameter's text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The column equals the text.
    Equals,
    /// The column equals one of the texts: the parameter may be given more than once.
    AnyOf,
    /// One of the two columns equals the text.
    EitherEquals,
    /// The column holds the text somewhere, the letters a to z in either case.
    Contains,
    /// The column (a period) equals the text: `all`, a month or a day.
    Period,
    /// The column (a day) is this day or later.
    FromDay,
    /// The column (a day) is this day or earlier.
    ToDay,
    /// One of the two columns (days) is this day or later; and, with [`Test::EitherToDay`], it is the same one.
    EitherFromDay,
    /// One of the two columns (days) is this day or earlier.
    EitherToDay,
    /// The columns (year, month) are this month or later; a day stands for its month.
    FromMonth,
    /// The columns (year, month) are this month or earlier.
    ToMonth,
    /// The column (a moment) is this moment or later; a day stands for its first moment (UTC).
    FromMoment,
    /// The column (a moment) is this moment or earlier; a day stands for its last moment (UTC).
    ToMoment,
}

/// How the rows of a view that changed since an epoch are found, without reading all of it.
///
/// No index holds the epoch of a row that changes with every order (it would cost every commit dearly), so
/// the days that changed (`changed_days`) lead to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// By the days that changed: the table's key begins with `order_date`.
    ByDay,
    /// By the periods of the days that changed: their months, and all time.
    ByPeriod,
    /// By the epoch alone: few rows, or an index, since they change seldom.
    ByEpoch,
    /// Not at all: see [`Table::trace`].
    Untraced,
}

/// A parameter by which a table's rows are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The columns it is compared with.
    pub columns: &'static [&'static str],
    /// How.
    pub test: Test,
    /// What it means, for the API's description.
    pub doc: &'static str,
}

/// A table that can be read in pages.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name: of the table, of the route and of its key in the event feed.
    pub name: &'static str,
    /// What it holds, for the API's description.
    pub doc: &'static str,
    /// The key columns.
    pub key: &'static [Column],
    /// The other columns.
    pub values: &'static [Column],
    /// The columns by which pages are ordered; together unique.
    pub order: &'static [&'static str],
    /// Whether the greatest comes first unless asked otherwise.
    pub descending: bool,
    /// The parameters that choose rows.
    pub filters: &'static [Filter],
    /// How the event feed finds what changed.
    ///
    /// [`Trace::Untraced`] is for what is too much to be told: a day has as many rows as products were sold on
    /// it, so whoever sells a hundred thousand would have that many rows read for each order of the day. Readers
    /// ask for the rows they want, with the `ETag` of the answer they hold, or follow some products: of those all rows
    /// of the days that changed are read by their key.
    pub trace: Trace,
}

impl Table {
    /// All columns, in the order of the table.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> + Clone {
        self.key.iter().chain(self.values)
    }

    /// The place and the description of a column.
    pub fn column(&self, name: &str) -> Option<(usize, &'static Column)> {
        self.columns().enumerate().find(|(_, column)| column.name == name)
    }

    /// Whether the event feed tells what changed in it.
    pub fn is_streamed(&self) -> bool {
        self.trace != Trace::Untraced
    }

    /// The filter with this parameter's name.
    pub fn filter(&self, parameter: &str) -> Option<&'static Filter> {
        self.filters.iter().find(|filter| filter.parameter == parameter)
    }
}

/// The epoch of a row.
pub const EPOCH: Column = Column::new("epoch", Kind::Integer, "The epoch that last changed this row.");
