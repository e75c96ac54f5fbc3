//! The servers that a URL names, tried one after the other.
//!
//! Why not the driver's own loop over them: it goes on to the next only where one refuses or is not there. A server
//! that takes connections and says nothing (a primary whose disk hangs, while its replica was promoted) would keep it
//! from all after it, at every attempt. And whoever is connected to such a server hears no error that would make it try
//! the others: so it looks around.

use std::time::Duration;

use rand::seq::SliceRandom;
use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, Socket};

/// Why none of them is connected.
#[derive(Debug)]
pub(in crate::store) enum NoServer {
    /// What the last one that spoke said, or the way to it.
    Error(Error),
    /// None said anything for so long, each.
    Silence(Duration),
}

/// Connects to the first server that greets within `patience`, and is what `target_session_attrs` asks for. Says which
/// it is.
pub(in crate::store) async fn connect<T>(
    config: &Config,
    tls: T,
    patience: Duration,
) -> Result<(Client, Connection<Socket, T::Stream>, Server), NoServer>
where
    T: MakeTlsConnect<Socket> + Clone,
{
    let mut refused = NoServer::Silence(patience);
    let servers = each(config);
    for (at, server) in servers.iter().enumerate() {
        match timeout(patience, server.connect(tls.clone())).await {
            Ok(Ok((client, connection))) => return Ok((client, connection, Server { at, servers })),
            Ok(Err(error)) => refused = NoServer::Error(error),
            // What one said tells more than that another was silent.
            Err(_) => {}
        }
    }
    Err(refused)
}

/// One of the servers that are named.
#[derive(Clone, Debug)]
pub(in crate::store) struct Server {
    at: usize,
    servers: Vec<Config>,
}

impl Server {
    /// Whether others are named.
    pub(in crate::store) fn has_others(&self) -> bool {
        self.servers.len() > 1
    }

    /// Whether it greets nobody any more, and another one would do in its place. One that greets may be slow with an
    /// answer for good reasons, and where no other would do there is nothing but to wait.
    pub(in crate::store) async fn is_to_be_left<T>(&self, tls: T, patience: Duration) -> bool
    where
        T: MakeTlsConnect<Socket> + Clone,
    {
        if timeout(patience, self.servers[self.at].connect(tls.clone())).await.is_ok() {
            return false;
        }
        for (_, other) in self.servers.iter().enumerate().filter(|(at, _)| *at != self.at) {
            if let Ok(Ok(_)) = timeout(patience, other.connect(tls.clone())).await {
                return true;
            }
        }
        false
    }
}

/// How many servers are named.
pub(in crate::store) fn count(config: &Config) -> usize {
    config.get_hosts().len().max(config.get_hostaddrs().len()).max(1)
}

/// The same settings for each server alone, in the order in which they are to be tried.
fn each(config: &Config) -> Vec<Config> {
    let count = count(config);
    let ports = config.get_ports();
    // What can not be taken apart is the driver's to refuse, in its words.
    if count == 1 || ports.len() > 1 && ports.len() != count {
        return vec![config.clone()];
    }
    let server = |at: usize| {
        let mut server = without_servers(config);
        match config.get_hosts().get(at) {
            Some(Host::Tcp(name)) => server.host(name),
            Some(Host::Unix(folder)) => server.host_path(folder),
            None => &mut server,
        };
        if let Some(address) = config.get_hostaddrs().get(at) {
            server.hostaddr(*address);
        }
        if let Some(port) = ports.get(at).or(ports.first()) {
            server.port(*port);
        }
        server
    };
    let mut servers: Vec<Config> = (0..count).map(server).collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        servers.shuffle(&mut rand::rng());
    }
    servers
}

/// All settings but where the servers are.
fn without_servers(config: &Config) -> Config {
    let mut other = Config::new();
    if let Some(user) = config.get_user() {
        other.user(user);
    }
    if let Some(password) = config.get_password() {
        other.password(password);
    }
    if let Some(name) = config.get_dbname() {
        other.dbname(name);
    }
    if let Some(options) = config.get_options() {
        other.options(options);
    }
    if let Some(name) = config.get_application_name() {
        other.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        other.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        other.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        other.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        other.keepalives_retries(retries);
    }
    other
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: &str = "user=u password=p dbname=d options='-c a=b' application_name=n sslmode=require \
        sslnegotiation=direct connect_timeout=3 tcp_user_timeout=4 keepalives=0 keepalives_idle=5 \
        keepalives_interval=6 keepalives_retries=7 target_session_attrs=read-write channel_binding=require";

    fn config(text: &str) -> Config {
        text.parse().expect("settings")
    }

    /// Debug shows every field, so that a later driver's new one is not forgotten here: it would differ.
    #[test]
    fn each_server_has_all_settings_and_its_own_place() {
        let both = config(&format!("{EVERYTHING} host=one,/two hostaddr=10.0.0.1,10.0.0.2 port=1,2"));
        let alone = [
            config(&format!("{EVERYTHING} host=one hostaddr=10.0.0.1 port=1")),
            config(&format!("{EVERYTHING} host=/two hostaddr=10.0.0.2 port=2")),
        ];
        assert_eq!(format!("{:?}", each(&both)), format!("{alone:?}"));
        assert_eq!(each(&both)[0].get_password(), Some(&b"p"[..]), "which Debug hides");
        let plain = each(&config("host=one,two port=7"));
        assert_eq!(format!("{plain:?}"), format!("{:?}", [config("host=one port=7"), config("host=two port=7")]));
        assert!(each(&config("host=one,two")).iter().all(|server| server.get_ports().is_empty()));
        assert_eq!(each(&config("host=one,two,three port=1,2")).len(), 1, "left to the driver");
        let mut random = each(&config("host=a,b,c load_balance_hosts=random"));
        random.sort_by_key(|server| format!("{:?}", server.get_hosts()));
        assert_eq!(random.iter().map(|server| server.get_hosts().len()).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(random[2].get_hosts(), [Host::Tcp("c".to_owned())]);
    }
}
