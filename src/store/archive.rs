//! The table `callsink.archive`: every accepted event, byte for byte, a partition per day.
//!
//! In: events as they came; days. Out: rows; pages of them in the order of the heap; partitions made and dropped.
//! Promises: writing needs no partition of its day, the default one takes what is left; every reading
//! statement reads a bounded number of blocks, so that none takes long however large a day is.

use super::erasure::Sought;
use super::error::StoreError;
use super::session::{Session, within};
use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::Row;

const INSERT: &str = include_str!("sql/insert_archive.sql");
const PARTITIONS: &str = include_str!("sql/select_archive_partitions.sql");
const PAGE: &str = include_str!("sql/select_archive_page.sql");
const PAGE_OF_DEFAULT: &str = include_str!("sql/select_archive_default_page.sql");
const COUNT: &str = include_str!("sql/count_archive_naming.sql");
const DELETE: &str = include_str!("sql/delete_archive_naming.sql");
const DELETE_SPAN: &str = include_str!("sql/delete_archive_of_calls.sql");
const CREATE: &str = include_str!("sql/create_archive_partition.sql");
const DROP: &str = include_str!("sql/drop_archive_partition.sql");

/// Blocks of 8 KiB in one page: from some hundred large events to some thousand that are kept out of line.
const PAGE_BLOCKS: i64 = 64;

/// An accepted event.
#[derive(Debug, Clone)]
pub struct ArchivedEvent {
    /// When it came.
    pub received: DateTime<Utc>,
    /// The call that it is a summary of.
    pub call_sid: Option<String>,
    /// As received.
    pub raw: bytes::Bytes,
}

/// A partition of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its day; `None`: the default partition.
    pub day: Option<NaiveDate>,
    /// Its size.
    pub blocks: i64,
}

/// A stretch of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// The day of the partition.
    pub day: Option<NaiveDate>,
    /// First block.
    pub from: i64,
}

impl Blocks {
    fn ends(self) -> [String; 2] {
        [self.from, self.from + PAGE_BLOCKS].map(|block| format!("({block},0)"))
    }

    fn day_span(self) -> Option<[DateTime<Utc>; 2]> {
        let day = self.day?;
        let next = day.checked_add_days(Days::new(1))?;
        Some([day, next].map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc()))
    }
}

impl Partition {
    /// The stretches of this partition.
    pub fn pages(&self) -> impl Iterator<Item = Blocks> + use<> {
        let (day, blocks) = (self.day, self.blocks);
        (0..=blocks / PAGE_BLOCKS).map(move |page| Blocks { day, from: page * PAGE_BLOCKS })
    }
}

impl Session {
    /// Archives `events`.
    ///
    /// # Errors
    /// See [`StoreError`]; nothing of `events` is in.
    pub async fn insert_archive(&mut self, events: &[ArchivedEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let statement = sqlx::query(INSERT)
            .bind(events.iter().map(|event| event.received).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.call_sid.as_deref()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| &*event.raw).collect::<Vec<&[u8]>>());
        let mut connection = self.take().await?;
        let inserted = within("archiving events", statement.execute(&mut connection)).await;
        self.give_back(connection, inserted).map(|_| ())
    }

    /// The partitions in the order of their days, the default one last.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn archive_partitions(&mut self) -> Result<Vec<Partition>, StoreError> {
        let mut connection = self.take().await?;
        let rows =
            within("listing the archive", sqlx::query(PARTITIONS).fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let partitions =
            rows.iter().map(|row| Ok(Partition { day: row.try_get(0)?, blocks: row.try_get(1)? }));
        partitions.collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)
    }

    /// The events in a stretch of a partition.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn archive_page(&mut self, blocks: Blocks) -> Result<Vec<ArchivedEvent>, StoreError> {
        let [from, to] = blocks.ends();
        let statement = match blocks.day_span() {
            Some([start, end]) => sqlx::query(PAGE).bind(from).bind(to).bind(start).bind(end),
            None => sqlx::query(PAGE_OF_DEFAULT).bind(from).bind(to),
        };
        let mut connection = self.take().await?;
        let rows = within("reading the archive", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let events = rows.iter().map(|row| {
            Ok(ArchivedEvent {
                received: row.try_get(0)?,
                call_sid: row.try_get(1)?,
                raw: row.try_get::<Vec<u8>, _>(2)?.into(),
            })
        });
        events.collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)
    }

    /// Counts, or deletes if it is meant, the events in a stretch of a partition that are of one of `sids` or whose
    /// bytes hold one of `sought`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn archive_naming(
        &mut self,
        blocks: Blocks,
        sids: &[String],
        sought: &[Sought],
        delete: bool,
    ) -> Result<u64, StoreError> {
        let [from, to] = blocks.ends();
        let span = blocks.day_span();
        let (needles, patterns) = Sought::columns(sought);
        let statement = sqlx::query(if delete { DELETE } else { COUNT })
            .bind(from)
            .bind(to)
            .bind(span.map(|[start, _]| start))
            .bind(span.map(|[_, end]| end))
            .bind(sids)
            .bind(needles)
            .bind(patterns);
        let mut connection = self.take().await?;
        let row = within("looking through the archive", statement.fetch_one(&mut connection)).await;
        let count: i64 = self.give_back(connection, row)?.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Deletes what was archived of `sids` within a span of time.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn delete_archived(
        &mut self,
        sids: &[String],
        span: [DateTime<Utc>; 2],
    ) -> Result<(), StoreError> {
        let statement = sqlx::query(DELETE_SPAN).bind(sids).bind(span[0]).bind(span[1]);
        let mut connection = self.take().await?;
        let deleted = within("erasing archived events", statement.execute(&mut connection)).await;
        self.give_back(connection, deleted).map(|_| ())
    }

    /// Makes the partition of `day`; whether it was not there.
    ///
    /// # Errors
    /// See [`StoreError`]; also when somebody holds a lock on the archive for seconds.
    pub async fn create_archive_partition(&mut self, day: NaiveDate) -> Result<bool, StoreError> {
        let mut connection = self.take().await?;
        let statement = sqlx::query(CREATE).bind(day);
        let row = within("making a partition", statement.fetch_one(&mut connection)).await;
        Ok(self.give_back(connection, row)?.try_get(0)?)
    }

    /// Drops the oldest partition before `day`: its day, and about how many events it had.
    ///
    /// # Errors
    /// As for [`Self::create_archive_partition`].
    pub async fn drop_archive_partition(
        &mut self,
        before: NaiveDate,
    ) -> Result<Option<(NaiveDate, u64)>, StoreError> {
        let mut connection = self.take().await?;
        let statement = sqlx::query(DROP).bind(before);
        let row = within("dropping a partition", statement.fetch_one(&mut connection)).await;
        let row = self.give_back(connection, row)?;
        let events: Option<i64> = row.try_get(1)?;
        let events = u64::try_from(events.unwrap_or(0)).unwrap_or(0);
        Ok(row.try_get::<Option<NaiveDate>, _>(0)?.map(|day| (day, events)))
    }
}
