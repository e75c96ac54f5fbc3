//! The API's description, made from the same tables as its routes.
//!
//! It is committed as `dashboard/openapi.json`, from which the dashboard's types are made; a test
//! fails when that is stale, and writes it anew with `TAKINGS_BLESS=1`.

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::json;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr,
    Required, ResponseBuilder, Schema,
};

use super::errors::{Code, Error, ErrorDetail};
use super::logged::{CorrectionRow, Counted, RejectedRow};
use super::parameters::{DEFAULT_LIMIT, MAX_LIMIT, MAX_REPEATED};
use super::proofs::{Audit, DayProof, Difference, InconsistentRow, Proofs};
use super::session::{self, Session, SignIn};
use super::watched::MAX_PRODUCTS;
use super::wire::{CurrencyTotals, Freshness, KeptView, Partition, Summary, Views};
use crate::store::reader::logs::{CORRECTIONS, DAY_PROOFS, INCONSISTENT, ORDERS, REJECTED};
use crate::store::reader::product_totals::{PRODUCT_TOTALS, Sort};
use crate::store::reader::table::{Column, Filter, Kind, Table, Test};
use crate::store::reader::views::{SALES_PER_DAY, VIEWS};
use crate::store::reader::{COUNTERS, SOLD};

const EVENTS: &str = "Server-sent events: `hello` on connecting, then one `changes` for each committed epoch \
(several may be one under load) with the rows that changed, whole, and the keys of those that left. The id names the \
state: a client that comes back with it as `Last-Event-ID` is told what changed since, or to load the tables again where the \
store has no such state (it went back, or is another). An epoch alone is taken too, and trusted. `reset` asks to load the tables \
again. `contact` says whether the store answers; it has no id. A heartbeat every 15 s keeps the line open. \
`sales_per_product` is not streamed, since a day has as many rows as products were sold on it: ask for the rows you \
want with `If-None-Match` and the `ETag` you hold, or follow up to five products. Then each `changes` has `products`: for \
each of them the days of which anything changed, and all rows that it has on those days, in place of those it had. Where the job does not keep \
`sales_per_product`, they are told of no day, and all else is streamed as ever.";

const UNAVAILABLE: &str = "The store does not answer, or the view was switched on and the job has not filled it from \
the log yet (`view_filling`): the service goes on by itself once it does, or has.";

/// The routes whose answers have no `ETag`: they change without an epoch.
const UNTAGGED: [&str; 3] = ["freshness", "views", "audit"];

/// The description as it is served and committed.
pub fn text() -> Bytes {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| {
        let mut text = describe().to_pretty_json().unwrap_or_default();
        text.push('\n');
        Bytes::from(text)
    });
    TEXT.clone()
}

