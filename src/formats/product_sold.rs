//! The format `product_sold`: one version of an order as a JSON object.
//!
//! | member | JSON | meaning |
//! |---|---|---|
//! | `orderId` | string or whole number | required, not empty; `42` and `"42"` are one id |
//! | `orderDate` | ISO 8601 string, or a whole number: milliseconds since 1970 in UTC | required |
//! | `totalAmount` | number, or a string of one | where missing: `productPrice` times `productQuantity` |
//! | `productPrice` | number, or a string of one | |
//! | `productQuantity` | whole number, or a string of one, up to 10^9 either way | missing: 1; negative: a refund |
//! | `productCategory` | string | missing or empty: `unlisted` |
//! | `paymentMethod` | string | missing or empty: `unknown` |
//! | `currency` | string, trimmed and upper-cased | missing or empty: the job's default |
//! | `productId`, `customerId` | string or whole number | |
//! | `productName`, `productBrand` | string | |
//!
//! `null` is missing, wherever it stands. Unknown members are ignored whatever they hold, but no
//! member, known or not, may appear twice. Each price or amount is rounded to six places by itself.

use takings_dataflows::amount::{Amount, ParsedAmount};
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderDetails, OrderEvent, Version};
use takings_dataflows::symbol::{Symbol, SymbolCache};
use xxhash_rust::xxh3::xxh3_64;

use super::json::{self, Kind, Syntax, Token, unescape};
use super::timestamp::LocalTime;
use super::{DecoderSettings, Reject};

/// Bytes of an id, a category or a payment method. A row of PostgreSQL's indexes holds 2,704 bytes, a
/// store may write four for one, and a name takes memory for as long as the job runs.
pub(crate) const MAX_NAME: usize = 255;
/// Bytes of a currency's code.
const MAX_CURRENCY: usize = 16;
/// The largest quantity, either way.
const MAX_QUANTITY: i128 = 1_000_000_000;

/// The members that takings reads, by their place in [`QUOTED`].
#[derive(Clone, Copy)]
enum Member {
    OrderId,
    ProductId,
    ProductName,
    ProductCategory,
    ProductPrice,
    ProductQuantity,
    ProductBrand,
    Currency,
    CustomerId,
    OrderDate,
    PaymentMethod,
    TotalAmount,
}

/// As they stand in a payload.
const QUOTED: [&str; 12] = [
    "\"orderId\"",
    "\"productId\"",
    "\"productName\"",
    "\"productCategory\"",
    "\"productPrice\"",
    "\"productQuantity\"",
    "\"productBrand\"",
    "\"currency\"",
    "\"customerId\"",
    "\"orderDate\"",
    "\"paymentMethod\"",
    "\"totalAmount\"",
];

impl Member {
    fn name(self) -> &'static str {
        QUOTED[self as usize].trim_matches('"')
    }

    fn of(name: &str) -> Option<Member> {
        Some(match name {
            "orderId" => Member::OrderId,
            "productId" => Member::ProductId,
            "productName" => Member::ProductName,
            "productCategory" => Member::ProductCategory,
            "productPrice" => Member::ProductPrice,
            "productQuantity" => Member::ProductQuantity,
            "productBrand" => Member::ProductBrand,
            "currency" => Member::Currency,
            "customerId" => Member::CustomerId,
            "orderDate" => Member::OrderDate,
            "paymentMethod" => Member::PaymentMethod,
            "totalAmount" => Member::TotalAmount,
            _ => return None,
        })
    }

    fn reject(self, problem: impl ToString) -> Reject {
        Reject::Field { field: self.name(), problem: problem.to_string() }
    }

    fn mistyped(self, expected: &str, found: Token<'_>) -> Reject {
        self.reject(format_args!("expected {expected}, found {} {}", found.kind.name(), excerpt(found.raw)))
    }
}

impl From<Syntax> for Reject {
    fn from(syntax: Syntax) -> Self {
        Reject::NotJson(syntax.to_string())
    }
}

/// The start of a producer's text, short enough for a message.
pub(crate) fn excerpt(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(48).collect();
    if characters.next().is_some() { format!("`{start}…`") } else { format!("`{start}`") }
}

