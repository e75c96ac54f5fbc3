//! The kept orders: `orders` and `cancelled_orders`.

use std::borrow::Cow;
use std::ops::ControlFlow;

use chrono::NaiveDateTime;
use takings_dataflows::day::Day;
use takings_dataflows::event::Event;
use takings_dataflows::minute::Minute;
use takings_dataflows::order::{Content, Contribution, Fact, OrderEvent};
use takings_dataflows::symbol::SymbolCache;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::ROWS_A_STATEMENT;
use super::kept::version;
use super::numeric::Numeric;
use super::portions::portions;
use super::session::{Session, Sql, Stopped};
use crate::store::commit::{EarlierOrder, KeptContent, KeptOrder};
use crate::store::packed::{pack, unpack};
use crate::store::text::{escaped, unescaped};
use crate::store::{StoreError, Topics, moment};

const PUT: Sql = Sql::new(
    "writing orders",
    r#"INSERT INTO orders (topic, order_id, partition, incarnation, "offset", log_timestamp, first_log_timestamp, product_id,
         product_name, product_category, product_price, product_quantity, product_brand, total_amount, currency,
         customer_id, order_date, business_day, payment_method, fingerprint, product, packed, epoch)
       SELECT *, $23::bigint FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[],
         $7::bigint[], $8::text[], $9::text[], $10::text[], $11::numeric[], $12::bigint[], $13::text[], $14::numeric[],
         $15::text[], $16::text[], $17::timestamp[], $18::date[], $19::text[], $20::bigint[], $21::text[], $22::bytea[])
       ON CONFLICT (topic, order_id) DO UPDATE SET partition = excluded.partition,
         incarnation = excluded.incarnation, "offset" = excluded."offset",
         log_timestamp = excluded.log_timestamp, first_log_timestamp = excluded.first_log_timestamp,
         product = excluded.product, product_id = excluded.product_id,
         product_name = excluded.product_name, product_category = excluded.product_category,
         product_price = excluded.product_price, product_quantity = excluded.product_quantity,
         product_brand = excluded.product_brand, total_amount = excluded.total_amount,
         currency = excluded.currency, customer_id = excluded.customer_id, order_date = excluded.order_date,
         business_day = excluded.business_day, payment_method = excluded.payment_method,
         fingerprint = excluded.fingerprint, packed = excluded.packed, epoch = excluded.epoch"#,
);
const TAKE_OUT: Sql = Sql::new(
    "deleting from orders",
    "DELETE FROM orders o USING unnest($1::text[], $2::text[]) AS c (topic, order_id)
     WHERE o.topic = c.topic AND o.order_id = c.order_id",
);
const CANCEL: Sql = Sql::new(
    "writing cancelled_orders",
    r#"INSERT INTO cancelled_orders (topic, order_id, partition, incarnation, "offset", log_timestamp,
         first_log_timestamp, epoch)
       SELECT *, $8::bigint FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[],
         $7::bigint[])
       ON CONFLICT (topic, order_id) DO UPDATE SET partition = excluded.partition,
         incarnation = excluded.incarnation, "offset" = excluded."offset",
         log_timestamp = excluded.log_timestamp, first_log_timestamp = excluded.first_log_timestamp,
         epoch = excluded.epoch"#,
);
const REVIVE: Sql = Sql::new(
    "deleting from cancelled_orders",
    "DELETE FROM cancelled_orders o USING unnest($1::text[], $2::text[]) AS c (topic, order_id)
     WHERE o.topic = c.topic AND o.order_id = c.order_id",
);
const BEGIN_EARLIER: Sql = Sql::new(
    "writing first_log_timestamp of orders",
    "UPDATE orders o SET first_log_timestamp = e.first, packed = NULL, epoch = $4
     FROM unnest($1::text[], $2::text[], $3::bigint[]) AS e (topic, order_id, first)
     WHERE o.topic = e.topic AND o.order_id = e.order_id AND coalesce(o.first_log_timestamp, o.log_timestamp) > e.first",
);
const BEGIN_EARLIER_CANCELLED: Sql = Sql::new(
    "writing first_log_timestamp of cancelled_orders",
    "UPDATE cancelled_orders o SET first_log_timestamp = e.first, epoch = $4
     FROM unnest($1::text[], $2::text[], $3::bigint[]) AS e (topic, order_id, first)
     WHERE o.topic = e.topic AND o.order_id = e.order_id AND coalesce(o.first_log_timestamp, o.log_timestamp) > e.first",
);
/// What the dataflow needs of every order, and null where the columns are to be read.
const READ_PACKED: Sql = Sql::new("reading orders", "COPY (SELECT packed FROM orders) TO STDOUT (FORMAT binary)");
/// The same by its columns. In a row of the first schema the product is told by the rule of its time.
const READ: Sql = Sql::new(
    "reading orders",
    r#"SELECT topic, order_id, partition, incarnation, "offset", log_timestamp, first_log_timestamp, product_category,
         product_quantity, total_amount, currency, business_day, payment_method, fingerprint,
         coalesce(product, nullif(product_name, ''), 'unknown')
       FROM orders WHERE packed IS NULL"#,
);
const READ_CANCELLED: Sql = Sql::new(
    "reading cancelled_orders",
    r#"SELECT topic, order_id, partition, incarnation, "offset", log_timestamp, first_log_timestamp
       FROM cancelled_orders"#,
);

