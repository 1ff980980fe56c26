//! What a database error means for us: try again, or look for the event that caused it.
//!
//! Source: PostgreSQL's SQLSTATE classes. When in doubt, trying again: that loses nothing.

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The database is away, restarting, read-only, out of something, or not set up for us: try again.
    Transient,
    /// It refused what we sent for its content: without the event that caused it the rest goes in.
    Content,
}

/// A failed statement.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What to do about it.
    pub trouble: Trouble,
    /// SQLSTATE, where PostgreSQL itself answered.
    pub sqlstate: Option<String>,
    /// What was said, on one line; never the values that were sent.
    pub message: String,
}

impl StoreError {
    /// A statement or connection that took longer than its limit.
    #[must_use]
    pub fn timed_out(what: &str) -> Self {
        let message = format!("{what} got no answer from PostgreSQL in time");
        Self { trouble: Trouble::Transient, sqlstate: None, message }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            // The text of an encoding error could hold a value; of an I/O error it can't.
            let message = match &error {
                sqlx::Error::Encode(_) => "a value could not be encoded".to_owned(),
                other => one_line(&other.to_string()),
            };
            return Self { trouble: Trouble::Transient, sqlstate: None, message };
        };
        let sqlstate = database.code().map(std::borrow::Cow::into_owned);
        let trouble = sqlstate.as_deref().map_or(Trouble::Transient, trouble);
        // The primary message may quote a value (invalid input syntax ...: "..."), so of refused
        // content only the class is told.
        let message = match trouble {
            Trouble::Transient => one_line(database.message()),
            Trouble::Content => {
                format!("PostgreSQL refused the content ({})", meaning(sqlstate.as_deref()))
            }
        };
        Self { trouble, sqlstate, message }
    }
}

/// Classes 22 data exception, 23 integrity constraint, 54 program limit exceeded, and 21 cardinality
/// speak of the rows that were sent. All others of the server's state or ours.
fn trouble(sqlstate: &str) -> Trouble {
    match sqlstate.get(..2) {
        Some("21" | "22" | "23" | "54") => Trouble::Content,
        _ => Trouble::Transient,
    }
}

fn meaning(sqlstate: Option<&str>) -> &'static str {
    match sqlstate.and_then(|code| code.get(..2)) {
        Some("22") => "data exception",
        Some("23") => "integrity constraint",
        Some("54") => "too large or too deep",
        _ => "cardinality",
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
