//! What analysts are handed: data dictionary, dbt sources.

mod dictionary;
