//! The program: everything it does is in the library; this maps the outcome to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    freehold::cli::main()
}
