//! What became of records: `corrections`, `rejected`, `sources`.

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, Row, ToSql, params};
use takings_dataflows::order::Contribution;

use super::Failed;
use crate::store::commit::{Correction, Counters, PartitionState, Rejected};
use crate::store::text::{escaped, unescaped};
use crate::store::{PassedOver, moment};

/// Writes rows of `corrections`.
pub(super) fn write_corrections(connection: &Connection, epoch: i64, corrections: &[Correction]) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        let mut insert = connection.prepare_cached(
            r#"INSERT INTO corrections (topic, partition, "offset", order_id, why, epoch,
                 was_order_date, was_category, was_payment_method, was_currency, was_amount, was_units, was_product,
                 now_order_date, now_category, now_payment_method, now_currency, now_amount, now_units, now_product,
                 noticed_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                 strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"#,
        )?;
        for row in corrections {
            let (topic, order_id) = (escaped(&row.topic), escaped(&row.order_id));
            let (partition, offset, why) = (row.partition, row.offset as i64, row.why.name());
            let (was, now) = (columns(row.was.as_ref()), columns(row.now.as_ref()));
            let mut params: Vec<&dyn ToSql> = vec![&topic, &partition, &offset, &order_id, &why, &epoch];
            params.extend(was.iter().chain(&now).map(|value| &**value));
            insert.execute(&*params)?;
        }
        Ok(())
    };
    write().map_err(|error| Failed::at("writing corrections", error))
}

/// A contribution as columns, all null where there is none.
fn columns(contribution: Option<&Contribution>) -> [Box<dyn ToSql>; 7] {
    let fact = contribution.map(|contribution| contribution.fact);
    let name = |name: takings_dataflows::symbol::Symbol| escaped(name.text());
    [
        Box::new(fact.map(|fact| fact.day.to_string())),
        Box::new(fact.and_then(|fact| fact.category).map(name)),
        Box::new(fact.map(|fact| name(fact.payment_method))),
        Box::new(fact.map(|fact| name(fact.currency))),
        Box::new(contribution.map(|contribution| contribution.amount.to_string())),
        Box::new(contribution.map(|contribution| contribution.units)),
        Box::new(contribution.map(|contribution| name(contribution.product))),
    ]
}

/// Writes rows of `rejected`, their bytes as they came.
pub(super) fn write_rejected(connection: &Connection, epoch: i64, rejected: &[Rejected]) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        let mut insert = connection.prepare_cached(
            r#"INSERT INTO rejected (topic, partition, "offset", key, payload, reason, epoch)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"#,
        )?;
        for row in rejected {
            let (topic, reason) = (escaped(&row.topic), escaped(&row.reason));
            insert.execute(params![topic, row.partition, row.offset as i64, row.key, row.payload, reason, epoch])?;
        }
        Ok(())
    };
    write().map_err(|error| Failed::at("writing rejected", error))
}

/// Writes the partitions that moved, whole.
pub(super) fn write_sources(connection: &Connection, epoch: i64, partitions: &[PartitionState]) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            r#"INSERT INTO sources (topic, partition, "offset", newest_timestamp, read, applied, duplicates,
                 superseded, corrections, cancellations, rejected, other, beyond_horizon, rounded, log_time, topic_id,
                 passed_over, last_record, incarnation, lost_until, epoch)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                 ?21)
               ON CONFLICT (topic, partition) DO UPDATE SET "offset" = excluded."offset",
                 newest_timestamp = excluded.newest_timestamp, read = excluded.read, applied = excluded.applied,
                 duplicates = excluded.duplicates, superseded = excluded.superseded,
                 corrections = excluded.corrections, cancellations = excluded.cancellations,
                 rejected = excluded.rejected, other = excluded.other, beyond_horizon = excluded.beyond_horizon,
                 rounded = excluded.rounded, log_time = excluded.log_time, topic_id = excluded.topic_id,
                 passed_over = excluded.passed_over, last_record = excluded.last_record,
                 incarnation = excluded.incarnation, lost_until = excluded.lost_until, epoch = excluded.epoch"#,
        )?;
        for state in partitions {
            let PartitionState {
                topic,
                partition,
                incarnation,
                offset,
                newest_timestamp,
                log_time,
                topic_id,
                passed_over,
                lost_until,
                last: _,
                counters,
            } = state;
            let moment =
                |of_log: i64| moment::of_log(of_log).map(|moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true));
            put.execute(params![
                escaped(topic),
                partition,
                *offset as i64,
                moment(*newest_timestamp),
                counters.read as i64,
                counters.applied as i64,
                counters.duplicates as i64,
                counters.superseded as i64,
                counters.corrections as i64,
                counters.cancellations as i64,
                counters.rejected as i64,
                counters.other as i64,
                counters.beyond_horizon as i64,
                counters.rounded as i64,
                moment(*log_time),
                topic_id,
                passed_over.written(),
                state.written_last(),
                incarnation,
                moment(*lost_until),
                epoch
            ])?;
        }
        Ok(())
    };
    write().map_err(|error| Failed::at("writing sources", error))
}

/// A row of `sources`, and in it `passed_over` and `last_record` as they are written.
type Written = (PartitionState, Option<String>, Option<String>);

/// Every partition, as committed.
pub(super) fn read_sources(connection: &Connection) -> Result<Vec<PartitionState>, Failed> {
    let state = |row: &Row<'_>| -> rusqlite::Result<Written> {
        let number = |index| row.get::<_, i64>(index).map(|number| number as u64);
        let state = PartitionState {
            topic: unescaped(row.get_ref(0)?.as_str()?).into_owned(),
            partition: row.get(1)?,
            incarnation: row.get(18)?,
            offset: number(2)?,
            newest_timestamp: moment::to_log(row.get::<_, Option<DateTime<Utc>>>(3)?),
            log_time: moment::to_log(row.get::<_, Option<DateTime<Utc>>>(14)?),
            topic_id: row.get(15)?,
            passed_over: PassedOver::default(),
            lost_until: moment::to_log(row.get::<_, Option<DateTime<Utc>>>(19)?),
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
        Ok((state, row.get(16)?, row.get(17)?))
    };
    let read = || -> rusqlite::Result<Vec<Written>> {
        connection
            .prepare(
                r#"SELECT topic, partition, "offset", newest_timestamp, read, applied, duplicates, superseded,
                     corrections, cancellations, rejected, other, beyond_horizon, rounded, log_time, topic_id,
                     passed_over, last_record, incarnation, lost_until
                   FROM sources ORDER BY topic, partition"#,
            )?
            .query_map([], state)?
            .collect()
    };
    let rows = read().map_err(|error| Failed::at("reading sources", error))?;
    let whole = rows.into_iter().map(|(state, passed_over, last)| state.with_written(passed_over, last));
    whole.collect::<Result<_, _>>().map_err(Failed::Store)
}