/// The description.
pub fn describe() -> OpenApi {
    let mut components = ComponentsBuilder::new()
        .schema_from::<Summary>()
        .schema_from::<CurrencyTotals>()
        .schema_from::<Freshness>()
        .schema_from::<Partition>()
        .schema_from::<Views>()
        .schema_from::<KeptView>()
        .schema_from::<Proofs>()
        .schema_from::<Audit>()
        .schema_from::<DayProof>()
        .schema_from::<Difference>()
        .schema_from::<InconsistentRow>()
        .schema_from::<CorrectionRow>()
        .schema_from::<Counted>()
        .schema_from::<RejectedRow>()
        .schema_from::<Session>()
        .schema_from::<SignIn>()
        .schema_from::<Error>()
        .schema_from::<ErrorDetail>()
        .schema_from::<Code>()
        .schema("Hello", hello("The first event: the state that later ones go on from."))
        .schema("Reset", hello("The state from which to start over."))
        .schema("Contact", contact())
        .schema("ProductDays", product_days())
        .schema("Changes", changes());
    let mut paths = PathsBuilder::new()
        .path(
            "/api/v1/summary",
            get("summary", "The whole shop at a glance.", "Summary", filters(SALES_PER_DAY.filters)),
        )
        .path("/api/v1/freshness", get("freshness", "How fresh the totals are.", "Freshness", Vec::new()))
        .path(
            "/api/v1/views",
            get("views", "Which views are kept, and from when on each is complete.", "Views", Vec::new()),
        )
        .path(
            "/api/v1/audit",
            get(
                "audit",
                "Which days are proven: recounted from the log in the background, and what was found.",
                "Audit",
                filters(DAY_PROOFS.filters).into_iter().chain(paging(&DAY_PROOFS)).collect(),
            ),
        )
        .path("/api/v1/events", events())
        .path(session::PATH, session());
    let listed = [(&CORRECTIONS, "CorrectionRow"), (&REJECTED, "RejectedRow"), (&INCONSISTENT, "InconsistentRow")];
    let own: Vec<(&Table, String)> = VIEWS.iter().map(|view| (view, type_name(view.name, "Row"))).collect();
    let orders = type_name(ORDERS.name, "Row");
    let products = type_name(PRODUCT_TOTALS.name, "Row");
    components = components
        .schema(orders.clone(), row_of(ORDERS.columns(), ORDERS.doc))
        .schema(products.clone(), row_of(PRODUCT_TOTALS.columns(), PRODUCT_TOTALS.doc));
    let more = [(&ORDERS, orders.as_str()), (&PRODUCT_TOTALS, &products)];
    for (view, row) in &own {
        components = components
            .schema(row.clone(), row_of(view.columns(), view.doc))
            .schema(type_name(view.name, "Key"), row_of(view.key.iter(), "Which row of the view."));
    }
    for (table, row) in own.iter().map(|(view, row)| (*view, row.as_str())).chain(listed).chain(more) {
        let page = type_name(table.name, "Page");
        components = components.schema(page.clone(), page_of(row));
        let mut parameters: Vec<ParameterBuilder> = filters(table.filters).into_iter().chain(paging(table)).collect();
        if table.name == PRODUCT_TOTALS.name {
            parameters.push(sort());
        }
        paths = paths.path(format!("/api/v1/{}", table.name), get(table.name, table.doc, &page, parameters));
    }
    let info = InfoBuilder::new()
        .title("takings")
        .version("v1")
        .description(Some(
            "Live sales totals, exact to the cent. Every answer is of one committed epoch, which it names; amounts are \
             decimal text with six places. Append `.csv` to an address, or send `Accept: text/csv`, for CSV: there texts \
             stand as they came, so that a spreadsheet may take one that begins with `=`, `+`, `-` or `@` for a formula.",
        ))
        .build();
    OpenApiBuilder::new().info(info).paths(paths.build()).components(Some(components.build())).build()
}

/// `sales_per_day`, `Row` to `SalesPerDayRow`.
fn type_name(table: &str, end: &str) -> String {
    let mut name: String = table
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect();
    name.push_str(end);
    name
}

fn named(schema: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(schema))
}

fn get(name: &str, doc: &str, schema: &str, parameters: Vec<ParameterBuilder>) -> PathItem {
    let answer = ResponseBuilder::new()
        .description(doc)
        .content("application/json", ContentBuilder::new().schema(Some(named(schema))).build())
        .content(
            "text/csv",
            ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build(),
        );
    let mut operation = OperationBuilder::new()
        .operation_id(Some(name))
        .summary(Some(doc))
        .parameters(Some(parameters.into_iter().map(ParameterBuilder::build)))
        .response("200", answer.build());
    if !UNTAGGED.contains(&name) {
        operation = operation.response("304", ResponseBuilder::new().description("What the client holds is still so."));
    }
    PathItem::new(HttpMethod::Get, refusals(operation).build())
}

fn refusals(operation: OperationBuilder) -> OperationBuilder {
    let refusal = |description: &str| {
        let content = ContentBuilder::new().schema(Some(named("Error"))).build();
        ResponseBuilder::new().description(description).content("application/json", content).build()
    };
    operation
        .response("400", refusal("A parameter is wrong; the message names it."))
        .response("401", refusal("The service needs a bearer token, or a session that it opened."))
        .response("403", refusal("The service's database role may not read the table."))
        .response("404", refusal("The view is switched off, or orders are not kept."))
        .response("405", refusal("This method is not served here."))
        .response("413", refusal("The request has a body, or too long a one."))
        .response("414", refusal("The address is longer than 8,192 bytes: ask for less at once."))
        .response("421", refusal("A service without a token answers on its own machine's names only."))
        .response("429", refusal("Too many wrong tokens are being given."))
        .response(
            "431",
            ResponseBuilder::new()
                .description("The head of the request is longer than 32 kB. Nothing more is said of it."),
        )
        .response("503", refusal(UNAVAILABLE))
}

