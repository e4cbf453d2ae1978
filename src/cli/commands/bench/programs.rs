//! `--exec NAME=PROGRAM`: programs of the user as graders. Only the command line names one, never a file.

use super::outside::Outside;
use crate::app::bench::asked::Program;
use crate::app::bench::journal::Line;
use crate::app::bench::questions;
use crate::cli::environment;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::quality::Given;
use crate::quality::exec::{self, LONGEST_OUTPUT};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Longest time that a program may take for one grade.
const LONGEST: Duration = Duration::from_mins(1);

/// Checks that the programs exist, before anything is sent.
pub fn check(programs: &[Program]) -> Result<(), CliError> {
    for (n, program) in programs.iter().enumerate() {
        if programs[..n].iter().any(|p| p.name == program.name) {
            return Err(CliError::usage(format!("--exec names the grader {:?} twice", program.name)));
        }
        let there = std::fs::metadata(&program.path).map_err(|e| CliError::file("run", &program.path, &e))?;
        #[cfg(unix)]
        let runs = {
            use std::os::unix::fs::PermissionsExt as _;
            there.is_file() && there.permissions().mode() & 0o111 != 0
        };
        #[cfg(not(unix))]
        let runs = there.is_file();
        if !runs {
            return Err(CliError::usage(format!(
                "{} is not a program that can be run",
                program.path.display()
            ))
            .hint("Give the path of an executable file: on Unix, chmod +x it."));
        }
    }
    Ok(())
}

/// Asks the programs about every answer that names them and that they have not graded yet.
pub async fn ask(outside: &mut Outside<'_, '_>) -> Result<(), CliError> {
    let wanted = outside.asking().for_programs();
    let left = questions::for_programs(wanted, &outside.tally.told, &outside.args.judging.exec);
    if left.is_empty() {
        return Ok(());
    }
    let mut progress = Progress::new(outside.context);
    progress.phase("Grading with programs", left.len() as u64);
    for (program, wanted) in left {
        // Its path may be relative to this folder; a bare name would be looked for elsewhere.
        let path =
            std::path::absolute(&program.path).map_err(|e| CliError::file("run", &program.path, &e))?;
        let given =
            grade_with(&path, &wanted.input).await.map_err(|e| CliError::file("run", &program.path, &e))?;
        outside.journal.outside(&Line::program(&wanted.about, &given))?;
        outside.tally.told.programs.insert(wanted.about, given);
        progress.step();
    }
    progress.done();
    Ok(())
}

/// Runs a program for one grade. A program that takes too long or writes too much is ended, and its grade
/// is missing.
async fn grade_with(path: &std::path::Path, input: &str) -> std::io::Result<Given> {
    let mut child = tokio::process::Command::new(path)
        .env_clear()
        .envs(environment::for_programs())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let line = format!("{input}\n");
    let talk = async {
        let say = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read its input may still give a grade.
                let _ = stdin.write_all(line.as_bytes()).await;
            }
        };
        let hear = async {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(LONGEST_OUTPUT as u64 + 1).read_to_end(&mut output).await?;
            }
            Ok::<_, std::io::Error>(output)
        };
        let ((), output) = tokio::join!(say, hear);
        let output = output?;
        if output.len() > LONGEST_OUTPUT {
            return Ok(Given::Nothing);
        }
        let status = child.wait().await?;
        Ok(exec::read(&output, status.code()))
    };
    let over = tokio::time::timeout(LONGEST, talk).await;
    over.unwrap_or(Ok(Given::Nothing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn what_cannot_be_run_is_told_before() {
        let here = Program { name: "a".to_owned(), path: PathBuf::from("no-such-program") };
        assert!(check(&[here]).is_err());
        let folder = Program { name: "a".to_owned(), path: std::env::temp_dir() };
        assert!(check(&[folder]).is_err());
    }
}
