//! The model and the hardware as the predictor sees them: only numbers that time or memory depend
//! on. Made from catalogue records or from the header of a model file.

mod backend;
mod hardware;
mod model;

pub use backend::Backend;
pub use hardware::{HardwareShape, Host, MemoryClass, sockets};
pub use model::{CacheShape, FileBytes, ModelShape, Unknown};
