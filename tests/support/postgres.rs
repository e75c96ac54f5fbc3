//! A real PostgreSQL server for a test binary, in a folder and on a port of its own.
//!
//! It ends with the process that started it, however that ends: a small shell waits on a pipe that only
//! this process holds, and stops the server and removes its folder when the pipe closes.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use super::link::Link;

/// The role that owns everything, and logs in without a password.
pub const OWNER: &str = "takings";
/// A role that must give its password, [`PASSWORD`].
pub const GUARDED: &str = "guarded";
/// Its password.
pub const PASSWORD: &str = "correct horse";

/// A running server. Clones share it.
#[derive(Clone)]
pub struct PostgresServer(Arc<Inner>);

struct Inner {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
    settings: Vec<String>,
    databases: AtomicU32,
    guard: Option<Child>,
}

impl PostgresServer {
    /// The server that the tests of this binary share. Do not stop it: start another for that.
    pub fn shared() -> PostgresServer {
        static SHARED: LazyLock<PostgresServer> = LazyLock::new(PostgresServer::start);
        SHARED.clone()
    }

    /// Starts a server. Commits are not flushed to disk: it only has to survive its own death.
    pub fn start() -> PostgresServer {
        PostgresServer::start_with(&["fsync=off", "full_page_writes=off"])
    }

    /// Starts a server that speaks TLS, with a certificate of its own for `localhost` only; see
    /// [`certificate`](Self::certificate).
    pub fn start_with_tls() -> PostgresServer {
        PostgresServer::start_with(&["fsync=off", "ssl=on", "ssl_cert_file=../tls.crt", "ssl_key_file=../tls.key"])
    }

    /// Starts a server with these settings (`name=value`).
    pub fn start_with(settings: &[&str]) -> PostgresServer {
        let programs = programs();
        let user = unprivileged();
        let folder = folder(user);
        let data = folder.join("data");
        let initdb = as_user(&programs.join("initdb"), user)
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username", OWNER, "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(initdb.status.success(), "initdb: {}", String::from_utf8_lossy(&initdb.stderr));
        let access = data.join("pg_hba.conf");
        let rules = fs::read_to_string(&access).expect("initdb wrote it");
        fs::write(&access, format!("host all {GUARDED} all scram-sha-256\n{rules}")).expect("it can be written");

        if settings.contains(&"ssl=on") {
            let made = as_user(Path::new("openssl"), user)
                .current_dir(&folder)
                .args(["req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=localhost"])
                .args(["-addext", "subjectAltName=DNS:localhost", "-keyout", "tls.key", "-out", "tls.crt"])
                .output()
                .expect("openssl runs");
            assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
        }

        let server = PostgresServer::run(programs, folder, user, settings.iter().map(ToString::to_string).collect());
        let mut owner = server.client("postgres");
        owner.batch_execute(&format!("CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")).expect("a role");
        server
    }

    /// Runs what is in `folder`.
    fn run(programs: PathBuf, folder: PathBuf, user: Option<(u32, u32)>, settings: Vec<String>) -> PostgresServer {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a free port").port();
        let guard = guard(&programs, &folder, user);
        let databases = AtomicU32::new(0);
        let server =
            PostgresServer(Arc::new(Inner { programs, folder, port, user, settings, databases, guard: Some(guard) }));
        server.start_again();
        server
    }

    /// Starts a second server that follows this one (streaming replication, asynchronous), and serves reads.
    pub fn replica(&self) -> PostgresServer {
        let Inner { programs, user, settings, .. } = &*self.0;
        let folder = folder(*user);
        let copied = as_user(&programs.join("pg_basebackup"), *user)
            .args([
                "--write-recovery-conf",
                "--wal-method=stream",
                "--checkpoint=fast",
                "--no-sync",
                "--host=127.0.0.1",
            ])
            .args(["--port", &self.0.port.to_string(), "--username", OWNER, "--pgdata"])
            .arg(folder.join("data"))
            .output()
            .expect("pg_basebackup runs");
        assert!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        PostgresServer::run(programs.clone(), folder, *user, settings.clone())
    }

    /// Makes a replica a server of its own, which takes writes. What it has not got by now it never gets.
    pub fn promote(&self) {
        let promoted: bool = self.client("postgres").query_one("SELECT pg_promote()", &[]).expect("promoted").get(0);
        assert!(promoted, "the replica is promoted");
    }

    /// Cuts a replica off from the server that it follows, for good.
    pub fn stop_following(&self) {
        let mut owner = self.client("postgres");
        owner.batch_execute("ALTER SYSTEM SET primary_conninfo = ''").expect("set");
        owner.batch_execute("SELECT pg_reload_conf()").expect("reloaded");
        while owner.query_one("SELECT count(*) FROM pg_stat_wal_receiver", &[]).expect("asked").get::<_, i64>(0) > 0 {
            std::thread::yield_now();
        }
    }

