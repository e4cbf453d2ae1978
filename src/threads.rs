//! Work spread over the processors of this machine.

use std::ops::Range;

/// Splits the indices `0..count` into at most `threads` runs and works on each run in a thread of its own;
/// the results are in the order of the runs. A panic in `work` goes on in the caller.
pub fn in_parts<T: Send>(count: usize, threads: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let size = count.div_ceil(threads.max(1)).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        // A run for which no thread can be started is done on this one.
        let begin = |from: usize| {
            let part = from..(from + size).min(count);
            let on_a_thread = part.clone();
            std::thread::Builder::new().spawn_scoped(scope, move || work(on_a_thread)).map_err(|_| part)
        };
        let workers: Vec<_> = (0..count).step_by(size).map(begin).collect();
        let end = |worker: Result<std::thread::ScopedJoinHandle<'_, T>, Range<usize>>| match worker {
            Ok(worker) => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(part) => work(part),
        };
        workers.into_iter().map(end).collect()
    })
}

/// Fewer things than this are done on the caller's thread: another takes memory, and time to start.
const FEW: usize = 64;

/// Calls `of` for each thing, on all processors; the results are in the order of the things.
pub fn in_order<T: Sync, U: Send>(things: &[T], of: impl Fn(&T) -> U + Sync) -> Vec<U> {
    if things.len() < FEW {
        return things.iter().map(of).collect();
    }
    let parts = in_parts(things.len(), available(), |part| things[part].iter().map(&of).collect::<Vec<_>>());
    parts.into_iter().flatten().collect()
}

/// Do something that calls itself too deep for the stack it would be done on; `None` where no thread can be started.
pub fn with_stack<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, work).ok()?;
        Some(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// How many threads this process can usefully run at the same time; at least 1.
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_stay_in_their_order() {
        for count in [0, 1, FEW - 1, FEW, 10 * FEW + 3] {
            let things: Vec<usize> = (0..count).collect();
            assert_eq!(
                in_order(&things, |n| n * 2),
                things.iter().map(|n| n * 2).collect::<Vec<_>>(),
                "{count}"
            );
        }
    }

    #[test]
    fn every_thing_is_done_once_and_in_order() {
        for (count, threads) in [(0, 4), (1, 4), (7, 2), (7, 0), (8, 3), (5, 9)] {
            let parts = in_parts(count, threads, Iterator::collect::<Vec<_>>);
            assert_eq!(parts.concat(), (0..count).collect::<Vec<_>>(), "{count} on {threads}");
            assert!(parts.len() <= threads.max(1), "{count} on {threads}");
        }
    }
}
