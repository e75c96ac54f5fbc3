//! The addresses that are served.

use std::sync::Arc;

use tokio::sync::Semaphore;
use warp::http::{HeaderMap, HeaderValue};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::answer::{self, Asked};
use super::errors::{self, Problem};
use super::events::{self, Counted};
use super::feed::Feed;
use super::logged::{CorrectionRow, RejectedRow, is_payload_cut};
use super::metrics::{self, Metrics};
use super::parameters::{DEFAULT_LIMIT, Parameters, write_cursor};
use super::proofs::{self, DayProof, InconsistentRow};
use super::watched::MAX_PRODUCTS;
use super::wire::{self, Rows};
use super::{assets, openapi, product_totals};
use crate::store::reader::logs::{CORRECTIONS, DAY_PROOFS, INCONSISTENT, ORDERS, REJECTED};
use crate::store::reader::product_totals::PRODUCT_TOTALS;
use crate::store::reader::table::Table;
use crate::store::reader::value::{Row, Value};
use crate::store::reader::views::{self, SALES_PER_DAY};
use crate::store::reader::{Audit, COUNTERS, Page, Reader};

/// What every route can reach.
pub struct Shop {
    /// The store.
    pub reader: Reader,
    /// What changes in it.
    pub feed: Arc<Feed>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How many event streams may still be opened.
    pub streams: Arc<Semaphore>,
    /// Large pages take turns, so that whoever asks for many of them holds up others who do, and nobody else.
    pub large: Semaphore,
}

