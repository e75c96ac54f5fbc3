//! Which store: `postgres://…` or `sqlite:FILE`, and what to say of it without giving its password away.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use native_tls::{Certificate, Identity, TlsConnector};
use tokio_postgres::config::{Host, SslMode};

use super::StoreError;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a peer may be silent, or leave what was sent unacknowledged, before it counts as gone.
const SILENCE: Duration = Duration::from_secs(15);

/// Where PostgreSQL listens unless told otherwise; not worth showing.
const DEFAULT_PORT: u16 = 5432;

/// A store's address. `Display` shows it without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A PostgreSQL database.
    Postgres(Box<PostgresUrl>),
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// A PostgreSQL database's address.
///
/// It is a libpq URL (several hosts, Unix sockets and percent-encoding included) with these parameters
/// beside those that `tokio_postgres` knows:
/// - `sslmode`: `disable`, `prefer` (the default), `require`, `verify-ca` or `verify-full`. As with
///   libpq, only the last two look at the server's certificate;
/// - `sslrootcert`: a PEM file of the authority to trust in place of the system's;
/// - `sslcert` and `sslkey`: PEM files of a client certificate and its PKCS #8 key;
/// - `password_file`: a file that holds the password, read at each connection, so that it can change.
///   `password=file:NAME` means the same.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    config: tokio_postgres::Config,
    password_file: Option<PathBuf>,
    verify: Verify,
    root: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
}

/// What is asked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verify {
    Nothing,
    Authority,
    AuthorityAndName,
}

/// A wrong store URL, always of the one setting.
fn wrong(message: impl Into<String>) -> StoreError {
    StoreError::Configuration { setting: "store", message: message.into() }
}

impl StoreUrl {
    /// Reads `postgres://…`, `postgresql://…` or `sqlite:FILE`. Touches neither network nor disk.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] of the setting `store`, which never repeats a password.
    pub fn parse(text: &str) -> Result<StoreUrl, StoreError> {
        const FORMS: &str = "give postgres://USER@HOST/DATABASE or sqlite:FILE";
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(wrong(format!("it names no kind of store; {FORMS}")));
        };
        match scheme {
            "postgres" | "postgresql" => PostgresUrl::parse(text).map(|url| StoreUrl::Postgres(Box::new(url))),
            "sqlite" => {
                let file = rest.strip_prefix("//").unwrap_or(rest);
                match file {
                    "" => Err(wrong("sqlite: names no file; give sqlite:FILE")),
                    ":memory:" => Err(wrong("a store in memory would lose every total; give sqlite:FILE")),
                    file => Ok(StoreUrl::Sqlite(PathBuf::from(file))),
                }
            }
            other => Err(wrong(format!("{other:?} is no kind of store; {FORMS}"))),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        StoreUrl::parse(text)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreUrl::Postgres(url) => fmt::Display::fmt(url, f),
            StoreUrl::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
        }
    }
}

