//! The kept orders: `orders` and `cancelled_orders`.

use std::ops::ControlFlow;

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::event::Event;
use takings_dataflows::minute::Minute;
use takings_dataflows::order::{Content, Contribution, Fact, OrderEvent};
use takings_dataflows::symbol::SymbolCache;

use super::kept::version;
use super::{Failed, exact};
use crate::store::commit::{EarlierOrder, KeptContent, KeptOrder};
use crate::store::packed::{pack, unpack};
use crate::store::text::{escaped, unescaped};
use crate::store::{Topics, moment};

const PUT: &str = r#"
    INSERT INTO orders (topic, order_id, partition, "offset", log_timestamp, product_id, product_name,
      product_category, product_price, product_quantity, product_brand, total_amount, total_amount_micros, currency,
      customer_id, order_date, business_day, payment_method, fingerprint, epoch, product, first_log_timestamp,
      incarnation, packed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
      ?24)
    ON CONFLICT (topic, order_id) DO UPDATE SET partition = excluded.partition, incarnation = excluded.incarnation,
      "offset" = excluded."offset",
      log_timestamp = excluded.log_timestamp, first_log_timestamp = excluded.first_log_timestamp,
      product = excluded.product, product_id = excluded.product_id,
      product_name = excluded.product_name, product_category = excluded.product_category,
      product_price = excluded.product_price, product_quantity = excluded.product_quantity,
      product_brand = excluded.product_brand, total_amount = excluded.total_amount,
      total_amount_micros = excluded.total_amount_micros, currency = excluded.currency,
      customer_id = excluded.customer_id, order_date = excluded.order_date, business_day = excluded.business_day,
      payment_method = excluded.payment_method, fingerprint = excluded.fingerprint, packed = excluded.packed,
      epoch = excluded.epoch"#;
const CANCEL: &str = r#"
    INSERT INTO cancelled_orders (topic, order_id, partition, "offset", log_timestamp, epoch, first_log_timestamp,
      incarnation)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (topic, order_id) DO UPDATE SET partition = excluded.partition, incarnation = excluded.incarnation,
      "offset" = excluded."offset",
      log_timestamp = excluded.log_timestamp, first_log_timestamp = excluded.first_log_timestamp, epoch = excluded.epoch"#;

/// The text form of an order's local time.
const LOCAL_TIME: &str = "%Y-%m-%dT%H:%M:%S%.6f";

/// Writes the newest version of some orders.
pub(super) fn write(connection: &Connection, epoch: i64, orders: &[KeptOrder]) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(PUT)?;
        let mut cancel = connection.prepare_cached(CANCEL)?;
        let mut take_out = connection.prepare_cached("DELETE FROM orders WHERE topic = ?1 AND order_id = ?2")?;
        let mut revive =
            connection.prepare_cached("DELETE FROM cancelled_orders WHERE topic = ?1 AND order_id = ?2")?;
        for row in orders {
            let (topic, order_id) = (escaped(&row.topic), escaped(&row.order_id));
            let (partition, offset, timestamp) = (row.partition, row.offset as i64, row.timestamp);
            let Some(content) = &row.current else {
                take_out.execute(params![topic, order_id])?;
                cancel.execute(params![
                    topic,
                    order_id,
                    partition,
                    offset,
                    timestamp,
                    epoch,
                    row.first_timestamp,
                    row.incarnation
                ])?;
                continue;
            };
            revive.execute(params![topic, order_id])?;
            let KeptContent { contribution, details, fingerprint } = content;
            let fact = contribution.fact;
            let (amount, micros) = exact(contribution.amount);
            put.execute(params![
                topic,
                order_id,
                partition,
                offset,
                timestamp,
                escaped(&details.product_id),
                details.product_name.as_deref().map(escaped),
                fact.category.map(|category| escaped(category.text())),
                details.product_price.map(|price| price.to_string()),
                contribution.units,
                details.product_brand.as_deref().map(escaped),
                amount,
                micros,
                escaped(fact.currency.text()),
                details.customer_id.as_deref().map(escaped),
                moment::of_local(details.ordered_at).format(LOCAL_TIME).to_string(),
                fact.day.to_string(),
                escaped(fact.payment_method.text()),
                *fingerprint as i64,
                epoch,
                escaped(contribution.product.text()),
                row.first_timestamp,
                row.incarnation,
                pack(row, content)
            ])?;
        }
        Ok(())
    };
    if orders.is_empty() {
        return Ok(());
    }
    write().map_err(|error| Failed::at("writing orders", error))
}