/// Reads payloads. Its buffers live on from one to the next, so that reading allocates nothing.
pub(crate) struct Reader {
    time_zone: chrono_tz::Tz,
    default_currency: String,
    keep_orders: bool,
    names: SymbolCache,
    /// Open brackets of a nested value.
    stack: Vec<u8>,
    /// Members of no meaning here: hash of the key, and where its text stands in the payload.
    strangers: Vec<(u64, usize, usize)>,
    /// The members of the payload before this one, in its order.
    order: [Option<Member>; 16],
    /// A string without its escapes.
    plain: String,
    /// A currency in upper case.
    upper: String,
    /// What the fingerprint is taken of.
    content: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(settings: &DecoderSettings) -> Self {
        Reader {
            time_zone: settings.time_zone,
            default_currency: settings.default_currency.trim().to_uppercase(),
            keep_orders: settings.keep_orders,
            names: SymbolCache::default(),
            stack: Vec::new(),
            strangers: Vec::new(),
            order: [None; 16],
            plain: String::new(),
            upper: String::new(),
            content: Vec::new(),
        }
    }

    /// What this payload says, and whether an amount in it was rounded. `space` scopes its order id.
    pub(crate) fn read(
        &mut self,
        payload: &str,
        space: &IdSpace,
        version: Version,
    ) -> Result<(OrderEvent, bool), Reject> {
        let members = self.members(payload)?;
        let Reader { default_currency, names, plain, upper, content, .. } = self;
        content.clear();
        let mut rounded = false;

        let id = match members.get(Member::OrderId) {
            Some(token) => whole_or_text(Member::OrderId, token, plain)?,
            None => return Err(Reject::Missing(Member::OrderId.name())),
        };
        if id.is_empty() {
            return Err(Member::OrderId.reject("is empty"));
        }
        put_text(content, Some(id));
        let (id, id_text) = space.id(id);

        let mut details = self.keep_orders.then(Box::<OrderDetails>::default);
        let product_id = members.optional(Member::ProductId, plain, whole_or_text)?;
        put_text(content, product_id);
        if let (Some(details), Some(id)) = (&mut details, product_id) {
            details.product_id = id.to_owned();
        }
        let customer_id = members.optional(Member::CustomerId, plain, whole_or_text)?;
        put_text(content, customer_id);
        if let Some(details) = &mut details {
            details.customer_id = customer_id.map(str::to_owned);
        }
        let product_name = members.optional(Member::ProductName, plain, text)?;
        put_text(content, product_name);
        if let Some(details) = &mut details {
            details.product_name = product_name.map(str::to_owned);
        }
        let product_brand = members.optional(Member::ProductBrand, plain, text)?;
        put_text(content, product_brand);
        if let Some(details) = &mut details {
            details.product_brand = product_brand.map(str::to_owned);
        }

        let category = members.optional(Member::ProductCategory, plain, name)?;
        let category = named(category.filter(|name| !name.is_empty()).unwrap_or("unlisted"), names, content);
        let payment_method = members.optional(Member::PaymentMethod, plain, name)?;
        let payment_method = named(payment_method.filter(|name| !name.is_empty()).unwrap_or("unknown"), names, content);
        let currency = match members.optional(Member::Currency, plain, text)? {
            Some(code) => currency_code(code, upper)?,
            None => "",
        };
        let currency = named(if currency.is_empty() { default_currency } else { currency }, names, content);

        let ordered_at = match members.get(Member::OrderDate) {
            None => return Err(Reject::Missing(Member::OrderDate.name())),
            Some(token) => moment(token, plain, self.time_zone)?,
        };
        content.extend_from_slice(&ordered_at.micros().to_le_bytes());
        let units = match members.get(Member::ProductQuantity) {
            None => 1,
            Some(token) => quantity(token, plain)?,
        };
        content.extend_from_slice(&units.to_le_bytes());
        content.push(members.get(Member::ProductPrice).is_some().into());
        let price = match members.get(Member::ProductPrice) {
            None => None,
            Some(token) => {
                let price = amount(Member::ProductPrice, token, plain)?;
                rounded |= price.rounded;
                content.extend_from_slice(&price.amount.micros().to_le_bytes());
                Some(price.amount)
            }
        };
        let total = match (members.get(Member::TotalAmount), price) {
            (Some(token), _) => {
                let total = amount(Member::TotalAmount, token, plain)?;
                rounded |= total.rounded;
                total.amount
            }
            (None, Some(price)) => price
                .checked_times(units)
                .ok_or_else(|| Member::ProductPrice.reject("times `productQuantity` is out of range"))?,
            (None, None) => return Err(Reject::Missing(Member::TotalAmount.name())),
        };
        content.extend_from_slice(&total.micros().to_le_bytes());
        if let Some(details) = &mut details {
            details.product_price = price;
            details.ordered_at = ordered_at.micros();
        }

        let fact = Fact { day: ordered_at.day(), category, payment_method, currency };
        let contribution = Contribution { fact, amount: total, units };
        let content = Content::Order { contribution, fingerprint: xxh3_64(content) };
        Ok((OrderEvent { id, id_text, version, content, details }, rounded))
    }

