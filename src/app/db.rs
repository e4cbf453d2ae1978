//! `db`: shows, checks and updates the catalogue.

mod age;
mod check;
mod diff;
mod import;
mod list;
mod make_prices;
mod show;

pub use age::age;
pub use check::check;
pub use diff::{Source, diff};
pub use import::{Import, Wish, file, import};
pub use list::{Filter, list, search};
pub use make_prices::{Made, make_prices};
pub use show::{show, toml};
