//! What the program does with names that a user gives it: to write to, and to read.

use crate::run::{Run, Sandbox, program};
#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::time::Duration;

const ADVICE: [&str; 11] = [
    "advise",
    "--privacy=standard",
    "--volume=low",
    "--capability=basic",
    "--operations=limited",
    "--budget=opex",
    "--no-input",
    "--quiet",
    "--format=json",
    "--today=2026-11-27",
    "--output",
];

/// Run to its end within a time that nothing here needs; a hang is a failure with a name.
#[track_caller]
fn ends(command: &mut Command) -> Run {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let process = child.id();
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(Duration::from_mins(1)) else {
        let _ = Command::new("kill").arg(process.to_string()).status();
        panic!("it hangs: {command:?}");
    };
    Run::from(output.expect("its output"))
}

fn advice(sandbox: &Sandbox, output: &str) -> Run {
    ends(sandbox.command(program()).args(ADVICE).arg(output))
}

/// Every command that writes a file by a name it is given.
#[cfg(unix)]
fn writers(output: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all: Vec<Vec<String>> =
        ["schema advice -o", "doctor --json -o", "db list gpus -o", "fit --model llama-3.1-8b-instruct -o"]
            .iter()
            .map(|line| words(line))
            .collect();
    all.push(ADVICE.iter().map(|w| (*w).to_owned()).collect());
    for line in &mut all {
        line.push(output.to_owned());
    }
    all
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_stays_a_device() {
    let sandbox = Sandbox::new();
    // A link into a folder of ours: were it replaced, it would be the link and not the machine's own.
    let null = sandbox.path("null");
    symlink("/dev/null", &null).expect("a link");
    for line in writers("null") {
        let run = ends(sandbox.command(program()).args(&line));
        assert_eq!(run.code, Some(0), "{line:?}: {}", run.err);
        assert!(null.symlink_metadata().expect("there").is_symlink(), "{line:?} replaced the link");
        assert!(std::fs::metadata("/dev/null").expect("there").file_type().is_char_device(), "{line:?}");
    }
    let full = advice(&sandbox, "/dev/full");
    assert_eq!(full.code, Some(1), "{}", full.err);
    assert!(full.err.contains("cannot write /dev/full"), "{}", full.err);
    assert!(std::fs::metadata("/dev/full").expect("there").file_type().is_char_device());
}

/// The name of a running program's file leads to it, and a rename would put the result in its place.
#[cfg(target_os = "linux")]
#[test]
fn the_program_itself_is_not_replaced() {
    let sandbox = Sandbox::new();
    let before = std::fs::metadata(program()).expect("there").len();
    let run = advice(&sandbox, "/proc/self/exe");
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(std::fs::metadata(program()).expect("there").len(), before);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    let sandbox = Sandbox::new();
    for line in writers("pipe") {
        let pipe = sandbox.path("pipe");
        let _ = std::fs::remove_file(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).expect("read")
        });
        let run = ends(sandbox.command(program()).args(&line));
        assert_eq!(run.code, Some(0), "{line:?}: {}", run.err);
        assert!(pipe.symlink_metadata().expect("there").file_type().is_fifo(), "{line:?}");
        assert!(reader.join().expect("ended").len() > 20, "{line:?} wrote nothing");
    }
}

