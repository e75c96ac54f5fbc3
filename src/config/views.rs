//! Which views a job keeps, from their names.

use takings_dataflows::view::{NoSuchView, View};

use super::ConfigError;

/// What stands for [`View::DEFAULT`] in a list of names.
const DEFAULT: &str = "default";

/// The views with these names, each once.
pub(super) fn named(names: &[String]) -> Result<Vec<View>, ConfigError> {
    let mut views = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        if name == DEFAULT {
            views.extend(View::DEFAULT);
        } else {
            let unknown = |error| format!("{error}; {DEFAULT} stands for all of them but {}", View::Facts);
            views.push(name.parse().map_err(|error: NoSuchView| ConfigError::new("views", unknown(error)))?);
        }
    }
    views.sort();
    views.dedup();
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_kept_where_they_are_named() {
        let kept = |names: &[&str]| named(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(kept(&["default"]).expect("views"), View::DEFAULT);
        assert_eq!(kept(&["sales_facts", " default"]).expect("views"), View::ALL);
        assert_eq!(kept(&["sales_facts", "sales_facts"]).expect("views"), [View::Facts]);
        let message = kept(&["listed_facts"]).expect_err("it comes and goes with sales_facts").to_string();
        assert!(message.contains("default stands for"), "{message}");
    }
}