    /// Finds the members, and any that appears twice.
    fn members<'p>(&mut self, payload: &'p str) -> Result<Members<'p>, Reject> {
        let mut found = Members([None; QUOTED.len()]);
        let Reader { stack, strangers, order, plain, .. } = self;
        strangers.clear();
        let mut object = json::Object::open(payload, stack)?;
        let mut place = 0;
        while object.has_member()? {
            // A producer writes its members in the same order each time.
            let guess = order.get(place).copied().flatten();
            let member = match guess {
                Some(member) if object.pass_key(QUOTED[member as usize])? => guess,
                _ => {
                    let key = object.key()?;
                    let name = key_text(key, plain)?;
                    let member = Member::of(name);
                    if member.is_none() {
                        let at = key.raw.as_ptr() as usize - payload.as_ptr() as usize;
                        strangers.push((xxh3_64(name.as_bytes()), at, key.raw.len()));
                    }
                    if let Some(place) = order.get_mut(place) {
                        *place = member;
                    }
                    member
                }
            };
            place += 1;
            let value = object.value()?;
            if let Some(member) = member
                && found.0[member as usize].replace(value).is_some()
            {
                return Err(Reject::Duplicate(member.name().to_owned()));
            }
        }
        // Sorted, so that a hostile payload of a million members costs no square of it.
        if strangers.len() > 1 {
            strangers.sort_unstable();
            let name = |&(_, at, length): &(u64, usize, usize)| {
                let mut name = String::new();
                unescape(&payload[at..at + length], &mut name).map(|()| name).ok()
            };
            for same_hash in strangers.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > 1) {
                let mut keys: Vec<_> = same_hash.iter().filter_map(name).collect();
                keys.sort_unstable();
                if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
                    return Err(Reject::Duplicate(pair[0].chars().take(48).collect()));
                }
            }
        }
        Ok(found)
    }
}

/// The members found. A `null` is as good as missing.
struct Members<'p>([Option<Token<'p>>; QUOTED.len()]);

impl<'p> Members<'p> {
    fn get(&self, member: Member) -> Option<Token<'p>> {
        self.0[member as usize].filter(|token| token.kind != Kind::Null)
    }

    fn optional<'t>(
        &self,
        member: Member,
        plain: &'t mut String,
        read: fn(Member, Token<'t>, &'t mut String) -> Result<&'t str, Reject>,
    ) -> Result<Option<&'t str>, Reject>
    where
        'p: 't,
    {
        self.get(member).map(|token| read(member, token, plain)).transpose()
    }
}

fn key_text<'t>(key: Token<'t>, plain: &'t mut String) -> Result<&'t str, Reject> {
    if key.kind == Kind::Plain {
        return Ok(key.raw);
    }
    plain.clear();
    unescape(key.raw, plain).map_err(|error| Reject::NotJson(format!("key {}: {error}", excerpt(key.raw))))?;
    Ok(plain)
}

/// A string's characters, without escapes.
fn text<'t>(member: Member, token: Token<'t>, plain: &'t mut String) -> Result<&'t str, Reject> {
    match token.kind {
        Kind::Plain => Ok(token.raw),
        Kind::Escaped => {
            plain.clear();
            unescape(token.raw, plain).map_err(|error| member.reject(error))?;
            // Only an escape can write it, and PostgreSQL's texts can not hold it.
            if plain.contains('\0') {
                return Err(member.reject("holds the character U+0000, which no database keeps"));
            }
            Ok(plain)
        }
        _ => Err(member.mistyped("a string", token)),
    }
}