impl PostgresUrl {
    fn parse(text: &str) -> Result<PostgresUrl, StoreError> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let mut url = PostgresUrl {
            config: tokio_postgres::Config::new(),
            password_file: None,
            verify: Verify::Nothing,
            root: None,
            identity: None,
        };
        let (mut mode, mut cert, mut key) = (SslMode::Prefer, None, None);
        let mut passed_on = String::new();
        for (name, value) in url::form_urlencoded::parse(query.replace('+', "%2B").as_bytes()) {
            match name.as_ref() {
                "sslmode" => {
                    (mode, url.verify) = match value.as_ref() {
                        "disable" => (SslMode::Disable, Verify::Nothing),
                        "prefer" => (SslMode::Prefer, Verify::Nothing),
                        "require" => (SslMode::Require, Verify::Nothing),
                        "verify-ca" => (SslMode::Require, Verify::Authority),
                        "verify-full" => (SslMode::Require, Verify::AuthorityAndName),
                        other => {
                            return Err(wrong(format!(
                                "sslmode is {other:?}; it can be disable, prefer, require, verify-ca or verify-full"
                            )));
                        }
                    }
                }
                "sslrootcert" => url.root = (value != "system").then(|| PathBuf::from(value.as_ref())),
                "sslcert" => cert = Some(PathBuf::from(value.as_ref())),
                "sslkey" => key = Some(PathBuf::from(value.as_ref())),
                "password_file" => url.password_file = Some(PathBuf::from(value.as_ref())),
                "password" if value.starts_with("file:") => {
                    url.password_file = value.strip_prefix("file:").map(PathBuf::from);
                }
                _ => {
                    passed_on.push(if passed_on.is_empty() { '?' } else { '&' });
                    passed_on.extend(url::form_urlencoded::byte_serialize(name.as_bytes()));
                    passed_on.push('=');
                    // The driver decodes percents only, so a space must not become a plus.
                    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    passed_on.push_str(&encoded.replace('+', "%20"));
                }
            }
        }
        url.identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(wrong("sslcert and sslkey go together; give both or none")),
        };
        url.config = format!("{address}{passed_on}").parse().map_err(|error: tokio_postgres::Error| {
            let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            wrong(format!("not a PostgreSQL URL: {reason}; give postgres://USER@HOST/DATABASE"))
        })?;
        if url.config.get_hosts().is_empty() && url.config.get_hostaddrs().is_empty() {
            return Err(wrong("it names no host; give postgres://USER@HOST/DATABASE"));
        }
        if url.config.get_user().is_none() {
            return Err(wrong("it names no user; give postgres://USER@HOST/DATABASE"));
        }
        if url.password_file.is_some() && url.config.get_password().is_some() {
            return Err(wrong("it gives a password and a password file; give one of them"));
        }
        url.config.ssl_mode(mode);
        if url.config.get_connect_timeout().is_none() {
            url.config.connect_timeout(CONNECT_TIMEOUT);
        }
        // A peer that vanished without a word (a cut cable, a frozen machine) must show within seconds.
        url.config
            .keepalives_idle(SILENCE / 3)
            .keepalives_interval(SILENCE / 3)
            .keepalives_retries(2)
            .tcp_user_timeout(SILENCE);
        Ok(url)
    }

    /// What to connect with: timeouts, keepalives and the TLS mode are set, the password is read anew.
    /// `application_name` is how the session shows up in `pg_stat_activity`.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] when the password's file can not be read.
    pub fn config(&self, application_name: &str) -> Result<tokio_postgres::Config, StoreError> {
        let mut config = self.config.clone();
        config.application_name(application_name);
        if let Some(file) = &self.password_file {
            let text = fs::read_to_string(file).map_err(|error| unreadable("the password", file, &error))?;
            config.password(text.trim_end_matches(['\r', '\n']));
        }
        Ok(config)
    }

    /// The TLS settings, or `None` for `sslmode=disable`.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] when a certificate or key can not be read.
    pub fn tls(&self) -> Result<Option<TlsConnector>, StoreError> {
        if self.config.get_ssl_mode() == SslMode::Disable {
            return Ok(None);
        }
        let mut builder = TlsConnector::builder();
        // libpq's meaning: an authority given is always checked, the name only with verify-full.
        builder.danger_accept_invalid_certs(self.verify == Verify::Nothing && self.root.is_none());
        builder.danger_accept_invalid_hostnames(self.verify != Verify::AuthorityAndName);
        let read = |what, file: &Path| fs::read(file).map_err(|error| unreadable(what, file, &error));
        if let Some(file) = &self.root {
            let pem = read("sslrootcert", file)?;
            let root = Certificate::from_pem(&pem).map_err(|error| unreadable("sslrootcert", file, &error))?;
            builder.disable_built_in_roots(true).add_root_certificate(root);
        }
        if let Some((cert, key)) = &self.identity {
            let identity = Identity::from_pkcs8(&read("sslcert", cert)?, &read("sslkey", key)?)
                .map_err(|error| unreadable("sslcert with sslkey", cert, &error))?;
            builder.identity(identity);
        }
        builder.build().map(Some).map_err(|error| wrong(format!("TLS can not be set up: {error}")))
    }
}