#[cfg(unix)]
#[test]
fn stdout_by_its_names_is_stdout() {
    let sandbox = Sandbox::new();
    let wanted = advice(&sandbox, "-").ok();
    let without_time = |text: &str| text.lines().filter(|l| !l.contains("\"created\"")).collect::<String>();
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        if !std::path::Path::new(name).exists() && !name.starts_with("/dev") {
            continue;
        }
        assert_eq!(without_time(&advice(&sandbox, name).ok()), without_time(&wanted), "{name}");
        // What a shell redirects keeps its place: the lines before stay, and it is the same file.
        let line = format!("{{ echo before; freehold {} {name}; echo after; }} > all.txt", ADVICE.join(" "));
        sandbox.shell(&line).ok();
        let all = std::fs::read_to_string(sandbox.path("all.txt")).expect("written");
        assert!(all.starts_with("before\n{") && all.ends_with("}\nafter\n"), "{name}: {all}");
    }
    let err = advice(&sandbox, "/dev/stderr");
    assert!(err.out.is_empty() && err.err.starts_with('{'), "{}", err.err);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_its_target_is_replaced_whole() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("real")).expect("a folder");
    sandbox.write("real/report.json", "before");
    symlink("real/report.json", sandbox.path("one")).expect("a link");
    symlink("one", sandbox.path("two.json")).expect("a link");
    symlink("real/later.json", sandbox.path("dangling.json")).expect("a link");
    for (link, target) in [("two.json", "real/report.json"), ("dangling.json", "real/later.json")] {
        advice(&sandbox, link).ok();
        assert!(sandbox.path(link).symlink_metadata().expect("there").is_symlink(), "{link}");
        let text = std::fs::read_to_string(sandbox.path(target)).expect("written");
        assert!(text.contains("freehold.advice/"), "{link}: {text}");
    }
    let left: Vec<_> = std::fs::read_dir(sandbox.path("real")).expect("a folder").flatten().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    symlink("circle", sandbox.path("circle")).expect("a link");
    advice(&sandbox, "circle").refused(&["circle", "too many links"]);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions_and_a_protected_one_its_bytes() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("secret.json", "before");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    advice(&sandbox, "secret.json").ok();
    let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{mode:o}");
    let folder = advice(&sandbox, ".");
    folder.refused(&["is a folder"]);
    let full = format!("ulimit -f 0; freehold {} secret.json", ADVICE.join(" "));
    let full = sandbox.shell(&full);
    assert_ne!(full.code, Some(0));
    assert!(std::fs::read_to_string(&path).expect("there").contains("freehold.advice/"));
}

/// Commands that read a file by a name they are given, `FILE` in its place.
const READERS: [&str; 14] = [
    "report FILE",
    "report --compare FILE FILE",
    "advise --profile ./FILE --no-input",
    "advise --evidence FILE --no-input",
    "advise --cost FILE --no-input",
    "breakeven --scenario FILE --no-input",
    "breakeven --measured FILE --no-input",
    "db check FILE",
    "db import FILE --from litellm --dry-run",
    "--catalog FILE db list gpus",
    "fit --model ./FILE",
    "fit --measured FILE",
    "bench --api compatible:x@http://127.0.0.1:9/v1 --prompts FILE --dry-run",
    "usage FILE",
];

/// Commands that read a file in another way, or by another use of the same reader.
#[cfg(unix)]
const FURTHER: [&str; 8] = [
    "prompts sample FILE",
    "prompts check FILE",
    "review FILE",
    "explain verdict FILE",
    "deploy FILE -o made",
    "bench --replay FILE",
    "advise --answers FILE --no-input",
    "fit --plan --scenario FILE",
];

/// Those that read a text file as a whole: not the header of a model, nor records one by one.
fn whole_readers() -> impl Iterator<Item = &'static str> {
    READERS.into_iter().filter(|line| !line.starts_with("fit --model") && !line.starts_with("usage"))
}

fn reading<'a>(sandbox: &Sandbox, line: &'a str, file: &str) -> (Command, &'a str) {
    let mut command = sandbox.command(program());
    command.args(line.split(' ').map(|word| word.replace("FILE", file)));
    (command, line)
}

/// Such a file ends with an error of its own, soon, and in little memory.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_by_every_reader() {
    let sandbox = Sandbox::new();
    assert!(Command::new("mkfifo").arg(sandbox.path("pipe.toml")).status().expect("mkfifo").success());
    symlink("/dev/zero", sandbox.path("zero.toml")).expect("a link");
    symlink("/dev/random", sandbox.path("random.toml")).expect("a link");
    std::fs::create_dir(sandbox.path("folder.toml")).expect("a folder");
    for line in READERS.into_iter().chain(FURTHER) {
        for file in ["pipe.toml", "zero.toml", "random.toml", "folder.toml", "missing.toml"] {
            if (line.starts_with("db check") || line.starts_with("usage")) && file.starts_with("folder") {
                continue;
            }
            let (mut command, line) = reading(&sandbox, line, file);
            let run = ends(&mut command);
            assert_eq!(run.code, Some(2), "{line}: {file}: {}", run.err);
            assert!(run.err.contains(file), "{line}: {file}: {}", run.err);
        }
    }
}

