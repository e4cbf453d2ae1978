//! Records of use in every format: totals, or a reason that says why not. No text of a record comes out.

use freehold::usage::{Import, Settings, need};

pub fn check(data: &[u8]) {
    let mut import = Import::new(Settings::default(), None);
    let _ = import.read(data);
    // The same file again, as in a folder with copies.
    let _ = import.read(data);
    let usage = import.finish();
    assert!(usage.totals.prompt() >= usage.totals.cache_read, "{:?}", usage.totals);
    let _ = need(&usage);
}