/// The route that an answer is counted under.
#[derive(Clone, Copy, Debug)]
pub struct Route(pub &'static str);

/// All routes. Whatever is asked, they answer.
pub fn routes(
    shop: Arc<Shop>,
) -> impl Filter<Extract = (Response,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static {
    let read = warp::get().or(warp::head()).unify();
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let shop = warp::any().map(move || shop.clone());
    let asked = warp::header::headers_cloned();

    let probes = warp::path!("healthz")
        .map(|| named("healthz", Ok(Response::new("ok\n".into()))))
        .or(warp::path!("readyz").and(shop.clone()).then(async |shop: Arc<Shop>| named("readyz", ready(&shop).await)))
        .unify()
        .or(warp::path!("metrics")
            .and(asked)
            .and(shop.clone())
            .then(async |headers: HeaderMap, shop: Arc<Shop>| named("metrics", Ok(measured(&shop, &headers).await))))
        .unify();
    let events = warp::path!("api" / "v1" / "events")
        .and(query)
        .and(asked)
        .and(shop.clone())
        .map(|query: String, headers: HeaderMap, shop: Arc<Shop>| named("events", stream(&shop, &query, &headers)));
    let description = warp::path!("api" / "v1" / "openapi.json").and(asked).then(async |headers: HeaderMap| {
        let asked = Asked::read(&headers, false);
        named("openapi", Ok(answer::body_of(&asked, openapi::text(), "application/json").await))
    });
    let tables = warp::path!("api" / "v1" / String).and(query).and(asked).and(shop).then(
        async |name: String, query: String, headers: HeaderMap, shop: Arc<Shop>| {
            let (name, csv) = name.strip_suffix(".csv").map_or((name.as_str(), false), |name| (name, true));
            let asked = Asked::read(&headers, csv);
            match name {
                "summary" => named("summary", summary(&shop, &query, &asked).await),
                "freshness" => named("freshness", freshness(&shop, &query, &asked).await),
                "views" => named("views", kept_views(&shop, &query, &asked).await),
                "audit" => named("audit", audit(&shop, &query, &asked).await),
                "inconsistent" => named("inconsistent", page(&shop, &INCONSISTENT, &query, &asked).await),
                "corrections" => named("corrections", page(&shop, &CORRECTIONS, &query, &asked).await),
                "product_totals" => named("product_totals", totals_of_products(&shop, &query, &asked).await),
                "orders" => named("orders", page(&shop, &ORDERS, &query, &asked).await),
                "rejected" => named("rejected", page(&shop, &REJECTED, &query, &asked).await),
                name => match views::view(name) {
                    Some(view) => named(view.name, page(&shop, view, &query, &asked).await),
                    None => named("none", Err(Problem::not_found())),
                },
            }
        },
    );
    let files = warp::path::full().and(asked).and_then(async |path: FullPath, headers: HeaderMap| {
        let path = path.as_str().trim_start_matches('/');
        if path.starts_with("api/") {
            return Err::<Response, Rejection>(warp::reject::not_found());
        }
        Ok(named("dashboard", assets::reply(path, &Asked::read(&headers, false)).await))
    });

    let all = probes.or(events).unify().or(description).unify().or(tables).unify().or(files).unify();
    read.and(all).recover(errors::recover).unify()
}

fn named(route: &'static str, answer: Result<Response, Problem>) -> Response {
    let mut response = answer.unwrap_or_else(Problem::into_response);
    response.extensions_mut().insert(Route(route));
    response
}

async fn ready(shop: &Shop) -> Result<Response, Problem> {
    shop.reader.ready().await?;
    Ok(Response::new("ready\n".into()))
}

async fn measured(shop: &Shop, headers: &HeaderMap) -> Response {
    let freshness = shop.reader.freshness().await.ok().map(|freshness| wire::Freshness::from(&freshness));
    let text = shop.metrics.text(freshness.as_ref());
    answer::body_of(&Asked::read(headers, false), text, metrics::CONTENT_TYPE).await
}

/// The tag of the store's state now, where the client holds the answer of that state.
async fn unchanged(shop: &Shop, asked: &Asked) -> Result<Option<Response>, Problem> {
    if !asked.knows_a_state() {
        return Ok(None);
    }
    let tag = answer::tag(&shop.reader.head().await?.state());
    Ok(asked.knows(&tag).then(|| answer::unchanged(&tag)))
}

async fn summary(shop: &Shop, query: &str, asked: &Asked) -> Result<Response, Problem> {
    let known: Vec<&str> = SALES_PER_DAY.filters.iter().map(|filter| filter.parameter).collect();
    let conditions = Parameters::read(query, &known)?.conditions(&SALES_PER_DAY)?;
    if let Some(response) = unchanged(shop, asked).await? {
        return Ok(response);
    }
    let summary = shop.reader.summary(&conditions).await?;
    let tag = answer::tag(&summary.head.state());
    let summary = wire::Summary::from(summary);
    if !asked.csv {
        return answer::json(asked, Some(&tag), &summary).await;
    }
    let rows: Vec<Row> = summary
        .currencies
        .iter()
        .map(|total| {
            let count = |number: u64| Value::Text(number.to_string());
            let text = |text: &str| Value::Text(text.to_owned());
            let units = Value::Integer(total.units);
            vec![text(&total.currency), text(&total.total_sales), count(total.orders), units]
        })
        .collect();
    answer::csv(asked, Some(&tag), ["currency", "total_sales", "orders", "units"], &rows).await
}

/// Its age changes by the second, so no state of it can be kept.
async fn freshness(shop: &Shop, query: &str, asked: &Asked) -> Result<Response, Problem> {
    Parameters::read(query, &[])?;
    let freshness = shop.reader.freshness().await?;
    if !asked.csv {
        return answer::json(asked, None, &wire::Freshness::from(&freshness)).await;
    }
    let names = ["topic", "partition", "offset", "newest_timestamp"].into_iter().chain(COUNTERS);
    answer::csv(asked, None, names, &freshness.partitions).await
}

/// A view can be switched off without an epoch, so no state of it can be kept.
async fn kept_views(shop: &Shop, query: &str, asked: &Asked) -> Result<Response, Problem> {
    Parameters::read(query, &[])?;
    let kept = shop.reader.views().await?;
    if !asked.csv {
        return answer::json(asked, None, &wire::Views::from(&kept)).await;
    }
    let rows: Vec<Row> = kept
        .views
        .iter()
        .map(|kept| {
            let complete_from = kept.complete_from.clone().map_or(Value::Null, Value::Text);
            vec![Value::Text(kept.view.to_owned()), complete_from, Value::Text(kept.since_epoch.to_string())]
        })
        .collect();
    answer::csv(asked, None, ["view", "complete_from", "since_epoch"], &rows).await
}

/// A day is proven without an epoch, so no state of it can be kept.
async fn audit(shop: &Shop, query: &str, asked: &Asked) -> Result<Response, Problem> {
    let query = Parameters::read_page(query, &DAY_PROOFS)?.page(&DAY_PROOFS)?;
    let Audit { page, proofs } = shop.reader.audit(&query).await?;
    let next_cursor = page.next.as_ref().map(|last| write_cursor(&DAY_PROOFS, last));
    if asked.csv {
        return page_as_csv(answer::names(DAY_PROOFS.columns()), &page, None, next_cursor, asked).await;
    }
    let rows = page.rows.iter().map(|row| DayProof::read(&DAY_PROOFS, row)).collect();
    let answer = proofs::Audit { epoch: page.head.epoch, proofs: (&proofs).into(), rows, next_cursor };
    answer::json(asked, None, &answer).await
}

async fn page(shop: &Shop, table: &'static Table, query: &str, asked: &Asked) -> Result<Response, Problem> {
    let query = Parameters::read_page(query, table)?.page(table)?;
    if let Some(response) = unchanged(shop, asked).await? {
        return Ok(response);
    }
    let is_large = query.limit > DEFAULT_LIMIT;
    // Never closed, so that there is a turn for everyone.
    let _turn = if is_large { shop.large.acquire().await.ok() } else { None };
    let mut page = shop.reader.page(&query).await?;
    let asked = &asked.clone().large(is_large);
    let tag = answer::tag(&page.head.state());
    let next_cursor = page.next.as_ref().map(|last| write_cursor(table, last));
    if asked.csv {
        let mut names: Vec<&str> = answer::names(table.columns()).collect();
        if table.name == REJECTED.name {
            names.push("payload_cut");
            page.rows.iter_mut().for_each(|row| row.push(Value::Text(is_payload_cut(table, row).to_string())));
        }
        return page_as_csv(names, &page, Some(&tag), next_cursor, asked).await;
    }
    let epoch = page.head.epoch;
    let rows = &page.rows;
    if table.name == CORRECTIONS.name {
        let rows = rows.iter().map(|row| CorrectionRow::read(table, row)).collect();
        answer::json(asked, Some(&tag), &Rows { epoch, rows, next_cursor }).await
    } else if table.name == INCONSISTENT.name {
        let rows = rows.iter().map(|row| InconsistentRow::read(table, row)).collect();
        answer::json(asked, Some(&tag), &Rows { epoch, rows, next_cursor }).await
    } else if table.name == REJECTED.name {
        let rows = rows.iter().map(|row| RejectedRow::read(table, row)).collect();
        answer::json(asked, Some(&tag), &Rows { epoch, rows, next_cursor }).await
    } else {
        let rows = rows.iter().map(|row| wire::Named(table.columns(), row)).collect();
        answer::json(asked, Some(&tag), &Rows { epoch, rows, next_cursor }).await
    }
}

async fn page_as_csv(
    names: impl IntoIterator<Item = &'static str>,
    page: &Page,
    tag: Option<&str>,
    next_cursor: Option<String>,
    asked: &Asked,
) -> Result<Response, Problem> {
    let mut response = answer::csv(asked, tag, names, &page.rows).await?;
    if let Some(next) = next_cursor.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert("takings-next-cursor", next);
    }
    Ok(response)
}

/// However few rows are asked for, all days asked for are read: it takes turns with large pages.
async fn totals_of_products(shop: &Shop, query: &str, asked: &Asked) -> Result<Response, Problem> {
    let query = product_totals::read(query)?;
    if let Some(response) = unchanged(shop, asked).await? {
        return Ok(response);
    }
    let _turn = shop.large.acquire().await.ok();
    let page = shop.reader.product_totals(&query).await?;
    let asked = &asked.clone().large(query.limit > DEFAULT_LIMIT);
    let tag = answer::tag(&page.head.state());
    let next_cursor = page.next.as_ref().map(|last| product_totals::write_cursor(query.sort, last));
    if asked.csv {
        return page_as_csv(answer::names(PRODUCT_TOTALS.columns()), &page, Some(&tag), next_cursor, asked).await;
    }
    let rows = page.rows.iter().map(|row| wire::Named(PRODUCT_TOTALS.columns(), row)).collect();
    let answer = Rows { epoch: page.head.epoch, rows, next_cursor };
    answer::json(asked, Some(&tag), &answer).await
}

/// The header is what a browser sends when it comes back by itself, and so newer than the address.
fn stream(shop: &Shop, query: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let parameters = Parameters::read_repeated(query, &["last_event_id", "product"], "product")?;
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last = header.or(parameters.get("last_event_id")).filter(|text| !text.is_empty());
    let last = last.map(str::parse).transpose().map_err(|_| {
        Problem::parameter("last_event_id", "is no event's id", "give the id of the last event, or leave it out")
    })?;
    let products = parameters.texts("product")?;
    if products.len() > MAX_PRODUCTS {
        let what = format_args!("is given more than {MAX_PRODUCTS} times");
        return Err(Problem::parameter("product", what, "follow the others on a stream of their own"));
    }
    // Also where their view is off: what a browser's stream is refused once it never asks for again, and the view may
    // be switched on meanwhile.
    let watch = (!products.is_empty()).then(|| shop.feed.watched.watch(products));
    let permit = shop.streams.clone().try_acquire_owned().map_err(|_| Problem::too_many_streams())?;
    let counted = Counted { _permit: permit, _gauge: shop.metrics.stream() };
    events::reply(&shop.feed, last, watch, counted).ok_or_else(Problem::too_many_streams)
}
