#!/usr/bin/env bash
# Fetches Apache Kafka from Maven Central into target/kafka/lib, as tests/support/kafka/pom.xml pins it.
# Tests and benches start their own brokers from there. Says nothing when it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

pom=tests/support/kafka/pom.xml
home=${CARGO_TARGET_DIR:-target}/kafka

# The pom is copied last, so an interrupted download is done again.
if cmp -s "$pom" "$home/pom.xml"; then
    exit 0
fi
for program in java mvn; do
    if ! command -v "$program" >/dev/null; then
        echo "kafka: $program is missing; install a JDK (17 or newer) and Maven: apt-get install default-jdk-headless maven" >&2
        exit 1
    fi
done

echo "kafka: fetching $(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$pom") from Maven Central"
rm -rf "$home/lib" "$home/pom.xml"
mkdir -p "$home/lib"
copy() { mvn -q -B -ntp "$@" -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$(realpath "$home")/lib" </dev/null; }
# Twice, for a registry that hiccups. Offline first: a machine that has them all needs no network.
copy -o >/dev/null 2>&1 || copy || copy
cp "$pom" "$home/pom.xml"
