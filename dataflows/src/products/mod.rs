//! Products: their totals, the categories that the catalogue gives them, the best sellers.

mod attribution;
mod book;
mod groups;
mod leaders;
mod listed_facts;
mod operator;
mod sale;
mod shelf;

pub(crate) use book::Wanted;
pub(crate) use leaders::by_rank;
pub(crate) use operator::products;
pub(crate) use sale::{Part, Sale};
