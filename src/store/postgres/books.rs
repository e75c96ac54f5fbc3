//! What became of records: `corrections`, `rejected`, `sources`.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use takings_dataflows::order::Contribution;
use tokio_postgres::types::ToSql;

use super::ROWS_A_STATEMENT;
use super::numeric::Numeric;
use super::portions::portions;
use super::session::{Session, Sql};
use crate::store::commit::{Correction, Counters, PartitionState, Rejected};
use crate::store::text::{escaped, unescaped};
use crate::store::{PassedOver, StoreError, moment};

const CORRECTIONS: Sql = Sql::new(
    "inserting into corrections",
    r#"INSERT INTO corrections (topic, partition, "offset", order_id, why,
         was_order_date, was_category, was_payment_method, was_currency, was_amount, was_units, was_product,
         now_order_date, now_category, now_payment_method, now_currency, now_amount, now_units, now_product, epoch,
         noticed_at)
       SELECT *, $20::bigint, now() FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[],
         $6::date[], $7::text[], $8::text[], $9::text[], $10::numeric[], $11::bigint[], $12::text[],
         $13::date[], $14::text[], $15::text[], $16::text[], $17::numeric[], $18::bigint[], $19::text[])"#,
);
const REJECTED: Sql = Sql::new(
    "inserting into rejected",
    r#"INSERT INTO rejected (topic, partition, "offset", key, payload, reason, epoch)
       SELECT *, $7::bigint
       FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[])"#,
);
const SOURCES: Sql = Sql::new(
    "updating sources",
    r#"INSERT INTO sources (topic, partition, "offset", newest_timestamp, read, applied, duplicates, superseded,
         corrections, cancellations, rejected, other, beyond_horizon, rounded, log_time, topic_id, passed_over,
         last_record, incarnation, lost_until, epoch)
       SELECT *, $21::bigint FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::timestamptz[], $5::bigint[],
         $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
         $13::bigint[], $14::bigint[], $15::timestamptz[], $16::text[], $17::text[], $18::text[],
         $19::integer[], $20::timestamptz[])
       ON CONFLICT (topic, partition) DO UPDATE SET "offset" = excluded."offset",
         newest_timestamp = excluded.newest_timestamp, read = excluded.read, applied = excluded.applied,
         duplicates = excluded.duplicates, superseded = excluded.superseded, corrections = excluded.corrections,
         cancellations = excluded.cancellations, rejected = excluded.rejected, other = excluded.other,
         beyond_horizon = excluded.beyond_horizon, rounded = excluded.rounded, log_time = excluded.log_time,
         topic_id = excluded.topic_id, passed_over = excluded.passed_over, last_record = excluded.last_record,
         incarnation = excluded.incarnation, lost_until = excluded.lost_until, epoch = excluded.epoch"#,
);
const READ_SOURCES: Sql = Sql::new(
    "reading sources",
    r#"SELECT topic, partition, "offset", newest_timestamp, read, applied, duplicates, superseded, corrections,
         cancellations, rejected, other, beyond_horizon, rounded, log_time, topic_id, passed_over, last_record,
         incarnation, lost_until
       FROM sources ORDER BY topic, partition"#,
);

/// Contributions as columns, each null where there is none.
#[derive(Default)]
struct Contributions {
    days: Vec<Option<NaiveDate>>,
    categories: Vec<Option<Cow<'static, str>>>,
    payment_methods: Vec<Option<Cow<'static, str>>>,
    currencies: Vec<Option<Cow<'static, str>>>,
    amounts: Vec<Option<Numeric>>,
    units: Vec<Option<i64>>,
    products: Vec<Option<Cow<'static, str>>>,
}

impl Contributions {
    fn push(&mut self, contribution: Option<&Contribution>) {
        let fact = contribution.map(|contribution| &contribution.fact);
        self.days.push(fact.map(|fact| fact.day.date()));
        self.categories.push(fact.and_then(|fact| fact.category).map(|category| escaped(category.text())));
        self.payment_methods.push(fact.map(|fact| escaped(fact.payment_method.text())));
        self.currencies.push(fact.map(|fact| escaped(fact.currency.text())));
        self.amounts.push(contribution.map(|contribution| Numeric(contribution.amount)));
        self.units.push(contribution.map(|contribution| contribution.units));
        self.products.push(contribution.map(|contribution| escaped(contribution.product.text())));
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 7] {
        let Contributions { days, categories, payment_methods, currencies, amounts, units, products } = self;
        [days, categories, payment_methods, currencies, amounts, units, products]
    }
}

/// Writes rows of `corrections`.
pub(super) fn write_corrections(
    session: &mut Session,
    epoch: i64,
    corrections: &[Correction],
) -> Result<(), StoreError> {
    for rows in corrections.chunks(ROWS_A_STATEMENT) {
        let topics: Vec<_> = rows.iter().map(|row| escaped(&row.topic)).collect();
        let partitions: Vec<_> = rows.iter().map(|row| i32::from(row.partition)).collect();
        let offsets: Vec<_> = rows.iter().map(|row| row.offset as i64).collect();
        let orders: Vec<_> = rows.iter().map(|row| escaped(&row.order_id)).collect();
        let whys: Vec<_> = rows.iter().map(|row| row.why.name()).collect();
        let (mut was, mut now) = (Contributions::default(), Contributions::default());
        for row in rows {
            was.push(row.was.as_ref());
            now.push(row.now.as_ref());
        }
        let mut params: Vec<&(dyn ToSql + Sync)> = vec![&topics, &partitions, &offsets, &orders, &whys];
        params.extend(was.params());
        params.extend(now.params());
        params.push(&epoch);
        session.execute(&CORRECTIONS, &params)?;
    }
    Ok(())
}

