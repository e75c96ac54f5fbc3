//! `product_totals`: what is asked of it, and where its pages end.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::errors::Problem;
use super::parameters::Parameters;
use crate::store::reader::product_totals::{PRODUCT_TOTALS, ProductQuery, Sort};
use crate::store::reader::table::Kind;
use crate::store::reader::value::Value;

/// Reads the part of an address after `?`.
///
/// # Errors
/// A [`Problem`] that names the parameter.
pub fn read(query: &str) -> Result<ProductQuery, Problem> {
    let parameters = Parameters::read_page_with(query, &PRODUCT_TOTALS, &["sort"])?;
    let conditions = parameters.conditions(&PRODUCT_TOTALS)?;
    let sort = match parameters.get("sort") {
        None => Sort::TotalSales,
        Some(name) => Sort::ALL.into_iter().find(|sort| sort.name() == name).ok_or_else(|| {
            let names = Sort::ALL.map(Sort::name).join(", ");
            Problem::parameter("sort", "is nothing that they are sorted by", format!("give one of {names}"))
        })?,
    };
    let descending = parameters.is_descending(sort.descending())?;
    let after = parameters.get("cursor").map(|text| read_cursor(sort, text)).transpose()?;
    Ok(ProductQuery { conditions, sort, descending, after, limit: parameters.limit()? })
}

/// Where a page ended: opaque to clients, and good for this sort only.
pub fn write_cursor(sort: Sort, last: &[Value]) -> String {
    // Text and numbers: can not fail to become JSON.
    BASE64.encode(serde_json::to_vec(&(PRODUCT_TOTALS.name, sort.name(), last)).unwrap_or_default())
}

fn read_cursor(sort: Sort, text: &str) -> Result<[Value; 3], Problem> {
    let wrong = || {
        let hint = "give next_cursor of the page before as it came and with the same sort, or leave it out";
        Problem::parameter("cursor", "is none that this order gave", hint)
    };
    let bytes = BASE64.decode(text).map_err(|_| wrong())?;
    let (name, sorted, last): (String, String, [serde_json::Value; 3]) =
        serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let value = |value: serde_json::Value| match value {
        serde_json::Value::Null => Some(Value::Null),
        serde_json::Value::String(text) => Some(Value::Text(text)),
        serde_json::Value::Number(number) => number.as_i64().map(Value::Integer),
        _ => None,
    };
    let [key, product, currency] = last.map(value);
    match (key, product, currency) {
        (Some(key), Some(product), Some(currency))
            if name == PRODUCT_TOTALS.name
                && sorted == sort.name()
                && sort.is_of(&key)
                && product.fits(Kind::Text)
                && currency.fits(Kind::Text) =>
        {
            Ok([key, product, currency])
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_parameter_is_named_with_what_to_do() {
        for (query, part) in [
            ("sort=price", "`sort` is nothing that"),
            ("order=up", "`order` is neither"),
            ("limit=0", "`limit` is not a whole number"),
            ("search=", "`search` is not a text"),
            ("cursor=!", "`cursor` is none"),
            ("product=a&product=", "`product` is not a text"),
            ("payment_method=CARD", "`payment_method` is not known here"),
        ] {
            let problem = read(query).expect_err(query);
            assert!(problem.message.contains(part), "{query}: {}", problem.message);
            assert!(!problem.hint.is_empty());
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_own_sort_only() {
        let last = [Value::Text("12.340000".into()), Value::Text("tea".into()), Value::Text("EUR".into())];
        let cursor = write_cursor(Sort::TotalSales, &last);
        assert_eq!(read(&format!("cursor={cursor}&product=a&product=b")).expect("a page").after, Some(last));
        assert!(read(&format!("cursor={cursor}&sort=orders")).is_err());
        let forged = BASE64.encode(r#"["product_totals","total_sales",["a lot","tea","EUR"]]"#);
        assert!(read(&format!("cursor={forged}")).is_err());
        let unnamed = BASE64.encode(r#"["product_totals","name",[null,"tea","EUR"]]"#);
        assert!(read(&format!("sort=name&cursor={unnamed}")).is_ok());
    }
}