    /// How far it has written its log, or, of a replica, replayed it; to be compared with the other's.
    pub fn log_position(&self) -> u64 {
        let asked =
            "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END
                       - '0/0'::pg_lsn)::bigint";
        self.client("postgres").query_one(asked, &[]).expect("asked").get::<_, i64>(0) as u64
    }

    /// Refuses connections without TLS from now on.
    pub fn refuse_plain_connections(&self) {
        let access = self.0.folder.join("data/pg_hba.conf");
        let rules = fs::read_to_string(&access).expect("it is there");
        fs::write(&access, format!("hostnossl all all all reject\n{rules}")).expect("it can be written");
        assert!(self.control().arg("reload").status().expect("pg_ctl runs").success(), "reloaded");
    }

    /// The user that the server runs as, where that is not this process's.
    pub fn user(&self) -> Option<(u32, u32)> {
        self.0.user
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The certificate of a server that speaks TLS, as a PEM file.
    pub fn certificate(&self) -> PathBuf {
        self.0.folder.join("tls.crt")
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.0.port)
    }

    /// A URL of this server's, by way of a link that leads to it.
    pub fn through(&self, link: &Link, url: &str) -> String {
        url.replace(&format!(":{}/", self.0.port), &format!(":{}/", link.port()))
    }

    /// A connection of the owner.
    pub fn client(&self, database: &str) -> postgres::Client {
        postgres::Client::connect(&self.url(database), postgres::NoTls).expect("the server answers")
    }

    /// Makes an empty database; its name.
    pub fn fresh_database(&self) -> String {
        let name = format!("store_{}", self.0.databases.fetch_add(1, Ordering::Relaxed));
        self.client("postgres").batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
        name
    }

    /// Stops it in an orderly way, connections or not (`pg_ctl stop -m fast`).
    pub fn stop(&self) {
        let stopped = self.control().args(["-w", "-m", "fast", "stop"]).status().expect("pg_ctl runs");
        assert!(stopped.success(), "the server stops");
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill`](Self::kill), on the same port and data.
    pub fn start_again(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let log = self.0.folder.join("log");
            let options = self.0.settings.iter().fold(
                format!("-p {} -k {} -c listen_addresses=127.0.0.1", self.0.port, self.0.folder.display()),
                |options, setting| format!("{options} -c {setting}"),
            );
            let started = self
                .control()
                .arg("-l")
                .arg(&log)
                .args(["-w", "-t", "20", "-o", &options, "start"])
                .status()
                .expect("pg_ctl runs");
            if started.success() {
                return;
            }
            // After a kill its backends need a moment to see that it is gone.
            assert!(
                Instant::now() < deadline,
                "the server does not start: {}",
                fs::read_to_string(log).unwrap_or_default()
            );
        }
    }

    /// [`stop`](Self::stop), then [`start_again`](Self::start_again).
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    /// `kill -9` of the server's main process; its backends end by themselves.
    pub fn kill(&self) {
        let file = self.0.folder.join("data/postmaster.pid");
        let pid = fs::read_to_string(file).expect("it runs").lines().next().expect("a pid").to_owned();
        assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill runs").success());
        while Path::new("/proc").join(&pid).exists() {
            std::thread::yield_now();
        }
    }

    /// Stops the clock of all its processes (SIGSTOP): connections stay open, new ones are taken, nothing answers. It goes
    /// on when what this gives is dropped.
    pub fn freeze(&self) -> Frozen {
        let file = self.0.folder.join("data/postmaster.pid");
        let main = fs::read_to_string(file).expect("it runs").lines().next().expect("a pid").to_owned();
        // The main process first, so that no more come.
        let mut frozen = Frozen(Vec::new());
        frozen.stop(main.clone());
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).expect("Linux");
        children.split_whitespace().for_each(|child| frozen.stop(child.to_owned()));
        frozen
    }

    fn control(&self) -> Command {
        let mut command = as_user(&self.0.programs.join("pg_ctl"), self.0.user);
        command.arg("-s").arg("-D").arg(self.0.folder.join("data")).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// A server that stands still.
pub struct Frozen(Vec<String>);

impl Frozen {
    fn stop(&mut self, process: String) {
        if signal(&process, "-STOP") {
            self.0.push(process);
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            signal(process, "-CONT");
        }
    }
}

/// Whether it could be sent.
fn signal(process: &str, name: &str) -> bool {
    Command::new("kill").args([name, process]).stderr(Stdio::null()).status().expect("kill runs").success()
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// The process that cleans up when this one is gone.
fn guard(programs: &Path, folder: &Path, user: Option<(u32, u32)>) -> Child {
    let mut guard = as_user(Path::new("/bin/sh"), user)
        .args([
            "-c",
            // One that was frozen hears nothing before it goes on.
            r#"trap '' INT TERM HUP; cat >/dev/null; main=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
               [ -z "$main" ] || kill -s CONT "$main" $(cat "/proc/$main/task/$main/children") 2>/dev/null
               "$0/pg_ctl" -s -D "$1/data" -m immediate stop; rm -rf "$1/"* "$1""#,
        ])
        .arg(programs)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell runs");
    guard.stdin.as_mut().expect("piped").flush().expect("it is there");
    guard
}

/// A command run by `user`, in a folder that every user can enter.
pub fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some((uid, gid)) = user {
        command.gid(gid).uid(uid);
    }
    command
}

/// A folder that the server's user owns.
fn folder(user: Option<(u32, u32)>) -> PathBuf {
    let folder = tempfile::Builder::new().prefix("takings-postgres-").tempdir().expect("a folder").keep();
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).expect("root gives folders away");
    }
    folder
}

/// Whom to run the server as: PostgreSQL refuses root. `None` where this process is not root.
pub fn unprivileged() -> Option<(u32, u32)> {
    let me = fs::metadata("/proc/self").expect("Linux");
    if std::os::unix::fs::MetadataExt::uid(&me) != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("users");
    ["postgres", "nobody"].iter().find_map(|name| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().ok());
        Some((fields.next()??, fields.next()??))
    })
}

/// Where the server's programs are: the newest that Debian installed, or those on the PATH.
fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return bin;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").exists())
        .expect("PostgreSQL is not installed: apt-get install postgresql")
}
