//! callsink (being written).
pub mod verify;
pub mod private_postgres;
pub mod simulate;