/// Writes rows of `rejected`, their bytes as they came.
pub(super) fn write_rejected(session: &mut Session, epoch: i64, rejected: &[Rejected]) -> Result<(), StoreError> {
    let bytes_of = |row: &Rejected| row.payload.as_ref().map_or(0, Vec::len) + row.key.as_ref().map_or(0, Vec::len);
    for rows in portions(rejected, bytes_of) {
        let topics: Vec<_> = rows.iter().map(|row| escaped(&row.topic)).collect();
        let partitions: Vec<_> = rows.iter().map(|row| i32::from(row.partition)).collect();
        let offsets: Vec<_> = rows.iter().map(|row| row.offset as i64).collect();
        let keys: Vec<_> = rows.iter().map(|row| row.key.as_deref()).collect();
        let payloads: Vec<_> = rows.iter().map(|row| row.payload.as_deref()).collect();
        let reasons: Vec<_> = rows.iter().map(|row| escaped(&row.reason)).collect();
        session.execute(&REJECTED, &[&topics, &partitions, &offsets, &keys, &payloads, &reasons, &epoch])?;
    }
    Ok(())
}

/// Writes the partitions that moved, whole.
pub(super) fn write_sources(
    session: &mut Session,
    epoch: i64,
    partitions: &[PartitionState],
) -> Result<(), StoreError> {
    if partitions.is_empty() {
        return Ok(());
    }
    let topics: Vec<_> = partitions.iter().map(|state| escaped(&state.topic)).collect();
    let numbers: Vec<_> = partitions.iter().map(|state| i32::from(state.partition)).collect();
    let offsets: Vec<_> = partitions.iter().map(|state| state.offset as i64).collect();
    let timestamps: Vec<Option<DateTime<Utc>>> =
        partitions.iter().map(|state| moment::of_log(state.newest_timestamp)).collect();
    let times: Vec<Option<DateTime<Utc>>> = partitions.iter().map(|state| moment::of_log(state.log_time)).collect();
    let topic_ids: Vec<Option<&str>> = partitions.iter().map(|state| state.topic_id.as_deref()).collect();
    let passed_over: Vec<Option<String>> = partitions.iter().map(|state| state.passed_over.written()).collect();
    let last: Vec<Option<String>> = partitions.iter().map(PartitionState::written_last).collect();
    let incarnations: Vec<_> = partitions.iter().map(|state| i32::from(state.incarnation)).collect();
    let lost: Vec<Option<DateTime<Utc>>> = partitions.iter().map(|state| moment::of_log(state.lost_until)).collect();
    let counters: Vec<Vec<i64>> = COUNTERS
        .iter()
        .map(|counter| partitions.iter().map(|state| counter(&state.counters) as i64).collect())
        .collect();
    let mut params: Vec<&(dyn ToSql + Sync)> = vec![&topics, &numbers, &offsets, &timestamps];
    params.extend(counters.iter().map(|column| column as &(dyn ToSql + Sync)));
    params.extend([&times as &(dyn ToSql + Sync), &topic_ids, &passed_over, &last, &incarnations, &lost, &epoch]);
    session.execute(&SOURCES, &params).map(drop)
}

/// The counters in the order of their columns.
const COUNTERS: [fn(&Counters) -> u64; 10] = [
    |c| c.read,
    |c| c.applied,
    |c| c.duplicates,
    |c| c.superseded,
    |c| c.corrections,
    |c| c.cancellations,
    |c| c.rejected,
    |c| c.other,
    |c| c.beyond_horizon,
    |c| c.rounded,
];

/// Every partition, as committed.
pub(super) fn read_sources(session: &mut Session) -> Result<Vec<PartitionState>, StoreError> {
    let mut partitions = Vec::new();
    session.each(&READ_SOURCES, &[], |row| {
        let number = |index| row.try_get::<_, i64>(index).map(|number| number as u64);
        let newest: Option<DateTime<Utc>> = row.try_get(3)?;
        let state = PartitionState {
            topic: unescaped(row.try_get(0)?).into_owned(),
            partition: row.try_get::<_, i32>(1)? as u16,
            incarnation: row.try_get::<_, i32>(18)? as u8,
            offset: number(2)?,
            newest_timestamp: moment::to_log(newest),
            log_time: moment::to_log(row.try_get(14)?),
            topic_id: row.try_get(15)?,
            passed_over: PassedOver::default(),
            lost_until: moment::to_log(row.try_get(19)?),
            last: None,
            counters: Counters {
                read: number(4)?,
                applied: number(5)?,
                duplicates: number(6)?,
                superseded: number(7)?,
                corrections: number(8)?,
                cancellations: number(9)?,
                rejected: number(10)?,
                other: number(11)?,
                beyond_horizon: number(12)?,
                rounded: number(13)?,
            },
        };
        partitions.push((state, row.try_get::<_, Option<String>>(16)?, row.try_get::<_, Option<String>>(17)?));
        Ok(())
    })?;
    partitions.into_iter().map(|(state, passed_over, last)| state.with_written(passed_over, last)).collect()
}