/// Writes that some orders began earlier than was known.
pub(super) fn write_earlier(connection: &Connection, epoch: i64, orders: &[EarlierOrder]) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        for (table, packed) in [("orders", "packed = NULL, "), ("cancelled_orders", "")] {
            let mut update = connection.prepare_cached(&format!(
                "UPDATE {table} SET first_log_timestamp = ?3, {packed}epoch = ?4
                 WHERE topic = ?1 AND order_id = ?2 AND coalesce(first_log_timestamp, log_timestamp) > ?3"
            ))?;
            for row in orders {
                update.execute(params![escaped(&row.topic), escaped(&row.order_id), row.first_timestamp, epoch])?;
            }
        }
        Ok(())
    };
    if orders.is_empty() {
        return Ok(());
    }
    write().map_err(|error| Failed::at("writing first_log_timestamp of orders", error))
}

/// Hands over every kept order and cancellation, as events.
pub(super) fn read(
    connection: &Connection,
    topics: &Topics,
    each: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), Failed> {
    /// By its columns. In a row of the first schema the product is told by the rule of its time.
    const ORDERS: &str = r#"
        SELECT topic, order_id, partition, incarnation, "offset", log_timestamp, first_log_timestamp, product_category,
          product_quantity, total_amount, currency, business_day, payment_method, fingerprint,
          coalesce(product, nullif(product_name, ''), 'unknown')
        FROM orders WHERE packed IS NULL"#;
    const CANCELLED: &str = r#"
        SELECT topic, order_id, partition, incarnation, "offset", log_timestamp, first_log_timestamp
        FROM cancelled_orders"#;
    let mut names = SymbolCache::default();
    let mut not_packed = 0u64;
    {
        let failed = |error| Failed::at("reading orders", error);
        let mut statement = connection.prepare("SELECT packed FROM orders").map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let packed = row.get_ref(0).and_then(|packed| Ok(packed.as_blob_or_null()?)).map_err(failed)?;
            let Some(packed) = packed else {
                not_packed += 1;
                continue;
            };
            if each(Event::Order(unpack(packed, topics, &mut names).map_err(Failed::Store)?)).is_break() {
                return Ok(());
            }
        }
    }
    let by_columns = (not_packed > 0).then_some(("orders", ORDERS, true));
    for (table, text, with_content) in by_columns.into_iter().chain([("cancelled_orders", CANCELLED, false)]) {
        let failed = |error| Failed::at(format!("reading {table}"), error);
        let mut statement = connection.prepare(text).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let place = || -> rusqlite::Result<(String, String)> {
                let text =
                    |index| -> rusqlite::Result<String> { Ok(unescaped(row.get_ref(index)?.as_str()?).into_owned()) };
                Ok((text(0)?, text(1)?))
            };
            let (topic, order_id) = place().map_err(failed)?;
            let (rank, space) = topics.get(table, &topic).map_err(Failed::Store)?;
            let version = version(row, rank, 2).map_err(failed)?;
            let minute = row.get::<_, Option<i64>>(6).map_err(failed)?;
            let minute = Minute::of_millis(minute.unwrap_or(version.timestamp()));
            let (id, id_text) = space.id(&order_id);
            let content = match with_content {
                true => content(row, &mut names).map_err(failed)?,
                false => Content::Tombstone,
            };
            let event = OrderEvent { id, id_text, version, minute, content, details: None };
            if each(Event::Order(event)).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn content(row: &Row<'_>, names: &mut SymbolCache) -> rusqlite::Result<Content> {
    let mut name = |written: &str| names.get(&unescaped(written));
    let amount = |text: &str| -> rusqlite::Result<Amount> {
        text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(9, Type::Text, Box::new(error)))
    };
    let fact = Fact {
        day: Day::from_date(row.get(11)?),
        category: row.get_ref(7)?.as_str_or_null()?.map(&mut name),
        payment_method: name(row.get_ref(12)?.as_str()?),
        currency: name(row.get_ref(10)?.as_str()?),
    };
    let product = name(row.get_ref(14)?.as_str()?);
    let amount = amount(row.get_ref(9)?.as_str()?)?;
    let contribution = Contribution { fact, product, amount, units: row.get(8)? };
    let fingerprint = row.get::<_, i64>(13)? as u64;
    Ok(Content::Order { contribution, fingerprint })
}
