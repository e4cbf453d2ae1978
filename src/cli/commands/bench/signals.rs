//! The user's wish to end a run, or the system's.

use crate::cli::error::Exit;
use std::sync::atomic::{AtomicU8, Ordering};

/// How the process ends after the signal that came: 128 and its number, as shells have it.
static ENDS: AtomicU8 = AtomicU8::new(Exit::Interrupted as u8);

/// Ctrl-C, the polite request to end, or the terminal that went away.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        {
            let exit = tokio::select! {
                _ = tokio::signal::ctrl_c() => Exit::Interrupted,
                _ = terminate.recv() => Exit::Terminated,
                _ = hangup.recv() => Exit::HungUp,
            };
            ENDS.store(exit as u8, Ordering::Relaxed);
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// The exit of a run that a signal ended.
pub fn exit() -> Exit {
    match ENDS.load(Ordering::Relaxed) {
        code if code == Exit::Terminated as u8 => Exit::Terminated,
        code if code == Exit::HungUp as u8 => Exit::HungUp,
        _ => Exit::Interrupted,
    }
}

/// A file that may not grow any more is an error of its write, which is said, and not the end of the
/// process. Must be called where the runtime is.
pub fn outlive_file_limits() {
    #[cfg(unix)]
    {
        // SIGXFSZ, by the same number on Linux and macOS.
        let limit = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(25));
        // Registered once, it stays so; what comes is nobody's to read.
        drop(limit);
    }
}
