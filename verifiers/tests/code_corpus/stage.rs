//! What stands around one case: sockets that must stay silent, files and a process that must stay as they are, and the
//! names by which the case's program is told of them.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

/// The variable of the harness's own environment that holds the secret.
pub(crate) const SECRET: &str = "POLESTAR_CORPUS_SECRET";

/// The names that a case may use in braces.
pub(crate) const MARKS: &[&str] = &[
    "MARK",
    "OUT",
    "PORT",
    "UNIX_PATH",
    "ABSTRACT",
    "SECRET_FILE",
    "VICTIM_FILE",
    "VICTIM_PID",
    "HARNESS_PID",
];

/// What every name of this process's cases begins with. With a case's number it is at most 15 bytes long, the most that
/// the name of a thread can be.
pub(crate) fn mark_prefix() -> String {
    format!("pm{}x", std::process::id())
}

/// The surroundings of one case. Dropping it ends the victim and removes the files.
pub(crate) struct Stage {
    names: Vec<(&'static str, String)>,
    sockets: Sockets,
    victim: Child,
    _out: TempDir,
}

struct Sockets {
    tcp: TcpListener,
    udp: UdpSocket,
    unix: UnixListener,
    hidden: UnixListener,
}

impl Stage {
    pub(crate) fn new(secret: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mark = format!("{}{}", mark_prefix(), COUNT.fetch_add(1, Ordering::Relaxed));
        let out = tempfile::Builder::new().prefix("corpus-").tempdir_in(outside()).unwrap();
        open_to_all(out.path(), 0o777);
        let file = |name: &str, content: &str| {
            let path = out.path().join(name);
            std::fs::write(&path, content).unwrap();
            open_to_all(&path, 0o666);
            path.to_str().unwrap().to_owned()
        };
        let secret_file = file("secret.txt", &format!("{secret}\n"));
        let victim_file = file("victim.txt", "as it was\n");
        let unix_path = out.path().join("socket");
        let sockets = Sockets::new(&unix_path, &mark);
        open_to_all(&unix_path, 0o777);
        let victim = Command::new("sleep").arg("900").stdin(Stdio::null()).spawn().unwrap();
        let names = vec![
            ("OUT", out.path().to_str().unwrap().to_owned()),
            ("PORT", sockets.port().to_string()),
            ("UNIX_PATH", unix_path.to_str().unwrap().to_owned()),
            ("ABSTRACT", mark.clone()),
            ("MARK", mark),
            ("SECRET_FILE", secret_file),
            ("VICTIM_FILE", victim_file),
            ("VICTIM_PID", victim.id().to_string()),
            ("HARNESS_PID", std::process::id().to_string()),
        ];
        Self { names, sockets, victim, _out: out }
    }

    /// The text with the names in braces filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        let fill = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        self.names.iter().fold(text.to_owned(), fill)
    }

    /// What has reached one of the sockets, if anything has.
    pub(crate) fn heard(&self) -> Option<String> {
        self.sockets.heard()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

/// A folder that every user may write to and that is not the one for temporary files, if there is such a one.
fn outside() -> std::path::PathBuf {
    let other = Path::new("/var/tmp");
    if tempfile::tempfile_in(other).is_ok() { other.to_owned() } else { std::env::temp_dir() }
}

/// Opens a file to every user, whatever the mask for new files is.
fn open_to_all(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

impl Sockets {
    fn new(unix_path: &Path, hidden: &str) -> Self {
        // The same number for both: the second is taken by somebody else now and then.
        let (tcp, udp) = (0..100)
            .find_map(|_| {
                let tcp = TcpListener::bind("127.0.0.1:0").ok()?;
                let udp = UdpSocket::bind(tcp.local_addr().ok()?).ok()?;
                Some((tcp, udp))
            })
            .expect("a free port");
        let unix = UnixListener::bind(unix_path).unwrap();
        let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(hidden).unwrap()).unwrap();
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        unix.set_nonblocking(true).unwrap();
        hidden.set_nonblocking(true).unwrap();
        Self { tcp, udp, unix, hidden }
    }

    fn port(&self) -> u16 {
        self.tcp.local_addr().unwrap().port()
    }

    fn heard(&self) -> Option<String> {
        let mut datagram = [0; 64];
        let of = |what: &str, result: std::io::Result<String>| match result {
            Ok(text) => Some(format!("{what}: {text:?}")),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => Some(format!("{what}: {error}")),
        };
        of("a TCP connection", self.tcp.accept().map(|(stream, _)| first_bytes(stream)))
            .or_else(|| of("a datagram", self.udp.recv(&mut datagram).map(|n| lossy(&datagram[..n]))))
            .or_else(|| of("a Unix connection", self.unix.accept().map(|(stream, _)| first_bytes(stream))))
            .or_else(|| of("an abstract one", self.hidden.accept().map(|(stream, _)| first_bytes(stream))))
    }
}

fn first_bytes(mut stream: impl Read) -> String {
    let mut bytes = [0; 64];
    let num_bytes = stream.read(&mut bytes).unwrap_or_default();
    lossy(&bytes[..num_bytes])
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
