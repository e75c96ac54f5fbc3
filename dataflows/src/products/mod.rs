//! Products: their totals, the categories that the catalogue gives them, the best sellers.

mod book;
mod leaders;
mod operator;
mod sale;
mod shelf;

pub(crate) use book::Wanted;
pub(crate) use leaders::by_rank;
pub(crate) use operator::products;
pub(crate) use sale::Sale;
