//! The settings that a store's totals were made under, and whether a run may go on with its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use takings_dataflows::view::View;

use super::{JobSettings, StoreError};

/// What both stores read of the one row of `job`, in this order: generation, epoch, and the settings.
macro_rules! job_columns {
    () => {
        "generation, epoch, time_zone, default_currency, keep_orders, views, topics, log, top, formats, payload_limit, \
         volume_window, correction_window_ms"
    };
}
pub(super) use job_columns;

/// As the table `job` holds them: nothing in a new store.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredSettings {
    pub(super) time_zone: Option<String>,
    pub(super) default_currency: Option<String>,
    pub(super) keep_orders: Option<bool>,
    pub(super) views: Option<Vec<String>>,
    pub(super) topics: Option<Vec<String>>,
    pub(super) log: Option<String>,
    pub(super) top: Option<u16>,
    pub(super) formats: Option<BTreeMap<String, String>>,
    pub(super) payload_limit: Option<u64>,
    pub(super) volume_window: Option<u32>,
    /// Null where there is none, and in a store of an earlier schema.
    pub(super) correction_window: Option<Duration>,
}

/// The names of a run's views, as they are stored.
pub(super) fn view_names(settings: &JobSettings) -> Vec<&'static str> {
    settings.views.iter().map(|view| view.name()).collect()
}

impl StoredSettings {
    /// The settings of the store's last run; `None` where there was none.
    pub(super) fn complete(self) -> Option<JobSettings> {
        Some(JobSettings {
            time_zone: self.time_zone?,
            default_currency: self.default_currency?,
            keep_orders: self.keep_orders?,
            views: views_of(&self.views?),
            topics: self.topics?,
            log: self.log?,
            top: self.top.unwrap_or(JobSettings::TOP),
            formats: self.formats.unwrap_or_default(),
            payload_limit: self.payload_limit.unwrap_or(JobSettings::PAYLOAD_LIMIT),
            volume_window: self.volume_window.unwrap_or(JobSettings::VOLUME_WINDOW),
            correction_window: self.correction_window,
        })
    }

    /// Whether a run with `given` may go on. A topic more is allowed: it is read from its beginning; so are
    /// other views: see [`super::switch`]. Anything else that differs would make totals of two meanings.
    ///
    /// # Errors
    /// [`StoreError::Settings`] with the first setting that differs.
    pub(super) fn check(&self, given: &JobSettings) -> Result<(), StoreError> {
        let same = |setting, stored: &Option<String>, given: &str| match stored {
            Some(stored) if stored != given => Err(differs(setting, stored, given)),
            _ => Ok(()),
        };
        same("time_zone", &self.time_zone, &given.time_zone)?;
        same("default_currency", &self.default_currency, &given.default_currency)?;
        same("source", &self.log, &given.log)?;
        same("keep_orders", &self.keep_orders.map(|kept| kept.to_string()), &given.keep_orders.to_string())?;
        // A replay by another limit would take for known what was never counted, or the reverse; a higher one would still
        // not count what was rejected.
        same("payload_limit", &self.payload_limit.map(|limit| limit.to_string()), &given.payload_limit.to_string())?;
        if let Some(stored) = &self.topics {
            let (stored, given): (BTreeSet<&str>, BTreeSet<&str>) =
                (stored.iter().map(String::as_str).collect(), given.topics.iter().map(String::as_str).collect());
            if !stored.is_subset(&given) {
                return Err(differs("topics", &list(&stored), &list(&given)));
            }
        }
        for (topic, stored) in self.formats.iter().flatten() {
            if let Some(given) = given.formats.get(topic).filter(|given| *given != stored) {
                return Err(differs("mapping", &format!("{topic}: {stored}"), &format!("{topic}: {given}")));
            }
        }
        Ok(())
    }
}

impl From<JobSettings> for StoredSettings {
    fn from(settings: JobSettings) -> Self {
        StoredSettings {
            views: Some(view_names(&settings).into_iter().map(str::to_owned).collect()),
            time_zone: Some(settings.time_zone),
            default_currency: Some(settings.default_currency),
            keep_orders: Some(settings.keep_orders),
            topics: Some(settings.topics),
            log: Some(settings.log),
            top: Some(settings.top),
            formats: Some(settings.formats),
            payload_limit: Some(settings.payload_limit),
            volume_window: Some(settings.volume_window),
            correction_window: settings.correction_window,
        }
    }
}

/// The views with these names. A name of a later version is none of ours.
pub(super) fn views_of(names: &[String]) -> Vec<View> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

impl JobSettings {
    /// How many best sellers each period has, unless told otherwise.
    pub const TOP: u16 = 10;
    /// The largest payload, in bytes, unless told otherwise.
    pub const PAYLOAD_LIMIT: u64 = 1 << 20;
    /// How many minutes `orders_per_minute` reaches back, unless told otherwise.
    pub const VOLUME_WINDOW: u32 = 48 * 60;

    /// Whether a run with `given` may go on with totals that were made under these.
    ///
    /// # Errors
    /// [`StoreError::Settings`] with the first setting that differs.
    pub fn allow(&self, given: &JobSettings) -> Result<(), StoreError> {
        StoredSettings::from(self.clone()).check(given)
    }
}

fn list(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(",")
}

fn differs(setting: &'static str, stored: &str, given: &str) -> StoreError {
    StoreError::Settings { setting, stored: stored.to_owned(), given: given.to_owned() }
}