/// A string that is kept as a name.
fn name<'t>(member: Member, token: Token<'t>, plain: &'t mut String) -> Result<&'t str, Reject> {
    let name = text(member, token, plain)?;
    if name.len() > MAX_NAME {
        return Err(member.reject(format_args!("has {} bytes, more than {MAX_NAME}", name.len())));
    }
    Ok(name)
}

/// An id: a string, or a whole number's own digits.
fn whole_or_text<'t>(member: Member, token: Token<'t>, plain: &'t mut String) -> Result<&'t str, Reject> {
    if token.kind != Kind::Number {
        return match token.kind {
            Kind::Plain | Kind::Escaped => name(member, token, plain),
            _ => Err(member.mistyped("a string or a whole number", token)),
        };
    }
    if !is_whole(token.raw) || token.raw.len() > MAX_NAME {
        return Err(member.mistyped("a string or a whole number", token));
    }
    Ok(token.raw)
}

fn is_whole(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

fn currency_code<'t>(code: &'t str, upper: &'t mut String) -> Result<&'t str, Reject> {
    let code = if code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        code
    } else {
        upper.clear();
        upper.extend(code.trim().chars().take(MAX_CURRENCY + 1).flat_map(char::to_uppercase));
        upper
    };
    if code.len() > MAX_CURRENCY {
        return Err(Member::Currency.reject(format_args!("{} is longer than {MAX_CURRENCY} bytes", excerpt(code))));
    }
    Ok(code)
}

fn amount(member: Member, token: Token<'_>, plain: &mut String) -> Result<ParsedAmount, Reject> {
    let digits = match token.kind {
        Kind::Number => token.raw,
        Kind::Plain | Kind::Escaped => text(member, token, plain)?,
        _ => return Err(member.mistyped("an amount", token)),
    };
    Amount::parse(digits.as_bytes()).map_err(|error| member.reject(format_args!("{} is {error}", excerpt(digits))))
}

fn quantity(token: Token<'_>, plain: &mut String) -> Result<i64, Reject> {
    let member = Member::ProductQuantity;
    if token.kind == Kind::Number
        && let [digit @ b'0'..=b'9'] = token.raw.as_bytes()
    {
        return Ok(i64::from(digit - b'0'));
    }
    let parsed = amount(member, token, plain)?;
    let micros = parsed.amount.micros();
    let unit = 10i128.pow(Amount::PLACES);
    if parsed.rounded || micros % unit != 0 {
        return Err(member.reject(format_args!("{} is not a whole number", excerpt(token.raw))));
    }
    let units = micros / unit;
    if units.abs() > MAX_QUANTITY {
        return Err(member.reject(format_args!("{} is out of range (more than {MAX_QUANTITY})", excerpt(token.raw))));
    }
    Ok(units as i64)
}

fn moment(token: Token<'_>, plain: &mut String, zone: chrono_tz::Tz) -> Result<LocalTime, Reject> {
    let member = Member::OrderDate;
    let (written, moment) = match token.kind {
        Kind::Plain | Kind::Escaped => {
            let written = text(member, token, plain)?;
            (written, LocalTime::parse(written, zone))
        }
        Kind::Number if is_whole(token.raw) => {
            let millis = token.raw.parse().unwrap_or(i64::MAX); // more digits: out of range just as well
            (token.raw, LocalTime::from_epoch_millis(millis, zone))
        }
        _ => return Err(member.mistyped("an ISO 8601 string or milliseconds since 1970", token)),
    };
    moment.map_err(|error| member.reject(format_args!("{} {error}", excerpt(written))))
}

/// A name's symbol; its text goes into the content.
fn named(name: &str, names: &mut SymbolCache, content: &mut Vec<u8>) -> Symbol {
    put_text(content, Some(name));
    names.get(name)
}

fn put_text(content: &mut Vec<u8>, text: Option<&str>) {
    let length = text.map_or(u32::MAX, |text| text.len() as u32);
    content.extend_from_slice(&length.to_le_bytes());
    content.extend_from_slice(text.unwrap_or("").as_bytes());
}