fn unreadable(what: &str, file: &Path, error: &dyn fmt::Display) -> StoreError {
    wrong(format!("{what} can not be read from {}: {error}", file.display()))
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(folder) => write!(f, "{}", folder.display())?,
            }
            match ports.get(index).or(ports.first()) {
                Some(&port) if port != DEFAULT_PORT => write!(f, ":{port}")?,
                _ => {}
            }
        }
        match self.config.get_dbname() {
            Some(name) => write!(f, "/{name}"),
            None => Ok(()),
        }
    }
}

/// As it is shown: no password can slip out through a log.
impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(text: &str) -> PostgresUrl {
        match StoreUrl::parse(text) {
            Ok(StoreUrl::Postgres(url)) => *url,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_both_kinds() {
        assert_eq!(StoreUrl::parse("sqlite:takings.db").unwrap(), StoreUrl::Sqlite("takings.db".into()));
        assert_eq!(StoreUrl::parse("sqlite:///var/t.db").unwrap(), StoreUrl::Sqlite("/var/t.db".into()));
        assert_eq!(postgres("postgresql://shop@db:5433/takings").to_string(), "postgres://shop@db:5433/takings");
        assert_eq!(postgres("postgres://shop@a:1,b:2/takings").to_string(), "postgres://shop@a:1,b:2/takings");
        assert_eq!(
            postgres("postgres://shop@%2Frun%2Fpostgresql/takings").to_string(),
            "postgres://shop@/run/postgresql/takings"
        );
    }

    #[test]
    fn never_shows_a_password() {
        for text in ["postgres://shop:s3cret@db/takings", "postgres://shop@db/takings?password=s3cret"] {
            let url = postgres(text);
            assert_eq!(url.config("test").unwrap().get_password(), Some(&b"s3cret"[..]));
            assert_eq!(url.to_string(), "postgres://shop@db/takings");
            assert!(!format!("{url:?} {:?}", StoreUrl::Postgres(Box::new(url.clone()))).contains("s3cret"));
        }
        for text in ["postgres://shop:s3cret@db/takings?sslmode=always", "mysql://shop:s3cret@db/takings", "s3cret"] {
            let error = StoreUrl::parse(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn reads_the_password_from_a_file_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        for text in [
            format!("postgres://shop@db/takings?password_file={}", file.display()),
            format!("postgres://shop@db/takings?password=file:{}", file.display()),
        ] {
            let url = postgres(&text);
            for password in ["one", "two with space "] {
                fs::write(&file, format!("{password}\n")).unwrap();
                assert_eq!(url.config("test").unwrap().get_password(), Some(password.as_bytes()));
            }
            fs::remove_file(&file).unwrap();
            let error = url.config("test").unwrap_err();
            assert!(matches!(error, StoreError::Configuration { setting: "store", .. }), "{error}");
        }
    }

    #[test]
    fn passes_other_parameters_on() {
        let url = postgres("postgres://shop@db/takings?options=-c%20search_path%3Dshop+x&sslmode=require");
        assert_eq!(url.config("test").unwrap().get_options(), Some("-c search_path=shop+x"));
        assert_eq!(url.config("test").unwrap().get_ssl_mode(), SslMode::Require);
        assert!(url.tls().unwrap().is_some());
        assert!(postgres("postgres://shop@db/takings?sslmode=disable").tls().unwrap().is_none());
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, part) in [
            ("", "names no kind"),
            ("takings.db", "names no kind"),
            ("mysql://db", "\"mysql\" is no kind"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "lose every total"),
            ("postgres://shop@/takings", "names no host"),
            ("postgres://db/takings", "names no user"),
            ("postgres://shop@db/takings?sslmode=maybe", "sslmode is \"maybe\""),
            ("postgres://shop@db/takings?sslcert=a", "go together"),
            ("postgres://shop@db/takings?colour=red", "colour"),
            ("postgres://shop@db:port/takings", "not a PostgreSQL URL"),
            ("postgres://shop:one@db/takings?password_file=two", "give one of them"),
        ] {
            let error = StoreUrl::parse(text).unwrap_err();
            assert!(matches!(error, StoreError::Configuration { setting: "store", .. }), "{text}: {error:?}");
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}
