//! The header reader on real model files. They are large, so they are not kept here: set
//! `FREEHOLD_TEST_MODELS` to a folder that holds them.

use crate::needs;
use freehold::gguf::{Header, TensorType, read};
use std::fs::File;
use std::path::PathBuf;

/// A model file of the test folder and its header, or nothing (with a note) where it is absent.
#[track_caller]
fn open(name: &str) -> Option<(PathBuf, Header)> {
    let path = needs::model(name)?;
    let file = File::open(&path).expect("it can be opened");
    let length = file.metadata().expect("file has a length").len();
    Some((path, read(file, length).expect("a real file is accepted")))
}

#[test]
fn smollm2_is_understood() {
    let Some((_, header)) = open("smollm2-135m-instruct-q4_1.gguf") else { return };
    let facts = &header.facts;
    assert_eq!(facts.architecture.as_deref(), Some("llama"));
    assert_eq!((facts.layers, facts.context_tokens), (Some(30), Some(8192)));
    assert_eq!((facts.heads[0], facts.kv_heads[0], facts.key_length), (9, 3, Some(64)));
    assert_eq!(facts.vocabulary, Some(49152));
    assert!(facts.chat_template.as_deref().is_some_and(|t| t.contains("im_start")));
    let weights = header.weights();
    assert_eq!(weights.parameters, 134_515_008);
    assert!(weights.by_type.contains_key(&TensorType::Q4_1));
    // Tensor data is what the file holds after the header, padding apart.
    let rest = header.file_bytes - header.data_offset;
    assert!(weights.total <= rest && rest - weights.total < 32 * header.tensors.len() as u64);
}

#[test]
fn gemma3_slides_in_five_of_six_layers() {
    let Some((_, header)) = open("gemma-3-270m-q4_k_m.gguf") else { return };
    let facts = &header.facts;
    assert_eq!(facts.architecture.as_deref(), Some("gemma3"));
    assert_eq!((facts.layers, facts.cache.window_tokens), (Some(18), 512));
    assert_eq!(facts.cache.layers.iter().filter(|l| !l.slides).count(), 3);
    assert_eq!((facts.key_length, facts.vocabulary), (Some(256), Some(262_144)));
    // The output is tied to the embedding, which is most of so small a model.
    let weights = header.weights();
    assert!(weights.output == 0 && weights.token_embedding * 2 > weights.total);
}

#[test]
fn a_real_header_cut_anywhere_is_refused() {
    let Some((path, header)) = open("smollm2-135m-instruct-q4_1.gguf") else { return };
    let mut bytes = std::fs::read(path).expect("readable");
    bytes.truncate(usize::try_from(header.data_offset).expect("small"));
    for cut in (0..bytes.len()).step_by(40_093) {
        assert!(read(&bytes[..cut], cut as u64).is_err(), "cut at {cut}");
    }
}
