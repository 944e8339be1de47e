//! Reads lines of bounded length from a stream, and bounds how many bytes of them are held at once.

use std::io::{BufRead, ErrorKind, Read};
use std::sync::{Condvar, Mutex, PoisonError};

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes.
    Whole(Vec<u8>),
    /// It is longer than allowed, this many bytes.
    TooLong(u64),
}

/// The next line; none at the end. What is beyond `limit` bytes is read and forgotten.
pub(super) fn next_line(source: &mut impl BufRead, limit: usize) -> std::io::Result<Option<Line>> {
    let mut line = Vec::new();
    // One byte more than allowed for the line's end.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    loop {
        match source.by_ref().take(most - line.len() as u64).read_until(b'\n', &mut line) {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(Line::Whole(line)));
    }
    if (line.len() as u64) < most {
        return Ok(Some(Line::Whole(line)));
    }
    let length = line.len() as u64 + skip_line(source)?;
    Ok(Some(Line::TooLong(length)))
}

/// Reads to the line's end; how many bytes it had.
fn skip_line(source: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = match source.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        skipped += end.unwrap_or(used) as u64;
        source.consume(used);
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

/// Counts bytes that are held. Taking waits while too many are, unless none are: one piece may be larger than the limit.
pub(super) struct Held {
    limit: usize,
    bytes: Mutex<usize>,
    given_back: Condvar,
}

impl Held {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, bytes: Mutex::new(0), given_back: Condvar::new() }
    }

    /// Waits until `bytes` more may be held, and counts them.
    pub(super) fn take(&self, bytes: usize) {
        let held = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |held: &mut usize| *held > 0 && held.saturating_add(bytes) > self.limit;
        let mut held = self.given_back.wait_while(held, is_full).unwrap_or_else(PoisonError::into_inner);
        *held = held.saturating_add(bytes);
    }

    /// Counts `bytes` as no longer held.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut held = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        *held = held.saturating_sub(bytes);
        self.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;
    use std::sync::Arc;

    use super::*;

    fn lines(text: &[u8], limit: usize) -> Vec<Line> {
        // A small buffer, so that lines do not fit into it.
        let mut source = BufReader::with_capacity(3, text);
        std::iter::from_fn(|| next_line(&mut source, limit).unwrap()).collect()
    }

    #[test]
    fn long_lines_are_counted_and_skipped() {
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(lines(b"", 5), []);
        assert_eq!(lines(b"\n", 5), [whole("")]);
        assert_eq!(lines(b"ab\n\ncd", 5), [whole("ab"), whole(""), whole("cd")]);
        assert_eq!(lines(b"12345\n123456\n1\n", 5), [whole("12345"), Line::TooLong(6), whole("1")]);
        assert_eq!(lines(b"12345", 5), [whole("12345")]);
        assert_eq!(lines(b"1234567890", 5), [Line::TooLong(10)]);
    }

    #[test]
    fn taking_waits_until_enough_is_given_back() {
        let held = Arc::new(Held::new(10));
        held.take(50);
        held.give_back(50);
        held.take(8);
        let other = Arc::clone(&held);
        let (told, tell) = crossbeam_channel::unbounded();
        let waiter = std::thread::spawn(move || {
            other.take(3);
            told.send(()).unwrap();
        });
        assert!(tell.recv_timeout(std::time::Duration::from_millis(50)).is_err());
        held.give_back(8);
        assert!(tell.recv_timeout(std::time::Duration::from_secs(10)).is_ok());
        waiter.join().unwrap();
    }
}
