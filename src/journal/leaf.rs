//! Entries from the bare pages of a journal, for the part of a damaged file that SQLite can't reach.
//!
//! In: the file and the pages of its log. Out: every entry that stands whole on some page, in no order,
//! some twice, some that were forgotten long ago: the caller says which it misses.
//! Promises: memory is bounded by the largest entry; an entry comes out as it was written or not at all, so
//! those of layout 1, which have no checksum, do not; nothing is written.
//!
//! Source: <https://www.sqlite.org/fileformat2.html>, "B-tree Pages" and "Record Format".

use super::Entry;
use super::checksum::check;
use super::reader::time;
use super::wal::Log;
use bytes::Bytes;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The size of a page in every journal; see `create_entries.sql`.
pub(super) const PAGE: usize = 8192;

/// First byte of a page that holds rows of a table.
const TABLE_LEAF: u8 = 13;

/// Whether a page came from the file or from its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    File,
    Log,
}

/// All pages there are.
pub(super) struct Pages {
    file: File,
    file_pages: u32,
    log: Option<(File, Log)>,
    /// The latest version of a page in the log.
    latest: HashMap<u32, u64>,
}

/// A row as far as it stands on its page.
struct Cell<'p> {
    position: u64,
    length: usize,
    local: &'p [u8],
    overflow: Option<u32>,
}

impl Pages {
    pub(super) fn new(file: File, log: Option<(File, Log)>) -> io::Result<Self> {
        let pages = file.metadata()?.len() / PAGE as u64;
        let frames = log.iter().flat_map(|(_, log)| &log.frames);
        let latest = frames.map(|frame| (frame.page, frame.offset)).collect();
        let file_pages = u32::try_from(pages).unwrap_or(u32::MAX);
        Ok(Self { file, file_pages, log, latest })
    }

    /// Gives every whole entry that `wanted` wants by source and position to `on`.
    pub(super) fn entries<E: From<io::Error>>(
        &self,
        wanted: impl Fn(Source, u64) -> bool,
        mut on: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut page = [0; PAGE];
        let mut leaf = |source, page: &[u8]| {
            for cell in cells(page).filter(|cell| wanted(source, cell.position)) {
                // A chain may go on in the log or in the file, whichever is whole.
                let entry = self.assemble(&cell, true).or_else(|| self.assemble(&cell, false));
                entry.map_or(Ok(()), &mut on)?;
            }
            Ok::<(), E>(())
        };
        for number in 1..=self.file_pages {
            self.file.read_exact_at(&mut page, offset(number))?;
            leaf(Source::File, &page)?;
        }
        if let Some((file, log)) = &self.log {
            for frame in &log.frames {
                file.read_exact_at(&mut page, frame.offset)?;
                leaf(Source::Log, &page)?;
            }
        }
        Ok(())
    }

    fn assemble(&self, cell: &Cell<'_>, from_log: bool) -> Option<Entry> {
        let mut payload = cell.local.to_vec();
        let mut next = cell.overflow;
        let mut page = [0; PAGE];
        // Every page of a chain adds some, so this ends even if the chain is a circle.
        while let Some(number) = next.filter(|_| payload.len() < cell.length) {
            let in_log = self.latest.get(&number).filter(|_| from_log).zip(self.log.as_ref());
            match in_log {
                Some((&at, (log, _))) => log.read_exact_at(&mut page, at).ok()?,
                None if (1..=self.file_pages).contains(&number) => {
                    self.file.read_exact_at(&mut page, offset(number)).ok()?;
                }
                None => return None,
            }
            let take = (cell.length - payload.len()).min(PAGE - 4);
            payload.extend_from_slice(&page[4..4 + take]);
            next = Some(u32::from_be_bytes([page[0], page[1], page[2], page[3]]));
        }
        if payload.len() == cell.length { entry(cell.position, &payload) } else { None }
    }
}

fn offset(page: u32) -> u64 {
    u64::from(page - 1) * PAGE as u64
}

/// The rows of a page, if it is one that holds rows.
fn cells(page: &[u8]) -> impl Iterator<Item = Cell<'_>> {
    let count = match page[0] {
        TABLE_LEAF => usize::from(u16::from_be_bytes([page[3], page[4]])),
        _ => 0,
    };
    let pointers = page[8..].chunks_exact(2).take(count);
    pointers.filter_map(|at| cell(page.get(usize::from(u16::from_be_bytes([at[0], at[1]]))..)?))
}

fn cell(bytes: &[u8]) -> Option<Cell<'_>> {
    let (length, bytes) = varint(bytes)?;
    let (position, bytes) = varint(bytes)?;
    let length = usize::try_from(length).ok().filter(|length| *length <= 1 << 31)?;
    // How much of a row stays on its page: "B-tree Cell Format".
    let (max, min) = (PAGE - 35, (PAGE - 12) * 32 / 255 - 23);
    if length <= max {
        return Some(Cell { position, length, local: bytes.get(..length)?, overflow: None });
    }
    let fitting = min + (length - min) % (PAGE - 4);
    let local = if fitting <= max { fitting } else { min };
    let after = bytes.get(local..local + 4)?;
    let overflow = Some(u32::from_be_bytes([after[0], after[1], after[2], after[3]]));
    Some(Cell { position, length, local: &bytes[..local], overflow })
}

/// A record of the table `entries`: the position, which is NULL as it stands in the cell, the time, the
/// body and the checksum. What looks otherwise is of another table.
fn entry(position: u64, payload: &[u8]) -> Option<Entry> {
    let (header, _) = varint(payload)?;
    let header = usize::try_from(header).ok()?;
    let (mut types, mut values) = (payload.get(..header)?, payload.get(header..)?);
    (_, types) = varint(types)?;
    let mut kinds = Vec::with_capacity(4);
    while !types.is_empty() && kinds.len() <= 4 {
        let (kind, rest) = varint(types)?;
        kinds.push(kind);
        types = rest;
    }
    let [position_kind, received, body, checksum] = kinds[..] else { return None };
    if position == 0 || position > i64::MAX as u64 || position_kind != 0 {
        return None;
    }
    let received = integer(received, &mut values)?;
    let length = usize::try_from(body.checked_sub(12).filter(|twice| twice % 2 == 0)? / 2).ok()?;
    let body = values.split_off(..length)?;
    let checksum = integer(checksum, &mut values)?;
    check(position, received, body, Some(checksum)).ok()?;
    let body = Bytes::copy_from_slice(body);
    values.is_empty().then(|| Entry { position, received: time(received), body })
}

/// A whole number of the given serial type, off the front of `values`. NULL is none.
fn integer(kind: u64, values: &mut &[u8]) -> Option<i64> {
    let length = match kind {
        8 | 9 => return Some(i64::from(kind == 9)),
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 => 8,
        _ => return None,
    };
    let bytes = values.split_off(..length)?;
    let negative = bytes[0] & 0x80 != 0;
    let start: i64 = if negative { -1 } else { 0 };
    Some(bytes.iter().fold(start, |value, byte| (value << 8) | i64::from(*byte)))
}

/// A number of one to nine bytes, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (count, byte) in bytes.iter().enumerate().take(9) {
        if count == 8 {
            return Some(((value << 8) | u64::from(*byte), &bytes[9..]));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[count + 1..]));
        }
    }
    None
}
