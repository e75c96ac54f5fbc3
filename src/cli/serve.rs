//! `takings serve`.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::Exit;
use crate::config::secret;
use crate::service::{self, ServeConfig};
use crate::store::url::StoreUrl;

/// Serve a store's totals: a live page, a REST API, server-sent events and metrics.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// The store to read: postgres://USER@HOST/DATABASE or sqlite:FILE
    #[arg(long, env = "TAKINGS_STORE", hide_env_values = true)]
    pub store: String,

    /// Where to listen; anywhere but on this machine's own addresses, --token is needed
    #[arg(long, env = "TAKINGS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The bearer token that clients must send, or file:PATH of a file that holds it
    #[arg(long, env = "TAKINGS_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

impl ServeArgs {
    /// What the service is told.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Configuration`] where the store's address is wrong;
    /// [`ServeError::Configuration`] where the token's file can not be read.
    pub fn config(&self) -> anyhow::Result<ServeConfig> {
        let mut config = ServeConfig::new(StoreUrl::parse(&self.store)?, self.listen);
        config.token = self.token.as_deref().map(|token| secret("token", token)).transpose()?;
        Ok(config)
    }
}

/// Serves until SIGTERM or SIGINT.
pub fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    let config = args.config()?;
    let runtime = tokio::runtime::Runtime::new().context("starting the service's threads")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        service::serve(config, shutdown).await
    })?;
    // Reads that hang must not hold the process.
    runtime.shutdown_background();
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "s3cret\n").unwrap();
        assert_eq!(secret("token", &format!("file:{}", file.display())).unwrap(), "s3cret");
        assert_eq!(secret("token", "s3cret").unwrap(), "s3cret");
        assert!(secret("token", "file:/nowhere/at/all").unwrap_err().to_string().contains("setting `token`"));
    }
}
