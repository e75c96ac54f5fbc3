//! A real Apache Kafka, one broker in KRaft mode, straight from Maven's jars (`scripts/kafka.sh`).
//!
//! It starts in about three seconds. A test that needs no topic of a given name may share a broker with the
//! others of its binary, in a `static` [`std::sync::LazyLock`]; one that stops it, or whose topic must be
//! called `product_sold`, has its own.

mod acls;
mod admin;
mod cluster;
mod consume;
mod damage;
mod produce;

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

pub use self::cluster::KafkaCluster;
pub use self::consume::Written;
pub use self::produce::{Message, Placed, Transaction, produce_through};
use super::guard::{Guard, signal};
use super::link::Link;
use super::target::installed;
use super::{port, wait};

/// How long a server may take to start or to stop on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long three of them may take.
const CLUSTER_PATIENCE: Duration = Duration::from_secs(480);

/// What a broker's Java machine is told, to start fast.
const JAVA_OPTIONS: &str = "-Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

/// A broker, killed and its data removed when dropped or when the test process ends.
pub struct Kafka {
    folder: PathBuf,
    port: u16,
    /// What clients are told: this broker, or all of its cluster.
    bootstrap: String,
    /// How many copies a topic has.
    replicas: i32,
    /// The port of a second listener and the one that its clients are told to use instead: a link's.
    behind: Option<(u16, u16)>,
    process: Option<Child>,
    guard: Guard,
}

/// A broker's place in its cluster.
struct Place<'a> {
    node: usize,
    listener: u16,
    controller: u16,
    /// Every node's controller port.
    quorum: &'a [u16],
}

impl Kafka {
    /// Starts a broker with no topic and returns once it answers.
    ///
    /// # Panics
    /// When Kafka's jars are not there, or it does not start; the panic holds the end of its log.
    pub fn start() -> Kafka {
        Kafka::start_with(JAVA_OPTIONS)
    }

    /// Starts a broker with these settings besides, `name=value` each.
    ///
    /// # Panics
    /// As [`Kafka::start`].
    pub fn start_set(settings: &[&str]) -> Kafka {
        Kafka::start_both(JAVA_OPTIONS, settings, None)
    }

    /// Starts a broker that clients can reach through `link` as well, with every connection they make:
    /// at [`Kafka::url_through`].
    ///
    /// # Panics
    /// As [`Kafka::start`].
    pub fn start_behind(link: &Link) -> Kafka {
        let kafka = Kafka::start_both(JAVA_OPTIONS, &[], Some(link.port()));
        link.lead_to(kafka.behind.expect("it was asked for").0);
        kafka
    }

    /// Starts a broker with these options for its Java machine. The usual ones make it start fast; a bench
    /// asks for those that make it run fast.
    ///
    /// # Panics
    /// As [`Kafka::start`].
    pub fn start_with(java_options: &str) -> Kafka {
        Kafka::start_both(java_options, &[], None)
    }

    fn start_both(java_options: &str, settings: &[&str], link: Option<u16>) -> Kafka {
        let mut kafka = Kafka::not_started(java_options);
        kafka.behind = link.map(|link| (0, link));
        // Between finding a port free and listening on it another process may take it: then try again.
        for _ in 0..3 {
            let (listener, controller) = (port::free(), port::free());
            kafka.configure(&Place { node: 1, listener, controller, quorum: &[controller] }, settings);
            kafka.bootstrap = format!("127.0.0.1:{listener}");
            kafka.format(&uuid_in_kafkas_spelling());
            if kafka.try_start() {
                return kafka;
            }
        }
        panic!("kafka did not start:\n{}", kafka.log_tail());
    }

    fn not_started(java_options: &str) -> Kafka {
        let folder = tempfile::Builder::new().prefix("takings-kafka-").tempdir().expect("a folder").keep();
        let guard = Guard::new(&folder);
        fs::write(folder.join("java.options"), java_options.replace(' ', "\n")).expect("the folder is writable");
        Kafka { folder, port: 0, bootstrap: String::new(), replicas: 1, behind: None, process: None, guard }
    }

    /// `127.0.0.1:PORT`, for `bootstrap.servers`; of each broker of a cluster.
    pub fn bootstrap(&self) -> String {
        self.bootstrap.clone()
    }

    /// `kafka://127.0.0.1:PORT`, for `--source` and `--to`.
    pub fn url(&self) -> String {
        format!("kafka://{}", self.bootstrap())
    }

    /// The same by way of a link: see [`Kafka::start_behind`].
    pub fn url_through(&self, link: &Link) -> String {
        format!("kafka://127.0.0.1:{}", link.port())
    }

