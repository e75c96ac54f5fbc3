//! What no view gives back: the newest versions of listings and of feedback.

use std::borrow::Cow;
use std::ops::ControlFlow;

use takings_dataflows::event::Event;
use takings_dataflows::listing::{Listing, ListingEvent};
use takings_dataflows::order::Version;
use takings_dataflows::rating::{Rating, RatingEvent};
use tokio_postgres::Row;

use super::ROWS_A_STATEMENT;
use super::numeric::Numeric;
use super::session::{Session, Sql, Stopped};
use crate::store::columns::name_of;
use crate::store::commit::{KeptFeedback, KeptListing};
use crate::store::text::{escaped, unescaped};
use crate::store::{StoreError, Topics};

const PUT_LISTINGS: Sql = Sql::new(
    "writing listings",
    r#"INSERT INTO listings (product, topic, partition, incarnation, "offset", log_timestamp, withdrawn, epoch)
       SELECT *, $8::bigint FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[],
         $7::boolean[])
       ON CONFLICT (product) DO UPDATE SET topic = excluded.topic, partition = excluded.partition,
         incarnation = excluded.incarnation, "offset" = excluded."offset", log_timestamp = excluded.log_timestamp, withdrawn = excluded.withdrawn,
         epoch = excluded.epoch"#,
);
const READ_LISTINGS: Sql = Sql::new(
    "reading listings",
    r#"SELECT l.product, l.topic, l.partition, l.incarnation, l."offset", l.log_timestamp, l.withdrawn, p.name, p.category, p.price,
         p.product IS NOT NULL
       FROM listings l LEFT JOIN products p USING (product)"#,
);
const PUT_FEEDBACK: Sql = Sql::new(
    "writing feedback",
    r#"INSERT INTO feedback (topic, feedback_id, product, rating, fingerprint, partition, incarnation, "offset",
         log_timestamp, epoch)
       SELECT *, $10::bigint FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::bigint[], $6::integer[],
         $7::integer[], $8::bigint[], $9::bigint[])
       ON CONFLICT (topic, feedback_id) DO UPDATE SET product = excluded.product, rating = excluded.rating,
         fingerprint = excluded.fingerprint, partition = excluded.partition,
         incarnation = excluded.incarnation, "offset" = excluded."offset",
         log_timestamp = excluded.log_timestamp, epoch = excluded.epoch"#,
);
const READ_FEEDBACK: Sql = Sql::new(
    "reading feedback",
    r#"SELECT topic, feedback_id, product, rating, fingerprint, partition, incarnation, "offset", log_timestamp
       FROM feedback"#,
);

/// Writes the newest version of some listings.
pub(super) fn write_listings(session: &mut Session, epoch: i64, listings: &[KeptListing]) -> Result<(), StoreError> {
    for rows in listings.chunks(ROWS_A_STATEMENT) {
        let products: Vec<_> = rows.iter().map(|row| escaped(&row.product)).collect();
        let topics: Vec<_> = rows.iter().map(|row| escaped(&row.topic)).collect();
        let partitions: Vec<_> = rows.iter().map(|row| i32::from(row.partition)).collect();
        let incarnations: Vec<_> = rows.iter().map(|row| i32::from(row.incarnation)).collect();
        let offsets: Vec<_> = rows.iter().map(|row| row.offset as i64).collect();
        let timestamps: Vec<_> = rows.iter().map(|row| row.timestamp).collect();
        let withdrawn: Vec<_> = rows.iter().map(|row| row.is_withdrawn).collect();
        session.execute(
            &PUT_LISTINGS,
            &[&products, &topics, &partitions, &incarnations, &offsets, &timestamps, &withdrawn, &epoch],
        )?;
    }
    Ok(())
}

