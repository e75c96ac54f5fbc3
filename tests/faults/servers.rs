//! Kafka and PostgreSQL, each behind a link that can be cut.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postgres::{Client, NoTls, SimpleQueryMessage};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::ground::Ground;
use crate::plan::{Action, PARTITIONS, Server};
use crate::released;
use crate::shop::{Placed, Record, Topic};
use crate::support::kafka::{Kafka, Message};
use crate::support::link::{Link, Traffic};
use crate::support::postgres::PostgresServer;
use crate::support::wait;
use crate::tables::Look;

/// Two servers of its own.
pub struct Servers {
    kafka: Kafka,
    to_kafka: Link,
    postgres: PostgresServer,
    to_postgres: Link,
    postgres_runs: bool,
    partitions: u16,
    /// How often the logs began anew of those partitions that ever did.
    incarnations: BTreeMap<(Topic, u16), u8>,
    /// The offset after each partition's last record.
    ends: BTreeMap<(Topic, u16), u64>,
    /// The database now; watchers follow it.
    database: Arc<Mutex<String>>,
}

impl Servers {
    /// Both servers, with empty topics and an empty database.
    pub fn start() -> Servers {
        let to_kafka = Link::new();
        let kafka = Kafka::start_behind(&to_kafka);
        for topic in Topic::ALL {
            kafka.create_topic(topic.name(), topic.partitions().into());
        }
        let postgres = PostgresServer::start();
        let to_postgres = Link::to(postgres.port());
        let database = Arc::new(Mutex::new(postgres.fresh_database()));
        Servers {
            kafka,
            to_kafka,
            postgres,
            to_postgres,
            postgres_runs: true,
            partitions: PARTITIONS.0,
            incarnations: BTreeMap::new(),
            ends: BTreeMap::new(),
            database,
        }
    }

    fn partitions(&self, topic: Topic) -> u16 {
        if topic == Topic::ProductSold { self.partitions } else { topic.partitions() }
    }

    /// The log of a partition begins anew where there was one: nothing was counted of a partition that never held a
    /// record, nor is one that was emptied another log when it is emptied again. `as_another_topic`: by its id it is.
    fn begins_anew(&mut self, topic: Topic, partition: u16, as_another_topic: bool) {
        let place = (topic, partition);
        let held_records = self.ends.remove(&place).is_some();
        if held_records || (as_another_topic && self.incarnations.contains_key(&place)) {
            *self.incarnations.entry(place).or_default() += 1;
        }
    }

    fn database(&self) -> String {
        self.database.lock().expect("nobody panics with it").clone()
    }

    fn start_postgres(&mut self) {
        if !self.postgres_runs {
            self.postgres.start_again();
            self.postgres_runs = true;
        }
    }
}

impl Ground for Servers {
    fn job(&self) -> String {
        let store = self.postgres.through(&self.to_postgres, &self.postgres.url(&self.database()));
        // The command that goes on in a log that began anew, which whatever restarts the job repeats for ever.
        let anew = self.incarnations.keys();
        let resume: String =
            anew.map(|(topic, partition)| format!(" --resume-at {}/{partition}=0", topic.name())).collect();
        format!("--source {} --store {store}{resume}", self.kafka.url_through(&self.to_kafka))
    }

    fn straight(&self) -> String {
        format!("--source {} --store {}", self.kafka.url(), self.postgres.url(&self.database()))
    }

    fn write(&mut self, records: Vec<Record>) -> Vec<Placed> {
        let mut by_topic: BTreeMap<Topic, Vec<Record>> = BTreeMap::new();
        for record in records {
            by_topic.entry(record.topic).or_default().push(record);
        }
        let mut all = Vec::new();
        for (topic, records) in by_topic {
            let messages: Vec<Message> = records.iter().map(message).collect();
            let places = self.kafka.produce(topic.name(), &messages);
            let placed = |(record, place): (Record, crate::support::kafka::Placed)| {
                assert_eq!(i32::from(record.partition), place.partition, "{record:?}");
                let incarnation = self.incarnations.get(&(topic, record.partition)).copied().unwrap_or(0);
                Placed { record, incarnation, offset: place.offset as u64 }
            };
            all.extend(records.into_iter().zip(places).map(placed));
        }
        for Placed { record, offset, .. } in &all {
            self.ends.insert((record.topic, record.partition), offset + 1);
        }
        all
    }