/// Writes the newest version of some orders.
pub(super) fn write(session: &mut Session, epoch: i64, orders: &[KeptOrder]) -> Result<(), StoreError> {
    for rows in portions(orders, bytes_of) {
        let mut current: Vec<(&KeptOrder, &KeptContent)> = Vec::new();
        let mut cancelled: Vec<&KeptOrder> = Vec::new();
        for row in rows {
            match &row.current {
                Some(content) => current.push((row, content)),
                None => cancelled.push(row),
            }
        }
        if !current.is_empty() {
            put(session, epoch, &current)?;
        }
        if !cancelled.is_empty() {
            let places = Places::of(cancelled.into_iter());
            session.execute(&TAKE_OUT, &[&places.topics, &places.ids])?;
            let mut params = places.params();
            params.push(&epoch);
            session.execute(&CANCEL, &params)?;
        }
    }
    Ok(())
}

/// What those of an order's texts hold that only the size of its record bounds.
fn bytes_of(order: &KeptOrder) -> usize {
    let Some(KeptContent { details, .. }) = &order.current else { return 0 };
    [&details.product_name, &details.product_brand].into_iter().flatten().map(String::len).sum()
}

/// Writes that some orders began earlier than was known.
pub(super) fn write_earlier(session: &mut Session, epoch: i64, orders: &[EarlierOrder]) -> Result<(), StoreError> {
    for rows in orders.chunks(ROWS_A_STATEMENT) {
        let topics: Vec<_> = rows.iter().map(|row| escaped(&row.topic)).collect();
        let ids: Vec<_> = rows.iter().map(|row| escaped(&row.order_id)).collect();
        let firsts: Vec<_> = rows.iter().map(|row| row.first_timestamp).collect();
        for sql in [&BEGIN_EARLIER, &BEGIN_EARLIER_CANCELLED] {
            session.execute(sql, &[&topics, &ids, &firsts, &epoch])?;
        }
    }
    Ok(())
}

/// Which orders, and where their versions stand, as columns.
struct Places<'a> {
    topics: Vec<Cow<'a, str>>,
    ids: Vec<Cow<'a, str>>,
    partitions: Vec<i32>,
    incarnations: Vec<i32>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    first_timestamps: Vec<i64>,
}

impl<'a> Places<'a> {
    fn of(rows: impl Iterator<Item = &'a KeptOrder> + Clone) -> Self {
        Places {
            topics: rows.clone().map(|row| escaped(&row.topic)).collect(),
            ids: rows.clone().map(|row| escaped(&row.order_id)).collect(),
            partitions: rows.clone().map(|row| i32::from(row.partition)).collect(),
            incarnations: rows.clone().map(|row| i32::from(row.incarnation)).collect(),
            offsets: rows.clone().map(|row| row.offset as i64).collect(),
            timestamps: rows.clone().map(|row| row.timestamp).collect(),
            first_timestamps: rows.map(|row| row.first_timestamp).collect(),
        }
    }

    fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        let Places { topics, ids, partitions, incarnations, offsets, timestamps, first_timestamps } = self;
        vec![topics, ids, partitions, incarnations, offsets, timestamps, first_timestamps]
    }
}

