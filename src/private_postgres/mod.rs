//! Private PostgreSQL (being written).