fn events() -> PathItem {
    let last = parameter("last_event_id", "The id of the last event seen; the header `Last-Event-ID` goes before.")
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]{1,19}(-[0-9a-f]+)?$"))));
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(512));
    let followed = parameter("product", "Follow this product as well: given once for each, at most 5 times.")
        .schema(Some(ArrayBuilder::new().items(text).max_items(Some(MAX_PRODUCTS))));
    let stream = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
    let operation = OperationBuilder::new()
        .operation_id(Some("events"))
        .summary(Some("What changes, as it changes."))
        .description(Some(EVENTS))
        .parameter(last)
        .parameter(followed)
        .response(
            "200",
            ResponseBuilder::new().description("The stream.").content("text/event-stream", stream).build(),
        );
    PathItem::new(HttpMethod::Get, refusals(operation).build())
}

fn session() -> PathItem {
    let json = |schema: &str| ContentBuilder::new().schema(Some(named(schema))).build();
    let answer = |description: &str| ResponseBuilder::new().description(description);
    let asks = OperationBuilder::new()
        .operation_id(Some("session"))
        .summary(Some("Whether one must sign in, and has. Answered to everyone but who gives a wrong token."))
        .response("200", answer("How it stands.").content("application/json", json("Session")).build());
    let refusal = |description: &str| answer(description).content("application/json", json("Error")).build();
    let signs_in = OperationBuilder::new()
        .operation_id(Some("sign_in"))
        .summary(Some("Gives the token once, and gets a cookie for 30 days, where the service has a token."))
        .request_body(Some(
            RequestBodyBuilder::new()
                .content("application/json", json("SignIn"))
                .required(Some(Required::True))
                .build(),
        ))
        .response("204", answer("Signed in; the cookie `takings_session` is set.").build())
        .response("408", refusal("The body did not come."))
        .response("415", refusal("The body is not said to be JSON."));
    let signs_out = OperationBuilder::new()
        .operation_id(Some("sign_out"))
        .summary(Some("Takes the cookie away."))
        .response("204", answer("Signed out.").build());
    let mut item = PathItem::new(HttpMethod::Get, refusals(asks).build());
    item.post = Some(refusals(signs_in).build());
    item.delete = Some(refusals(signs_out).build());
    item
}

fn parameter(name: &str, doc: &str) -> ParameterBuilder {
    ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False).description(Some(doc))
}

fn filters(filters: &[Filter]) -> Vec<ParameterBuilder> {
    let described = filters.iter().map(|filter| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = match filter.test {
            Test::FromDay | Test::ToDay | Test::EitherFromDay | Test::EitherToDay => {
                text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            }
            Test::FromMonth | Test::ToMonth => text.pattern(Some(r"^\d{4}-\d{2}(-\d{2})?$")),
            Test::FromMoment | Test::ToMoment => text.pattern(Some(r"^\d{4}-\d{2}-\d{2}(T.+)?$")),
            Test::Period => text.pattern(Some(r"^(all|\d{4}-\d{2}(-\d{2})?)$")),
            Test::Equals | Test::AnyOf | Test::EitherEquals | Test::Contains => {
                text.min_length(Some(1)).max_length(Some(512))
            }
        };
        let described = parameter(filter.parameter, filter.doc);
        match filter.test {
            Test::AnyOf => described.schema(Some(ArrayBuilder::new().items(text).max_items(Some(MAX_REPEATED)))),
            _ => described.schema(Some(text)),
        }
    });
    described.collect()
}

fn paging(table: &Table) -> [ParameterBuilder; 3] {
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(MAX_LIMIT as usize))
        .default(Some(DEFAULT_LIMIT.into()));
    let order = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["asc", "desc"]))
        .default(Some(if table.descending { "desc" } else { "asc" }.into()));
    let order_doc = format!("By {}.", table.order.join(", "));
    [
        parameter("limit", "How many rows a page holds at most.").schema(Some(limit)),
        parameter("cursor", "`next_cursor` of the page before, as it came.")
            .schema(Some(ObjectBuilder::new().schema_type(Type::String))),
        parameter("order", &order_doc).schema(Some(order)),
    ]
}

fn sort() -> ParameterBuilder {
    let names = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(Sort::ALL.map(Sort::name)))
        .default(Some(Sort::TotalSales.name().into()));
    let doc = "By what they are sorted; by total sales, amounts of different currencies are compared as numbers. The \
               greatest is first, but texts begin with the least.";
    parameter("sort", doc).schema(Some(names))
}

