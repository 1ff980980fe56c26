//! What analysts are handed: data dictionary, dbt sources, dashboards, answered questions.

mod dictionary;
mod grafana;
mod questions;
mod seed;