fn put(session: &mut Session, epoch: i64, rows: &[(&KeptOrder, &KeptContent)]) -> Result<(), StoreError> {
    let places = Places::of(rows.iter().map(|(row, _)| *row));
    session.execute(&REVIVE, &[&places.topics, &places.ids])?;
    let details = || rows.iter().map(|(_, content)| &content.details);
    let counts = || rows.iter().map(|(_, content)| &content.contribution);
    let facts = || counts().map(|contribution| &contribution.fact);
    let optional = |text: Option<&'_ String>| text.map(|text| escaped(text).into_owned());
    let product_ids: Vec<_> = details().map(|details| escaped(&details.product_id)).collect();
    let product_names: Vec<_> = details().map(|details| optional(details.product_name.as_ref())).collect();
    let categories: Vec<_> = facts().map(|fact| fact.category.map(|category| escaped(category.text()))).collect();
    let products: Vec<_> = counts().map(|contribution| escaped(contribution.product.text())).collect();
    let prices: Vec<_> = details().map(|details| details.product_price.map(Numeric)).collect();
    let quantities: Vec<_> = counts().map(|contribution| contribution.units).collect();
    let brands: Vec<_> = details().map(|details| optional(details.product_brand.as_ref())).collect();
    let amounts: Vec<_> = counts().map(|contribution| Numeric(contribution.amount)).collect();
    let currencies: Vec<_> = facts().map(|fact| escaped(fact.currency.text())).collect();
    let customers: Vec<_> = details().map(|details| optional(details.customer_id.as_ref())).collect();
    let moments: Vec<NaiveDateTime> = details().map(|details| moment::of_local(details.ordered_at)).collect();
    let days: Vec<_> = facts().map(|fact| fact.day.date()).collect();
    let methods: Vec<_> = facts().map(|fact| escaped(fact.payment_method.text())).collect();
    let fingerprints: Vec<_> = rows.iter().map(|(_, content)| content.fingerprint as i64).collect();
    let packed: Vec<_> = rows.iter().map(|(row, content)| pack(row, content)).collect();
    let mut params = places.params();
    params.extend([
        &product_ids as &(dyn ToSql + Sync),
        &product_names,
        &categories,
        &prices,
        &quantities,
        &brands,
        &amounts,
        &currencies,
        &customers,
        &moments,
        &days,
        &methods,
        &fingerprints,
        &products,
        &packed,
        &epoch,
    ]);
    session.execute(&PUT, &params).map(drop)
}

/// Hands over every kept order and cancellation, as events.
pub(super) fn read(
    session: &mut Session,
    topics: &Topics,
    each: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut names = SymbolCache::default();
    let mut not_packed = 0u64;
    session.each_copied(&READ_PACKED, |packed| {
        let Some(packed) = packed else {
            not_packed += 1;
            return Ok(());
        };
        Stopped::unless(each(Event::Order(unpack(packed, topics, &mut names)?)))
    })?;
    let mut by_columns = |table: &str, sql: &Sql, with_content: bool| {
        session.each(sql, &[], |row| {
            let (topic, order_id): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            let (topic, order_id) = (unescaped(topic), unescaped(order_id));
            let (rank, space) = topics.get(table, &topic)?;
            let version = version(row, rank, 2)?;
            let minute = Minute::of_millis(row.try_get::<_, Option<i64>>(6)?.unwrap_or(version.timestamp()));
            let (id, id_text) = space.id(&order_id);
            let content = if with_content { content(row, &mut names)? } else { Content::Tombstone };
            Stopped::unless(each(Event::Order(OrderEvent { id, id_text, version, minute, content, details: None })))
        })
    };
    if not_packed > 0 {
        by_columns("orders", &READ, true)?;
    }
    by_columns("cancelled_orders", &READ_CANCELLED, false)
}

fn content(row: &Row, names: &mut SymbolCache) -> Result<Content, tokio_postgres::Error> {
    let mut name = |written: &str| names.get(&unescaped(written));
    let fact = Fact {
        day: Day::from_date(row.try_get(11)?),
        category: row.try_get::<_, Option<&str>>(7)?.map(&mut name),
        payment_method: name(row.try_get(12)?),
        currency: name(row.try_get(10)?),
    };
    let product = name(row.try_get(14)?);
    let Numeric(amount) = row.try_get(9)?;
    let contribution = Contribution { fact, product, amount, units: row.try_get(8)? };
    let fingerprint = row.try_get::<_, i64>(13)? as u64;
    Ok(Content::Order { contribution, fingerprint })
}
