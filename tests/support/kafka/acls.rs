//! Rights of clients: for brokers that were started with [`AUTHORIZER`](super::Kafka::AUTHORIZER).

use super::Kafka;

impl Kafka {
    /// The settings of a broker that asks for rights, and allows all where none is written down.
    pub const AUTHORIZER: &[&str] = &[
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found=true",
    ];

    /// Takes the right to read a topic from everybody; they may still write and describe it.
    ///
    /// # Panics
    /// When Kafka's own tool fails.
    pub fn deny_reading(&self, topic: &str) {
        for rights in ["--allow-principal User:* --operation All", "--deny-principal User:* --operation Read"] {
            self.acls(&format!("--add {rights} --topic {topic}"));
        }
    }

    /// Gives it back.
    ///
    /// # Panics
    /// As [`Kafka::deny_reading`].
    pub fn allow_reading(&self, topic: &str) {
        self.acls(&format!("--remove --force --deny-principal User:* --operation Read --topic {topic}"));
    }

    fn acls(&self, words: &str) {
        let output = self
            .java("org.apache.kafka.tools.AclCommand")
            .args(["--bootstrap-server", &self.bootstrap()])
            .args(words.split(' '))
            .output()
            .expect("java can be started");
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&said));
    }
}
