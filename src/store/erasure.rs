//! What `callsink erase` looks for: calls by who took part, and raw events that speak of either.
//!
//! In: a page of a table and what to look for. Out: what was found in it; deletions.
//! Promises: every statement reads a bounded page, so that none takes long however large the table is.

use super::error::StoreError;
use super::session::{Session, within};
use sqlx::Row;

const PARTIES: &str = include_str!("sql/select_parties.sql");
const CALLS: &str = include_str!("sql/select_calls.sql");
const SIZE: &str = include_str!("sql/select_table_size.sql");

/// Rows of `call_summaries` in one page; the page's rows are read from the heap, payloads are not.
const PARTY_PAGE: i64 = 20_000;

/// Raw events in one page; each is read whole.
const RAW_PAGE: i64 = 2_000;

/// A call and everything in its row that names a party.
#[derive(Debug, Clone)]
pub struct Parties {
    /// The call.
    pub call_sid: String,
    /// Numbers and addresses, as Twilio wrote them.
    pub names: Vec<String>,
}

/// A page of calls that may be meant.
#[derive(Debug, Clone)]
pub struct PartyPage {
    /// The last call of the page; `None` behind the end of the table.
    pub last_call_sid: Option<String>,
    /// Calls with one of the needles in a party column.
    pub candidates: Vec<Parties>,
}

/// What a raw event may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// A text that must be in it, to the letter.
    pub needle: String,
    /// A regular expression that must match, too: that the text is a word and no part of one. May be empty.
    pub pattern: String,
}

impl Sought {
    /// Two columns.
    pub(super) fn columns(sought: &[Self]) -> (Vec<&str>, Vec<&str>) {
        sought.iter().map(|sought| (&*sought.needle, &*sought.pattern)).unzip()
    }
}

/// Tables that keep raw events by a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawTable {
    /// `callsink.dead_letters`
    DeadLetters,
    /// `callsink.events`
    Events,
}

/// A page of raw events that speak of one of the needles.
#[derive(Debug, Clone)]
pub struct RawPage {
    /// The last digest of the page; `None` behind the end of the table.
    pub last_digest: Option<Vec<u8>>,
    /// Events found.
    pub found: Vec<Vec<u8>>,
}

impl RawTable {
    fn find(self) -> &'static str {
        match self {
            Self::DeadLetters => include_str!("sql/select_letters_naming.sql"),
            Self::Events => include_str!("sql/select_events_naming.sql"),
        }
    }

    fn delete(self) -> &'static str {
        match self {
            Self::DeadLetters => include_str!("sql/delete_dead_letters.sql"),
            Self::Events => include_str!("sql/delete_events.sql"),
        }
    }
}

impl Session {
    /// Calls after `after` whose party columns hold one of `needles`, spaces and punctuation of numbers aside.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn parties_after(
        &mut self,
        after: &str,
        needles: &[String],
    ) -> Result<PartyPage, StoreError> {
        let statement = sqlx::query(PARTIES).bind(after).bind(needles).bind(PARTY_PAGE);
        let mut connection = self.take().await?;
        let rows = within("looking for calls", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let mut page = PartyPage { last_call_sid: None, candidates: Vec::new() };
        for row in rows {
            match row.try_get::<Option<Vec<String>>, _>(1)? {
                None => page.last_call_sid = row.try_get(0)?,
                Some(names) => {
                    page.candidates.push(Parties { call_sid: row.try_get(0)?, names });
                }
            }
        }
        Ok(page)
    }

    /// Those of `sids` that have a row.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn calls_among(&mut self, sids: &[String]) -> Result<Vec<String>, StoreError> {
        let statement = sqlx::query(CALLS).bind(sids);
        let mut connection = self.take().await?;
        let rows = within("looking for calls", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let sids = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>();
        sids.map_err(StoreError::from)
    }

    /// About how many rows `call_summaries` has, as PostgreSQL last counted.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn estimated_calls(&mut self) -> Result<u64, StoreError> {
        let mut connection = self.take().await?;
        let row = within("counting calls", sqlx::query(SIZE).fetch_one(&mut connection)).await;
        let count: i64 = self.give_back(connection, row)?.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Raw events of `table` after the digest `after` whose bytes hold one of `sought`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn raw_naming_after(
        &mut self,
        table: RawTable,
        after: &[u8],
        sought: &[Sought],
    ) -> Result<RawPage, StoreError> {
        let (needles, patterns) = Sought::columns(sought);
        let statement =
            sqlx::query(table.find()).bind(after).bind(needles).bind(RAW_PAGE).bind(patterns);
        let mut connection = self.take().await?;
        let rows = within("looking through raw events", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let mut page = RawPage { last_digest: None, found: Vec::new() };
        for row in rows {
            match row.try_get(1)? {
                true => page.found.push(row.try_get(0)?),
                false => page.last_digest = row.try_get(0)?,
            }
        }
        Ok(page)
    }

    /// Deletes raw events of `table`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn delete_raw(
        &mut self,
        table: RawTable,
        digests: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let statement = sqlx::query(table.delete()).bind(digests);
        let mut connection = self.take().await?;
        let deleted = within("deleting raw events", statement.execute(&mut connection)).await;
        self.give_back(connection, deleted).map(|_| ())
    }
}
