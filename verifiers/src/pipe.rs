//! Reading without waiting, from pipes and sockets that do not block.

use std::os::fd::AsFd;

use rustix::io::Errno;

/// What a read gave.
pub(crate) enum Received {
    /// So many bytes.
    Bytes(usize),
    /// There is nothing to read; there may be later.
    Nothing,
    /// Whoever wrote has gone.
    End,
}

/// Takes what there is, as much as the buffer holds.
pub(crate) fn take(fd: impl AsFd, buffer: &mut [u8]) -> Received {
    loop {
        match rustix::io::read(fd.as_fd(), &mut *buffer) {
            Ok(0) => return Received::End,
            Ok(count) => return Received::Bytes(count),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Received::Nothing,
            Err(_) => return Received::End,
        }
    }
}
