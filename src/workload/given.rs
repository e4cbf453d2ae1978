//! Values as a user gave them: from a TOML file, a flag or a question, checked against their key, each
//! with its origin. What is wrong by itself (an unknown key, a share above 1, a price below 0) stops
//! here, with the line.

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