#[test]
fn no_reader_takes_more_than_its_cap() {
    let sandbox = Sandbox::new();
    let file = std::fs::File::create(sandbox.path("huge.toml")).expect("created");
    // Sparse: as many bytes as no cap allows, and none on the disk.
    file.set_len(20 << 30).expect("a large file");
    for line in whole_readers() {
        let (mut command, _) = reading(&sandbox, line, "huge.toml");
        ends(&mut command).refused(&["huge.toml is larger than", "MiB"]);
    }
    let scenario = format!("[need]\nrequests_per_month = 1000\n{}", "# more\n".repeat(300_000));
    sandbox.write("long.toml", &scenario);
    sandbox.run(&["breakeven", "--scenario", "long.toml"]).refused(&["larger than 1 MiB"]);
}

/// Every reader says which line is not text, and shows no more than a line of it.
#[test]
fn every_reader_takes_utf_8_with_or_without_a_mark() {
    let sandbox = Sandbox::new();
    let long = format!("title = \"x\"\n{}", "y".repeat(3_000_000));
    std::fs::write(sandbox.path("bad.toml"), [long.as_bytes(), b"\xff\xff\n"].concat()).expect("written");
    std::fs::write(sandbox.path("wide.toml"), b"\xff\xfet\0i\0t\0l\0e\0").expect("written");
    for line in whole_readers() {
        let (mut command, line) = reading(&sandbox, line, "wide.toml");
        let run = ends(&mut command);
        assert_eq!(run.code, Some(2), "{line}: {}", run.err);
        assert!(run.err.contains("UTF-16") && run.err.contains("UTF-8"), "{line}: {}", run.err);
        let (mut command, line) = reading(&sandbox, line, "bad.toml");
        let run = ends(&mut command);
        assert_eq!(run.code, Some(2), "{line}: {}", run.err);
        assert!(run.err.len() < 1500, "{line}: {} bytes of error", run.err.len());
    }
    let profile = "\u{feff}title = \"x\"\nprivacy = \"strict\"\nvolume = \"low\"\ncapability = \"basic\"\noperations = \"limited\"\nbudget = \"opex\"\n";
    sandbox.write("mark.toml", profile);
    sandbox.run(&["advise", "--profile", "mark.toml", "--no-input"]).ok();
    advice(&sandbox, "advice.json").ok();
    let text = std::fs::read_to_string(sandbox.path("advice.json")).expect("there");
    sandbox.write("marked.json", &format!("\u{feff}{text}"));
    sandbox.run(&["report", "marked.json"]).ok();
}

/// A line of a million characters is not shown whole, whichever parser refuses it.
#[test]
fn an_error_shows_one_line_at_most() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(900_000);
    sandbox.write("wrong.toml", &format!("title = \"a\"\n{long} = = 1 {long}\n"));
    sandbox.write("wrong.json", &format!("{{\"schema\": \"freehold.advice/1\", \"{long}\": }}"));
    sandbox.write("value.toml", &format!("[need]\nrequests_per_month = \"{long}\"\n"));
    sandbox.write("key.toml", &format!("[need]\n{long} = 1\n"));
    for line in whole_readers() {
        for file in ["wrong.toml", "wrong.json", "value.toml", "key.toml"] {
            let (mut command, line) = reading(&sandbox, line, file);
            let run = ends(&mut command);
            assert_eq!(
                run.code,
                Some(2),
                "{line}: {file}: {}",
                run.err.chars().take(500).collect::<String>()
            );
            assert!(run.out.len() < 4000 && run.err.len() < 4000, "{line} {file}: {} bytes", run.err.len());
        }
    }
}

/// What a shell gives as `<(…)` or a redirected stdin is read; a pipe is no reason to wait for ever.
#[cfg(unix)]
#[test]
fn what_a_shell_gives_is_read() {
    let sandbox = Sandbox::new();
    advice(&sandbox, "advice.json").ok();
    for line in [
        "freehold report /dev/stdin < advice.json",
        "freehold report - < advice.json",
        "cat advice.json | freehold report /dev/stdin",
    ] {
        assert!(sandbox.shell(line).ok().contains("Advice"), "{line}");
    }
    if std::path::Path::new("/dev/fd/0").exists() {
        assert!(sandbox.shell("cat advice.json | freehold report /dev/fd/0").ok().contains("Advice"));
    }
    sandbox.shell("freehold report /dev/stdin < /dev/zero").refused(&[]);
}
