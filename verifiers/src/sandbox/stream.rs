//! What a box writes: taken as it comes, so that it never waits for us, and kept up to a limit.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::handover::pipe;
use crate::pipe::{Received, take};

/// Bytes taken at once.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;
/// Chunks taken in a row, so that a flood does not keep from looking at the clock.
pub(crate) const MOST_CHUNKS: usize = 32;

/// Which part is kept of what is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Start,
    End,
}

/// The read end of a pipe.
#[derive(Debug)]
pub(crate) struct Stream {
    /// None once nobody can write any more.
    fd: Option<OwnedFd>,
    keep: Keep,
    limit: usize,
    kept: Vec<u8>,
    /// Whether something was left out.
    pub(crate) is_cut: bool,
}

impl Stream {
    /// A stream, and the end to write to.
    pub(crate) fn new(keep: Keep, limit: usize) -> std::io::Result<(Self, OwnedFd)> {
        let (reader, writer) = pipe()?;
        Ok((Self { fd: Some(reader), keep, limit, kept: Vec::new(), is_cut: false }, writer))
    }

    /// To wait for.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.fd.is_some()
    }

    /// Takes what there is and hands it on besides keeping it.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&[u8])) {
        let mut chunk = [0; CHUNK_BYTES];
        for _ in 0..MOST_CHUNKS {
            let Some(fd) = &self.fd else { return };
            match take(fd, &mut chunk) {
                Received::Bytes(count) => {
                    each(&chunk[..count]);
                    self.add(&chunk[..count]);
                }
                Received::Nothing => return,
                Received::End => self.fd = None,
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        match self.keep {
            Keep::Start => {
                let room = self.limit.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
                self.is_cut |= bytes.len() > room;
            }
            Keep::End => {
                self.kept.extend_from_slice(bytes);
                let excess = self.kept.len().saturating_sub(self.limit);
                self.kept.drain(..excess);
                self.is_cut |= excess > 0;
            }
        }
    }

    /// What was kept.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// The last line that is not blank, for messages.
    pub(crate) fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.kept);
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Some(crate::error::shorten(line, 300))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_part_is_kept_and_all_is_taken() {
        for (keep, expected) in [(Keep::Start, b"0123"), (Keep::End, b"6789")] {
            let (mut stream, writer) = Stream::new(keep, 4).unwrap();
            let mut writer = std::fs::File::from(writer);
            writer.write_all(b"01234").unwrap();
            let mut seen = 0;
            stream.drain(|bytes| seen += bytes.len());
            assert!(stream.is_open() && seen == 5);
            writer.write_all(b"56789").unwrap();
            drop(writer);
            stream.drain(|bytes| seen += bytes.len());
            assert!(!stream.is_open() && stream.is_cut && seen == 10);
            assert_eq!(stream.kept(), expected);
        }
    }
}
