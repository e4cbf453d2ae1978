//! Values that the user gave in a TOML file, by a flag or in an answer to a question. They are checked
//! against their key and keep their source. What is wrong by itself (an unknown key, a share above 1, a
//! price below 0) is an error here, with the line.

mod error;
mod file;
mod read;
mod text;
mod value;

pub use error::{InputError, toml_error, unknown};
pub use file::Place;
pub use read::At;
pub use text::{number_of, value_from_text};
pub use value::{Change, Fields, Given, Range, RequestSize, Value};
