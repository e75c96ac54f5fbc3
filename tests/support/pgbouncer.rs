//! A real pgbouncer between the tests and a server, in a folder and on a port of its own.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::guard::Guard;
use super::port;
use super::postgres::{OWNER, as_user, unprivileged};
use super::wait;

/// A running pgbouncer.
pub struct Pgbouncer {
    child: Child,
    port: u16,
    guard: Guard,
}

impl Pgbouncer {
    /// Starts one in front of a server, with this `pool_mode`, and so many sessions a database.
    ///
    /// # Panics
    /// When it is not installed or does not answer.
    pub fn start(server: u16, pool_mode: &str, pool_size: u32) -> Pgbouncer {
        let user = unprivileged();
        let folder = tempfile::Builder::new().prefix("takings-pgbouncer-").tempdir().expect("a folder").keep();
        let mut guard = Guard::new(&folder);
        let (port, settings) = (port::free(), folder.join("pgbouncer.ini"));
        let users = folder.join("users.txt");
        fs::write(&users, format!("\"{OWNER}\" \"\"\n")).expect("written");
        fs::write(
            &settings,
            format!(
                "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
                 listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {pool_mode}\n\
                 default_pool_size = {pool_size}\nmax_client_conn = 50\n",
                users.display()
            ),
        )
        .expect("written");
        if let Some((uid, gid)) = user {
            for path in [&folder, &users, &settings] {
                chown(path, Some(uid), Some(gid)).expect("root gives files away");
            }
        }
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
            .into_iter()
            .find(|program| Path::new(program).exists())
            .expect("pgbouncer is not installed: scripts/packages.sh");
        let mut child = as_user(Path::new(program), user)
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer starts");
        guard.watch(&child);
        wait::until("pgbouncer answers", Duration::from_secs(60), || {
            assert!(child.try_wait().expect("ours").is_none(), "pgbouncer does not start");
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Pgbouncer { child, port, guard }
    }

    /// The URL of a database of the server, through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        self.guard.release();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
