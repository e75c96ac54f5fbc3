//! Tells Cargo that the dashboard's files are part of the program: built after it, they are embedded
//! by the next build. And has the linker keep librdkafka from what `src/source/kafka/leader_hints.rs` says.

#![allow(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]

fn main() {
    // Cargo takes a folder that is missing for one that changed, and would build anew each time. Where
    // it can not be made, nothing is embedded all the same.
    let _ = std::fs::create_dir_all("dashboard/dist");
    println!("cargo:rerun-if-changed=dashboard/dist");
    println!("cargo:rerun-if-changed=sql");
    // Linkers of ELF know it; those of macOS and Windows do not.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg=-Wl,--wrap=rd_kafka_metadata_update_op");
    }
}
