//! Descriptors that are handed to other processes: texts in memory, pipes, sockets, and the packets that carry them.

use std::io::{IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{
    MemfdFlags, OFlags, SealFlags, SeekFrom, fcntl_add_seals, fcntl_getfl, fcntl_setfl, memfd_create, seek,
};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sendmsg,
    socketpair,
};
use rustix::pipe::{PipeFlags, pipe_with};

/// The most descriptors that one packet carries.
pub(crate) const MOST_FDS: usize = 8;

/// A file in memory with these bytes, at its beginning, which nobody can change.
pub(crate) fn text(bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let fd = memory(bytes)?;
    fcntl_add_seals(&fd, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(fd)
}

/// A file in memory with these bytes, at its beginning.
pub(crate) fn memory(bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let fd = memfd_create("polestar", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)?;
    seek(&file, SeekFrom::Start(0))?;
    Ok(file.into())
}

/// A pipe: the end to read from, which does not block, and the end to write to.
pub(crate) fn pipe() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfl(&reader, fcntl_getfl(&reader)? | OFlags::NONBLOCK)?;
    Ok((reader, writer))
}

/// A pipe: the end to read from, and the end to write to, which does not block.
pub(crate) fn feed() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfl(&writer, fcntl_getfl(&writer)? | OFlags::NONBLOCK)?;
    Ok((reader, writer))
}

/// Two ends of a stream of bytes.
pub(crate) fn stream() -> std::io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// Two ends of a socket that keeps packets apart.
pub(crate) fn packets() -> std::io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one packet with descriptors.
pub(crate) fn send(socket: BorrowedFd<'_>, packet: &[u8], fds: &[BorrowedFd<'_>]) -> std::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(std::io::Error::from(Errno::TOOBIG));
    }
    loop {
        match sendmsg(socket, &[IoSlice::new(packet)], &mut ancillary, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;
    use crate::pipe::{Received, take};

    #[test]
    fn a_text_is_read_and_not_changed() {
        let mut file = std::fs::File::from(text(b"12345").unwrap());
        let mut found = String::new();
        file.read_to_string(&mut found).unwrap();
        assert_eq!(found, "12345");
        assert!(file.write_all(b"6").is_err());
        assert!(file.set_len(0).is_err());
    }

    #[test]
    fn a_packet_carries_descriptors_and_keeps_its_border() {
        let (ours, theirs) = packets().unwrap();
        let (reader, writer) = pipe().unwrap();
        send(ours.as_fd(), b"one", &[writer.as_fd()]).unwrap();
        send(ours.as_fd(), b"two", &[]).unwrap();
        let mut buffer = [0; 16];
        assert!(matches!(take(&theirs, &mut buffer), Received::Bytes(3)));
        drop((ours, writer));
        assert!(matches!(take(&theirs, &mut buffer), Received::Bytes(3)));
        assert!(matches!(take(&theirs, &mut buffer), Received::End));
        assert!(matches!(take(&reader, &mut buffer), Received::End));
    }
}