    fn suffer(&mut self, action: Action, records: Vec<Record>, chance: &mut ChaCha8Rng) {
        match action {
            Action::ToKafka(traffic) => self.to_kafka.set(traffic),
            Action::ToPostgres(traffic) => self.to_postgres.set(traffic),
            Action::LoseAnswers(Server::Kafka) => self.to_kafka.lose_answers(),
            Action::LoseAnswers(Server::Postgres) => self.to_postgres.lose_answers(),
            Action::RestartKafka { kill } => {
                if kill {
                    self.kafka.kill();
                } else {
                    self.kafka.stop();
                }
                self.kafka.restart();
            }
            Action::FreezeKafka(millis) => {
                self.kafka.pause();
                std::thread::sleep(Duration::from_millis(millis.into()));
                self.kafka.resume();
            }
            Action::StopPostgres { kill } if self.postgres_runs => {
                if kill {
                    self.postgres.kill();
                } else {
                    self.postgres.stop();
                }
                self.postgres_runs = false;
            }
            Action::StartPostgres => self.start_postgres(),
            Action::Abort(_) => {
                let transaction = self.kafka.transaction(&format!("shop {}", chance.random::<u64>()));
                let messages: Vec<Message> = records.iter().map(message).collect();
                transaction.produce(Topic::ProductSold.name(), &messages);
                transaction.abort();
            }
            Action::AddPartition => {
                self.partitions += 1;
                self.kafka.add_partitions(Topic::ProductSold.name(), self.partitions.into());
            }
            Action::Retain(topic, partition, hundredths) => {
                let partition = u16::from(partition) % self.partitions(topic);
                let end = self.ends.get(&(topic, partition)).copied().unwrap_or(0);
                let before = (end * u64::from(hundredths)).div_ceil(100);
                self.kafka.delete_records_before(topic.name(), partition.into(), before as i64);
            }
            Action::Renew(topic) => {
                self.kafka.delete_topic(topic.name());
                self.kafka.create_topic(topic.name(), self.partitions(topic).into());
                (0..self.partitions(topic)).for_each(|partition| self.begins_anew(topic, partition, true));
            }
            Action::LoseLog(topic, partition) => {
                let partition = u16::from(partition) % self.partitions(topic);
                self.kafka.stop();
                self.kafka.lose_records(topic.name(), partition.into());
                self.kafka.restart();
                self.begins_anew(topic, partition, false);
            }
            _ => {}
        }
    }

    fn heal(&mut self) -> Vec<Placed> {
        self.to_kafka.set(Traffic::Flows);
        self.to_postgres.set(Traffic::Flows);
        self.start_postgres();
        Vec::new()
    }

    fn to_last_release(&mut self) {
        let now = self.database();
        // A commit that was under way when the job was killed is done or undone before the copy is made.
        let mut client = self.postgres.client("postgres");
        wait::until("the job's sessions end", Duration::from_secs(60), || {
            let left = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE datname = $1 AND application_name LIKE 'takings run%'";
            let left: i64 = client.query_one(left, &[&now]).expect("the server answers").get(0);
            (left == 0).then_some(())
        });
        let released = released::postgres(&self.postgres, &now);
        *self.database.lock().expect("nobody panics with it") = released;
    }

    fn look(&self) -> Box<dyn Look> {
        let url = self.postgres.url("");
        Box::new(PostgresEyes { url, database: self.database.clone(), session: None })
    }
}

fn message(record: &Record) -> Message {
    Message {
        partition: Some(record.partition.into()),
        key: record.key.clone().map(String::into_bytes),
        payload: record.payload.clone().map(String::into_bytes),
        timestamp: Some(record.timestamp),
        headers: Vec::new(),
    }
}

struct PostgresEyes {
    url: String,
    database: Arc<Mutex<String>>,
    session: Option<(String, Client)>,
}

impl Look for PostgresEyes {
    fn is_postgres(&self) -> bool {
        true
    }

    fn look(&mut self, queries: &[String]) -> Result<Vec<Vec<Vec<String>>>, String> {
        let database = self.database.lock().expect("nobody panics with it").clone();
        let session = self.session.take().filter(|(connected, _)| *connected == database);
        let mut client = match session {
            Some((_, client)) => client,
            None => Client::connect(&format!("{}{database}", self.url), NoTls).map_err(|error| error.to_string())?,
        };
        let mut see = || -> Result<_, postgres::Error> {
            client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let answers = queries.iter().map(|query| Ok(texts(client.simple_query(query)?))).collect();
            client.batch_execute("COMMIT")?;
            answers
        };
        let told = |error: postgres::Error| error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        let seen = see().map_err(told)?;
        self.session = Some((database, client));
        Ok(seen)
    }
}

fn texts(answers: Vec<SimpleQueryMessage>) -> Vec<Vec<String>> {
    let rows = answers.into_iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or("null").to_owned()).collect()).collect()
}