/// Writes the newest version of some feedback.
pub(super) fn write_feedback(session: &mut Session, epoch: i64, feedback: &[KeptFeedback]) -> Result<(), StoreError> {
    for rows in feedback.chunks(ROWS_A_STATEMENT) {
        let current = || rows.iter().map(|row| row.current.as_ref());
        let topics: Vec<_> = rows.iter().map(|row| escaped(&row.topic)).collect();
        let ids: Vec<_> = rows.iter().map(|row| escaped(&row.feedback_id)).collect();
        let products: Vec<Option<Cow<'_, str>>> =
            current().map(|rating| rating.map(|rating| escaped(rating.product.text()))).collect();
        let stars: Vec<_> = current().map(|rating| rating.map(|rating| i32::from(rating.stars))).collect();
        let fingerprints: Vec<_> = current().map(|rating| rating.map(|rating| rating.fingerprint as i64)).collect();
        let partitions: Vec<_> = rows.iter().map(|row| i32::from(row.partition)).collect();
        let incarnations: Vec<_> = rows.iter().map(|row| i32::from(row.incarnation)).collect();
        let offsets: Vec<_> = rows.iter().map(|row| row.offset as i64).collect();
        let timestamps: Vec<_> = rows.iter().map(|row| row.timestamp).collect();
        session.execute(
            &PUT_FEEDBACK,
            &[
                &topics,
                &ids,
                &products,
                &stars,
                &fingerprints,
                &partitions,
                &incarnations,
                &offsets,
                &timestamps,
                &epoch,
            ],
        )?;
    }
    Ok(())
}

/// Where a version stands: partition, incarnation, offset, timestamp in the columns from `at` on.
pub(super) fn version(row: &Row, rank: u8, at: usize) -> Result<Version, tokio_postgres::Error> {
    let (partition, incarnation): (i32, i32) = (row.try_get(at)?, row.try_get(at + 1)?);
    let (offset, timestamp): (i64, i64) = (row.try_get(at + 2)?, row.try_get(at + 3)?);
    Ok(Version::new(timestamp, rank, partition as u16, offset as u64).in_incarnation(incarnation as u8))
}

/// Runs a statement; `event_of` makes an event of each row.
fn read(
    session: &mut Session,
    sql: &Sql,
    event_of: impl Fn(&Row) -> Result<Event, Stopped>,
    each: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    session.each(sql, &[], |row| Stopped::unless(each(event_of(row)?)))
}

/// Hands over every listing's newest version.
pub(super) fn read_listings(
    session: &mut Session,
    topics: &Topics,
    each: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let event_of = |row: &Row| {
        let (product, topic) = (row.try_get::<_, &str>(0)?, unescaped(row.try_get(1)?));
        let (withdrawn, is_there): (bool, bool) = (row.try_get(6)?, row.try_get(10)?);
        if withdrawn == is_there {
            let state = if withdrawn { "still there" } else { "missing" };
            return Err(Stopped::Store(StoreError::Corrupt(format!(
                "listings and products disagree: {product} is {state} in products"
            ))));
        }
        let name = |at| row.try_get::<_, Option<&str>>(at).map(|text| text.map(name_of));
        let content = Listing {
            name: name(7)?,
            category: name(8)?,
            price: row.try_get::<_, Option<Numeric>>(9)?.map(|Numeric(price)| price),
        };
        Ok(Event::Listing(ListingEvent {
            product: name_of(product),
            version: version(row, topics.get("listings", &topic)?.0, 2)?,
            content: (!withdrawn).then_some(content),
        }))
    };
    read(session, &READ_LISTINGS, event_of, each)
}

/// Hands over every feedback's newest version.
pub(super) fn read_feedback(
    session: &mut Session,
    topics: &Topics,
    each: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let event_of = |row: &Row| {
        let (topic, id) = (unescaped(row.try_get(0)?), unescaped(row.try_get(1)?));
        let (rank, space) = topics.get("feedback", &topic)?;
        let (id, id_text) = space.id(&id);
        let product: Option<&str> = row.try_get(2)?;
        let (stars, fingerprint): (Option<i32>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
        let content = product.zip(stars).map(|(product, stars)| Rating {
            product: name_of(product),
            stars: stars as u8,
            fingerprint: fingerprint.unwrap_or_default() as u64,
        });
        let version = version(row, rank, 5)?;
        Ok(Event::Rating(RatingEvent { id, id_text, version, content }))
    };
    read(session, &READ_FEEDBACK, event_of, each)
}
