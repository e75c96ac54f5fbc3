//! What tests start around takings: real servers, thrown away afterwards.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

pub mod postgres;
pub mod proxy;
pub mod stores;
