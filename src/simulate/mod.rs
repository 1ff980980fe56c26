//! Simulate (being written).