    /// The broker's process id, for `/proc`.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// A client configuration that connects here, and gives up soon.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.bootstrap()).set("reconnect.backoff.max.ms", "200");
        config
    }

    /// Stops the broker in an orderly way (SIGTERM) and waits for it.
    pub fn stop(&mut self) {
        self.end("TERM");
    }

    /// Kills the broker as a power cut would its process. What it had acknowledged is in the kernel's hands
    /// and survives.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// Starts the broker again on the same port and data, and returns once it answers. A broker that runs is
    /// stopped first.
    pub fn restart(&mut self) {
        if self.process.is_some() {
            self.stop();
        }
        assert!(self.try_start(), "kafka did not start again:\n{}", self.log_tail());
    }

    /// Stops the broker's clock (SIGSTOP): connections stay open, nothing answers.
    pub fn pause(&self) {
        signal(self.running(), "STOP");
    }

    /// Lets a paused broker go on.
    pub fn resume(&self) {
        signal(self.running(), "CONT");
    }

    fn running(&self) -> &Child {
        self.process.as_ref().expect("the broker runs")
    }

    fn end(&mut self, name: &str) {
        let mut process = self.process.take().expect("the broker runs");
        signal(&process, name);
        self.guard.release();
        wait::until("kafka's end", PATIENCE, || process.try_wait().expect("a child of ours"));
    }

    /// Writes `server.properties`, with these settings besides.
    fn configure(&mut self, place: &Place<'_>, settings: &[&str]) {
        let Place { node, listener, controller, quorum } = *place;
        let (mut also_listens, mut also_advertised) = (String::new(), String::new());
        if let Some((second, link)) = &mut self.behind {
            *second = port::free();
            also_listens = format!(",LINKED://127.0.0.1:{second}");
            also_advertised = format!(",LINKED://127.0.0.1:{link}");
        }
        let data = self.data();
        let voters: Vec<String> =
            quorum.iter().zip(1..).map(|(port, node)| format!("{node}@127.0.0.1:{port}")).collect();
        let (voters, copies, in_sync) = (voters.join(","), quorum.len(), quorum.len().min(2));
        let properties = format!(
            "process.roles=broker,controller\n\
             node.id={node}\n\
             controller.quorum.voters={voters}\n\
             listeners=PLAINTEXT://127.0.0.1:{listener},CONTROLLER://127.0.0.1:{controller}{also_listens}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{listener}{also_advertised}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LINKED:PLAINTEXT\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             offsets.topic.replication.factor={copies}\n\
             offsets.topic.num.partitions=1\n\
             transaction.state.log.replication.factor={copies}\n\
             transaction.state.log.min.isr={in_sync}\n\
             transaction.state.log.num.partitions=1\n\
             share.coordinator.state.topic.replication.factor={copies}\n\
             share.coordinator.state.topic.min.isr={in_sync}\n\
             share.coordinator.state.topic.num.partitions=1\n\
             # Nothing to wait for.\n\
             group.initial.rebalance.delay.ms=0\n\
             # A broker that was killed is taken back once its last session has ended.\n\
             broker.session.timeout.ms=2000\n\
             broker.heartbeat.interval.ms=200\n\
             # Deleted topics go now, so that one of the same name can be made anew.\n\
             log.segment.delete.delay.ms=0\n\
             # Records have timestamps of their own: retention, half a minute after the start, must not go by those.\n\
             log.retention.ms=-1\n\
             file.delete.delay.ms=0\n\
             # A transaction that nobody ends is aborted soon after its time-out.\n\
             transaction.abort.timed.out.transaction.cleanup.interval.ms=500\n\
             {}\n",
            data.display(),
            settings.join("\n")
        );
        let _ = fs::remove_dir_all(&data);
        fs::write(self.properties(), properties).expect("the folder is writable");
        self.port = listener;
    }

    /// Makes the data directory, with a cluster id of its own.
    fn format(&self, cluster: &str) {
        let output = self
            .java("kafka.tools.StorageTool")
            // In one argument: one id in 64 starts with a hyphen, and would be taken for an option.
            .args(["format", &format!("--cluster-id={cluster}"), "-c"])
            .arg(self.properties())
            .output()
            .expect("java can be started");
        assert!(
            output.status.success(),
            "kafka could not format its data directory: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Whether the broker came to answer; otherwise it has ended.
    fn try_start(&mut self) -> bool {
        self.spawn();
        self.answers(1, PATIENCE)
    }

    fn spawn(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).expect("the folder is writable");
        let process = self
            .java("kafka.Kafka")
            .arg(self.properties())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("java can be started");
        self.guard.watch(&process);
        self.process = Some(process);
    }

    /// Waits until it answers, and knows of so many brokers; `false` where it has ended.
    fn answers(&mut self, brokers: usize, patience: Duration) -> bool {
        let process = self.process.as_mut().expect("the broker runs");
        // Until the broker answers, each attempt to connect would be a line of log.
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", format!("127.0.0.1:{}", self.port))
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "50")
            .set("log_level", "0");
        let probe: BaseConsumer = config.create().expect("a consumer");
        wait::until("kafka's answer", patience, || {
            if process.try_wait().expect("a child of ours").is_some() {
                return Some(false);
            }
            // The broker is listed once it has registered itself and may lead partitions.
            let metadata = probe.fetch_metadata(None, Duration::from_millis(500)).ok()?;
            (metadata.brokers().len() >= brokers).then_some(true)
        })
    }

    fn java(&self, class: &str) -> Command {
        let mut command = Command::new("java");
        command
            .arg(format!("@{}", self.folder.join("java.options").display()))
            .arg("-Xshare:auto")
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
            .arg("-cp")
            .arg(installed("kafka/lib").join("*"))
            .arg(class)
            .current_dir(&self.folder);
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("broker.log")
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// A fresh cluster id: a UUID's bytes in URL-safe base 64, 22 characters.
fn uuid_in_kafkas_spelling() -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes())
}
