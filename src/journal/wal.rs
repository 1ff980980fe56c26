//! Whether a write-ahead log is whole, looked at without SQLite, which takes what comes before the first
//! bad frame and says nothing of the rest.
//!
//! In: the `-wal` file. Out: whether it is damaged in the middle, and where its pages are.
//! Promises: memory is bounded by the log's number of pages; nothing is written.
//!
//! Source: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>. A frame's checksum continues that
//! of the frame before. A torn tail is what a kill leaves: nothing good follows it, and nothing in it was
//! acknowledged. A bad frame with good ones behind it was once synced: that is damage.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// One page in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Which page of the file this is a later version of; counted from 1.
    pub(super) page: u32,
    /// Where its bytes begin.
    pub(super) offset: u64,
}

/// What a log holds.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Every frame of the log's current round, good or bad, in order.
    pub(super) frames: Vec<Frame>,
    /// Bytes were changed after they had been written.
    pub(super) is_damaged: bool,
}

/// Reads the log at `path`; one that is not there is empty.
pub(super) fn read(path: &Path, page_size: usize) -> io::Result<Log> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Log::default()),
        file => file?,
    };
    let length = file.metadata()?.len();
    let mut header = [0; HEADER];
    let step = FRAME_HEADER + page_size;
    if length < (HEADER + step) as u64 {
        return Ok(Log::default()); // no frame was ever finished
    }
    file.read_exact_at(&mut header, 0)?;
    let big_endian = match word(&header, 0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return headless(&file, length, step),
    };
    let sum = checksum(big_endian, (0, 0), &header[..24]);
    let is_whole = sum == pair(&header, 24) && word(&header, 8) as usize == page_size;
    if !is_whole {
        return headless(&file, length, step);
    }
    let salts = pair(&header, 16);
    let mut log = Log::default();
    let (mut good, mut previous) = (true, sum);
    let mut bytes = vec![0; step];
    for offset in offsets(length, step) {
        file.read_exact_at(&mut bytes, offset)?;
        if pair(&bytes, 8) != salts {
            good = false;
            // Of an earlier round; or of this one, with damaged salts, which those behind will show.
            previous = pair(&bytes, 16);
            continue;
        }
        let sum = checksum(big_endian, previous, &bytes[..8]);
        let sum = checksum(big_endian, sum, &bytes[FRAME_HEADER..]);
        let follows = sum == pair(&bytes, 16);
        // Behind a bad frame, one that ends a commit and follows its neighbour. What a transaction that
        // was rolled back has left behind the end has no such frame.
        log.is_damaged |= !good && follows && word(&bytes, 4) > 0;
        good &= follows;
        previous = pair(&bytes, 16);
        log.frames.push(frame(&bytes, offset));
    }
    Ok(log)
}

/// A log without a readable header: SQLite would ignore all of it.
fn headless(file: &File, length: u64, step: usize) -> io::Result<Log> {
    let mut header = [0; FRAME_HEADER];
    let frames = offsets(length, step).map(|offset| {
        file.read_exact_at(&mut header, offset)?;
        Ok(frame(&header, offset))
    });
    Ok(Log { frames: frames.collect::<io::Result<_>>()?, is_damaged: true })
}

fn frame(bytes: &[u8], offset: u64) -> Frame {
    Frame { page: word(bytes, 0), offset: offset + FRAME_HEADER as u64 }
}

fn offsets(length: u64, step: usize) -> impl Iterator<Item = u64> {
    let frames = (length - HEADER as u64) / step as u64;
    (0..frames).map(move |number| HEADER as u64 + number * step as u64)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn pair(bytes: &[u8], at: usize) -> (u32, u32) {
    (word(bytes, at), word(bytes, at + 4))
}

/// The log's own checksum: two sums over pairs of words, in the byte order that the magic number tells.
fn checksum(big_endian: bool, start: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let read = |four: &[u8]| {
        let four = [four[0], four[1], four[2], four[3]];
        if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    bytes.chunks_exact(8).fold(start, |(first, second), eight| {
        let first = first.wrapping_add(read(&eight[..4])).wrapping_add(second);
        (first, second.wrapping_add(read(&eight[4..])).wrapping_add(first))
    })
}
