//! What no view gives back: the newest versions of listings and of feedback.

use std::ops::ControlFlow;

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use takings_dataflows::amount::Amount;
use takings_dataflows::event::Event;
use takings_dataflows::listing::{Listing, ListingEvent};
use takings_dataflows::order::Version;
use takings_dataflows::rating::{Rating, RatingEvent};

use super::Failed;
use crate::store::columns::name_of;
use crate::store::commit::{KeptFeedback, KeptListing};
use crate::store::text::{escaped, unescaped};
use crate::store::{StoreError, Topics};

/// Writes the newest version of some listings.
pub(super) fn write_listings(connection: &Connection, epoch: i64, listings: &[KeptListing]) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            r#"INSERT INTO listings (product, topic, partition, incarnation, "offset", log_timestamp, withdrawn, epoch)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (product) DO UPDATE SET topic = excluded.topic, partition = excluded.partition,
                 incarnation = excluded.incarnation, "offset" = excluded."offset", log_timestamp = excluded.log_timestamp,
                 withdrawn = excluded.withdrawn, epoch = excluded.epoch"#,
        )?;
        for row in listings {
            let (product, topic) = (escaped(&row.product), escaped(&row.topic));
            put.execute(params![
                product,
                topic,
                row.partition,
                row.incarnation,
                row.offset as i64,
                row.timestamp,
                row.is_withdrawn,
                epoch
            ])?;
        }
        Ok(())
    };
    write().map_err(|error| Failed::at("writing listings", error))
}

/// Writes the newest version of some feedback.
pub(super) fn write_feedback(connection: &Connection, epoch: i64, feedback: &[KeptFeedback]) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            r#"INSERT INTO feedback (topic, feedback_id, product, rating, fingerprint, partition, incarnation,
                 "offset", log_timestamp, epoch)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (topic, feedback_id) DO UPDATE SET product = excluded.product, rating = excluded.rating,
                 fingerprint = excluded.fingerprint, partition = excluded.partition,
                 incarnation = excluded.incarnation, "offset" = excluded."offset",
                 log_timestamp = excluded.log_timestamp, epoch = excluded.epoch"#,
        )?;
        for row in feedback {
            let current = row.current.as_ref();
            put.execute(params![
                escaped(&row.topic),
                escaped(&row.feedback_id),
                current.map(|rating| escaped(rating.product.text())),
                current.map(|rating| rating.stars),
                current.map(|rating| rating.fingerprint as i64),
                row.partition,
                row.incarnation,
                row.offset as i64,
                row.timestamp,
                epoch
            ])?;
        }
        Ok(())
    };
    write().map_err(|error| Failed::at("writing feedback", error))
}

fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    Ok(row.get_ref(at)?.as_str_or_null()?.map(|text| unescaped(text).into_owned()))
}

/// Partition, incarnation, offset and timestamp in the columns from `at` on.
pub(super) fn version(row: &Row<'_>, rank: u8, at: usize) -> rusqlite::Result<Version> {
    let (partition, incarnation): (u16, u8) = (row.get(at)?, row.get(at + 1)?);
    let (offset, timestamp): (i64, i64) = (row.get(at + 2)?, row.get(at + 3)?);
    Ok(Version::new(timestamp, rank, partition, offset as u64).in_incarnation(incarnation))
}

/// Hands over every listing's newest version.
pub(super) fn read_listings(
    connection: &Connection,
    topics: &Topics,
    each: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), Failed> {
    let failed = |error| Failed::at("reading listings", error);
    let mut statement = connection
        .prepare(
            r#"SELECT l.product, l.topic, l.partition, l.incarnation, l."offset", l.log_timestamp, l.withdrawn, p.name,
                 p.category, p.price, p.product IS NOT NULL
               FROM listings l LEFT JOIN products p USING (product)"#,
        )
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let topic = text(row, 1).map_err(failed)?.unwrap_or_default();
        let (rank, _) = topics.get("listings", &topic).map_err(Failed::Store)?;
        let event = || -> rusqlite::Result<(ListingEvent, bool)> {
            let price = row.get_ref(9)?.as_str_or_null()?.map(str::parse::<Amount>).transpose();
            let listing = Listing {
                name: row.get_ref(7)?.as_str_or_null()?.map(name_of),
                category: row.get_ref(8)?.as_str_or_null()?.map(name_of),
                price: price
                    .map_err(|error| rusqlite::Error::FromSqlConversionFailure(9, Type::Text, Box::new(error)))?,
            };
            let (withdrawn, is_there): (bool, bool) = (row.get(6)?, row.get(10)?);
            let product = name_of(row.get_ref(0)?.as_str()?);
            let content = (!withdrawn).then_some(listing);
            Ok((ListingEvent { product, version: version(row, rank, 2)?, content }, withdrawn != is_there))
        };
        let (event, agrees) = event().map_err(failed)?;
        if !agrees {
            let state = if event.content.is_none() { "still there" } else { "missing" };
            return Err(Failed::Store(StoreError::Corrupt(format!(
                "listings and products disagree: {} is {state} in products",
                event.product
            ))));
        }
        if each(Event::Listing(event)).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Hands over every feedback's newest version.
pub(super) fn read_feedback(
    connection: &Connection,
    topics: &Topics,
    each: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), Failed> {
    let failed = |error| Failed::at("reading feedback", error);
    let mut statement = connection
        .prepare(
            r#"SELECT topic, feedback_id, product, rating, fingerprint, partition, incarnation, "offset", log_timestamp
               FROM feedback"#,
        )
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (topic, id) = (text(row, 0).map_err(failed)?, text(row, 1).map_err(failed)?);
        let (rank, space) = topics.get("feedback", &topic.unwrap_or_default()).map_err(Failed::Store)?;
        let (id, id_text) = space.id(&id.unwrap_or_default());
        let event = || -> rusqlite::Result<RatingEvent> {
            let product = row.get_ref(2)?.as_str_or_null()?.map(name_of);
            let (stars, fingerprint): (Option<u8>, Option<i64>) = (row.get(3)?, row.get(4)?);
            let content = product.zip(stars).map(|(product, stars)| Rating {
                product,
                stars,
                fingerprint: fingerprint.unwrap_or_default() as u64,
            });
            Ok(RatingEvent { id, id_text, version: version(row, rank, 5)?, content })
        };
        if each(Event::Rating(event().map_err(failed)?)).is_break() {
            return Ok(());
        }
    }
    Ok(())
}