fn column(column: &Column) -> ObjectBuilder {
    let (kind, format, example) = match column.kind {
        Kind::Text | Kind::Bytes => (Type::String, None, None),
        Kind::Date => (Type::String, Some(KnownFormat::Date), Some(json!("2026-11-22"))),
        Kind::Integer => (Type::Integer, Some(KnownFormat::Int64), None),
        Kind::Decimal => (Type::String, None, Some(json!("12.340000"))),
        Kind::Timestamp => (Type::String, Some(KnownFormat::DateTime), None),
    };
    let kind = if column.nullable { SchemaType::from_iter([kind, Type::Null]) } else { SchemaType::new(kind) };
    let object = ObjectBuilder::new().schema_type(kind).description(Some(column.doc)).examples(example);
    object.format(format.map(SchemaFormat::KnownFormat))
}

fn row_of(columns: impl Iterator<Item = &'static Column>, doc: &str) -> ObjectBuilder {
    columns.fold(ObjectBuilder::new().description(Some(doc)), |row, described| {
        row.property(described.name, column(described)).required(described.name)
    })
}

fn count(doc: &str) -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(format)).minimum(Some(0)).description(Some(doc))
}

fn nullable_text(doc: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null])).description(Some(doc))
}

fn page_of(row: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .property("epoch", count("The epoch that the page was read at."))
        .required("epoch")
        .property("rows", ArrayBuilder::new().items(named(row)))
        .required("rows")
        .property("next_cursor", nullable_text("What to give as `cursor` for the next page; null on the last."))
        .required("next_cursor")
}

fn hello(doc: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .description(Some(doc))
        .property("epoch", count("The committed epoch."))
        .required("epoch")
        .property("committed_at", nullable_text("When it was committed."))
        .required("committed_at")
        .property("newest_record_at", nullable_text("The newest timestamp of any record by then, by the log's clock."))
        .required("newest_record_at")
}

fn contact() -> ObjectBuilder {
    ObjectBuilder::new()
        .description(Some("Whether the service reaches the store."))
        .property("contact", ObjectBuilder::new().schema_type(Type::Boolean))
        .required("contact")
        .property("epoch", ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Integer, Type::Null])))
        .required("epoch")
        .property("message", nullable_text("Why not."))
        .required("message")
}

/// The data of a `changes` event.
fn changes() -> ObjectBuilder {
    let by_view = |end: &str, doc: &str| {
        VIEWS
            .iter()
            .filter(|view| view.is_streamed())
            .fold(ObjectBuilder::new().description(Some(doc)), |views, view| {
                views.property(view.name, ArrayBuilder::new().items(named(&type_name(view.name, end))))
            })
    };
    let sources = ObjectBuilder::new()
        .description(Some(format!("What became of all records so far: {}.", COUNTERS.join(", "))))
        .additional_properties(Some(AdditionalProperties::RefOr(count("A counter.").into())));
    hello("What changed after `since`, as it is at `epoch`.")
        .property("since", count("Applies to any state of this epoch or later."))
        .required("since")
        .property("changed", by_view("Row", "The rows that changed, whole; views without any are absent."))
        .required("changed")
        .property("removed", by_view("Key", "The keys of the rows that left; views without any are absent."))
        .required("removed")
        .property("sources", sources)
        .required("sources")
        .property(
            "products",
            ArrayBuilder::new()
                .items(named("ProductDays"))
                .description(Some("How the products that are followed stand; absent where none are.")),
        )
}

/// How a product stands, in a `changes` event.
fn product_days() -> ObjectBuilder {
    let day = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    ObjectBuilder::new()
        .description(Some("How a product that is followed stands on the days that changed."))
        .property("product", ObjectBuilder::new().schema_type(Type::String))
        .required("product")
        .property("days", ArrayBuilder::new().items(day).description(Some("Every day of which anything changed.")))
        .required("days")
        .property(
            "rows",
            ArrayBuilder::new()
                .items(named(&type_name(SOLD, "Row")))
                .description(Some("All rows that the product has on these days; on a day without any it has none.")),
        )
        .required("rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::ToSchema;

    #[test]
    fn the_committed_description_is_the_codes() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard/openapi.json");
        let now = String::from_utf8(text().to_vec()).expect("text");
        if std::env::var_os("TAKINGS_BLESS").is_some() {
            std::fs::write(file, &now).expect("the file can be written");
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            committed == now,
            "dashboard/openapi.json is stale; run TAKINGS_BLESS=1 cargo test --lib openapi, and commit it"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let whole: serde_json::Value = serde_json::from_slice(&text()).expect("JSON");
        let text = whole.to_string();
        for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().expect("a name");
            assert!(whole["components"]["schemas"][name].is_object(), "{name} is described nowhere");
        }
        assert!(type_name("sales_per_day", "Row") == "SalesPerDayRow" && Summary::name() == "Summary");
    }
}
