//! The header of a model file: read or refused, within the memory that its own length allows.

use freehold::gguf::read;

pub fn check(data: &[u8]) {
    let length = data.len() as u64;
    let alone = read(data, length);
    // A file that goes on after what is here: the reader stops where the header does.
    let longer = read(data, length.saturating_mul(1000));
    for header in [alone, longer].into_iter().flatten() {
        let inside = header.data_offset <= header.file_bytes;
        assert!(inside || header.tensors.is_empty(), "data begins beyond the file");
        let _ = header.weights();
        let _ = format!("{:?}", header.facts);
    }
}
