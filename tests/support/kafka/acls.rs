//! Rights of clients: for brokers that were started with [`AUTHORIZER`](super::Kafka::AUTHORIZER).

use super::Kafka;

impl Kafka {
    /// The settings of a broker that asks for rights, and allows all where none is written down.
    pub const AUTHORIZER: &[&str] = &[
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found=true",
    ];

    /// Takes a right to a topic, `Read` or `Describe`, from everybody; they have all others still.
    ///
    /// # Panics
    /// When Kafka's own tool fails.
    pub fn deny(&self, right: &str, topic: &str) {
        self.acls(&format!("--add --allow-principal User:* --operation All --topic {topic}"));
        self.acls(&format!("--add --deny-principal User:* --operation {right} --topic {topic}"));
    }

    /// Gives it back.
    ///
    /// # Panics
    /// As [`Kafka::deny`].
    pub fn allow(&self, right: &str, topic: &str) {
        self.acls(&format!("--remove --force --deny-principal User:* --operation {right} --topic {topic}"));
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
