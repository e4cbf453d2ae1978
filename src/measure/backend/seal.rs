//! Takes the network away from the worker process. It reads model files from strangers with C++ code, and
//! needs no network; so on Linux it can open no connection, whatever happens in it.
//!
//! A filter in the kernel (seccomp) refuses every socket but those within the machine: Unix sockets, by
//! which drivers talk to their services, and netlink, by which they learn of devices. The filter cannot be
//! taken back, and child processes inherit it. macOS and Windows have nothing of the kind that a program
//! without special rights could use: there the worker has no key and no address to send to, but could open
//! a connection.

/// Why the network cannot be taken away here; `None` where it can.
pub fn impossible() -> Option<&'static str> {
    if !cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        return Some("only Linux on x86_64 and aarch64 can");
    }
    let known = std::path::Path::new("/proc/sys/kernel/seccomp/actions_avail").exists();
    (!known).then_some("this kernel has no seccomp filters, or does not say so")
}

/// From this call on the process, all of its threads and its children can open no network connection. The
/// error says why the filter could not be set.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn take_network_away() -> Result<(), String> {
    seccompiler::apply_filter_all_threads(&filter()?).map_err(|e| e.to_string())
}

/// From this call on the process, all of its threads and its children can open no network connection. The
/// error says why the filter could not be set.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub fn take_network_away() -> Result<(), String> {
    Err(impossible().unwrap_or_default().to_owned())
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn filter() -> Result<seccompiler::BpfProgram, String> {
    use seccompiler::{
        SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    };
    let all = |e: seccompiler::BackendError| e.to_string();
    let family_is_not = |family: i32| {
        let family = u64::from(family.unsigned_abs());
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family).map_err(all)
    };
    let elsewhere = SeccompRule::new(vec![family_is_not(libc::AF_UNIX)?, family_is_not(libc::AF_NETLINK)?])
        .map_err(all)?;
    let rules = [
        (libc::SYS_socket, vec![elsewhere]),
        // `io_uring` can open sockets without that call.
        (libc::SYS_io_uring_setup, Vec::new()),
    ];
    let arch = std::env::consts::ARCH.try_into().map_err(all)?;
    let refused = SeccompAction::Errno(libc::EACCES.unsigned_abs());
    SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, refused, arch)
        .and_then(TryInto::try_into)
        .map_err(all)
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::io::ErrorKind::PermissionDenied;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;

    /// Seals one thread only, so that the other tests keep their network.
    #[test]
    fn a_sealed_thread_opens_no_connection() {
        if impossible().is_some() {
            return;
        }
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = server.local_addr().expect("an address");
        let sealed = std::thread::spawn(move || {
            seccompiler::apply_filter(&filter().expect("a filter")).expect("applied");
            let failed = [
                TcpStream::connect(address).map(drop),
                TcpListener::bind("127.0.0.1:0").map(drop),
                TcpListener::bind("[::1]:0").map(drop),
                UdpSocket::bind("127.0.0.1:0").map(drop),
            ];
            let child = std::process::Command::new("sh")
                .args(["-c", &format!("exec 3<>/dev/tcp/127.0.0.1/{}", address.port())])
                .stderr(std::process::Stdio::null())
                .status();
            (
                failed.map(|r| r.map_err(|e| e.kind())),
                UnixStream::pair().is_ok(),
                child.is_ok_and(|s| s.success()),
            )
        });
        let (failed, within, child) = sealed.join().expect("ended");
        assert_eq!(failed, [Err(PermissionDenied); 4]);
        assert!(within && !child);
        TcpStream::connect(address).expect("others are not sealed");
    }
}
