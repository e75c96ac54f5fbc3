//! What can go wrong with a store, told apart by who must act.

/// A failure of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The server does not answer, or answered that it can not serve just now. Trying again may help.
    #[error("the store at {store} is not reachable")]
    Unreachable {
        /// The store, without its password.
        store: String,
        /// What the driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answers, but can not do this now: a full disk, a lock that someone holds, a standby server. Trying again
    /// may help, and a person may have to make room first.
    #[error("the store at {store} can not go on just now: {why}")]
    Busy {
        /// The store, without its password.
        store: String,
        /// What stands in the way, and what to do.
        why: String,
        /// What the driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting is wrong: the URL, the credentials, a missing database or privilege.
    #[error("setting `{setting}`: {message}")]
    Configuration {
        /// The setting to change, as it is named in the configuration file.
        setting: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The role that reads may not read a table: by mistake, or because it is withheld from it.
    #[error("the store lets this role not read all that was asked for: {message}; grant it SELECT on that table")]
    Withheld {
        /// What the server said, with the table's name.
        message: String,
    },
    /// No job ever wrote to it.
    #[error("the store at {store} holds no totals yet; start `takings run` on it first, or check the address")]
    Empty {
        /// The store, without its password.
        store: String,
    },
    /// Another process holds the store.
    #[error(
        "the store at {store} is held by {holder}; stop that process, or start this one with --standby to wait for it"
    )]
    Held {
        /// The store, without its password.
        store: String,
        /// Who: process, host, since when, as far as the store can tell.
        holder: String,
    },
    /// Another process took the store over.
    #[error(
        "fenced: {by} took the store over as generation {theirs}, so this process, generation {ours}, wrote nothing since, \
         and must end; started again with --standby it waits for its turn"
    )]
    Fenced {
        /// Who holds the store, or held it last.
        by: String,
        /// This process's generation.
        ours: u64,
        /// The generation in the store.
        theirs: u64,
    },
    /// Written by a newer takings.
    #[error(
        "the store has schema version {found}, and this takings knows versions up to {known}; run the newer takings that wrote it"
    )]
    NewerSchema {
        /// The store's schema version.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// Written by an older takings, and not brought up to date since.
    #[error(
        "the store has schema version {found}, which an older takings wrote, and this one reads version {known}: the next \
         start of `takings run` brings it up to date, and keeps all that it holds"
    )]
    OlderSchema {
        /// The store's schema version.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// Its totals were made under other settings, so going on would mix two meanings.
    #[error(
        "the store was made with {setting} = {stored}, and this run has {given}; set it back, or start a new store"
    )]
    Settings {
        /// The setting, as it is named in the configuration file.
        setting: &'static str,
        /// As stored.
        stored: String,
        /// As given now.
        given: String,
    },
    /// The store lost commits that it had acknowledged.
    #[error(
        "the store went back: it stands at epoch {found}, and this process committed epoch {ours} last (a failover to a \
         server that lagged, or a restored backup); start again to go on from epoch {found}: what came after it is read \
         from the log once more, and nothing is lost or doubled"
    )]
    WentBack {
        /// The epoch that this process committed last.
        ours: u64,
        /// The epoch at which the store stands.
        found: u64,
    },
    /// What the store holds contradicts itself.
    #[error("the store contradicts itself: {0}")]
    Corrupt(String),
    /// Any other fault: a bug, a missing table.
    #[error("{doing} failed")]
    Fault {
        /// What was being done, on which table.
        doing: String,
        /// What the driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether trying the same again may help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, StoreError::Unreachable { .. } | StoreError::Busy { .. })
    }

    /// Whether a person must change something first, so that no restart alone helps.
    pub const fn is_configuration(&self) -> bool {
        use StoreError::{Configuration, Corrupt, NewerSchema, Settings};
        matches!(self, Configuration { .. } | Settings { .. } | NewerSchema { .. } | Corrupt(_))
    }
}
