//! Signals that end a run.

use crate::cli::error::Exit;
use std::sync::atomic::{AtomicU8, Ordering};

/// The exit code for the signal that came: 128 and its number, as in shells.
static ENDS: AtomicU8 = AtomicU8::new(Exit::Interrupted as u8);

/// Waits for Ctrl-C (SIGINT), SIGTERM or the end of the terminal (SIGHUP).
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

/// The exit code of a run that a signal ended.
pub fn exit() -> Exit {
    match ENDS.load(Ordering::Relaxed) {
        code if code == Exit::Terminated as u8 => Exit::Terminated,
        code if code == Exit::HungUp as u8 => Exit::HungUp,
        _ => Exit::Interrupted,
    }
}

/// Ignores SIGXFSZ: a file that reaches a size limit is then an error of its write, which can be reported,
/// and not the end of the process. Must be called inside the tokio runtime.
pub fn outlive_file_limits() {
    #[cfg(unix)]
    {
        // SIGXFSZ has the same number on Linux and macOS.
        let limit = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(25));
        // The handler stays registered; nothing reads from it.
        drop(limit);
    }
}
