//! An arrow only ever points to a lower room (see `src/lib.rs`), and inside a room the files form no
//! circle. Read from the sources: every path in `src/` that leads to another file is an arrow from
//! the file it stands in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Higher may use lower, never the other way and never sideways.
const RANK: &[(&str, u32)] = &[
    ("units", 0),
    ("provenance", 0),
    ("number", 0),
    ("money", 1),
    ("sanitize", 0),
    ("terms", 0),
    ("threads", 0),
    ("spelling", 0),
    ("stats", 0),
    ("gguf", 10),
    ("catalog", 11),
    ("workload", 12),
    ("usage", 13),
    ("prompts", 13),
    ("price", 20),
    ("capacity", 20),
    ("plan", 21),
    ("cost", 22),
    ("quality", 22),
    ("advise", 23),
    ("measure", 25),
    ("document", 30),
    ("render", 31),
    ("deploy", 32),
    ("app", 35),
    ("cli", 40),
    ("main", 41),
];

/// Measuring stands beside the engines: it uses only layers 0 and 1.
fn allowed(from: &str, to: &str) -> bool {
    let rank = |m: &str| RANK.iter().find(|(name, _)| *name == m).map(|(_, r)| *r);
    match (rank(from), rank(to)) {
        _ if from == to => true,
        (Some(_), Some(r)) if from == "measure" => r < 20,
        (Some(a), Some(b)) => b < a,
        _ => false,
    }
}

/// The files of a crate and how they name each other. A module is its path from the root, as
/// `document::bench`; the root itself is empty.
#[derive(Debug, Default)]
struct Sources {
    modules: BTreeMap<String, File>,
}

#[derive(Debug, Default)]
struct File {
    /// Every path of its code, tests left out.
    paths: Vec<Named>,
    /// Names it defines or that stand in its code by themselves.
    words: BTreeSet<String>,
}

/// A path as it is written, brace lists taken apart.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    segments: Vec<String>,
    /// The name it has in this file: the last segment, or what stands after `as`.
    alias: String,
    written: Written,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// In an expression or a type.
    Inline,
    Import,
    /// `pub use`: others may take it from here; an arrow only where the file uses the name itself.
    Export,
}

impl Sources {
    fn of_this_crate() -> Self {
        Self::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
    }

    fn of(root: &Path) -> Self {
        let mut files = Vec::new();
        rust_files(root, &mut files);
        let texts = files.iter().map(|path| {
            let inside = path.strip_prefix(root).expect("under src").display().to_string();
            (inside, std::fs::read_to_string(path).expect("source is text"))
        });
        Self::read(texts.filter(|(name, _)| !name.ends_with("tests.rs")))
    }

    /// File names below `src/` and their texts.
    fn read(texts: impl Iterator<Item = (String, String)>) -> Self {
        let modules = texts.map(|(name, text)| {
            let name = name.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
            let tokens = inline_modules_as_the_file(&without_tests(&tokens(&text)));
            let module = if name == "lib" { String::new() } else { name };
            (module, File { paths: paths(&tokens), words: words(&tokens) })
        });
        Self { modules: modules.collect() }
    }

    /// The file a path leads to, seen from a module; `None` for what is not of this crate.
    fn target(&self, module: &str, segments: &[String], depth: u32) -> Option<String> {
        let (first, rest) = segments.split_first()?;
        if depth == 0 {
            return None;
        }
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (String::new(), rest),
            "self" => (module.to_owned(), rest),
            "super" => (parent(module)?, rest),
            name => {
                let by_import = || self.target(module, &self.import(module, name)?.segments, depth - 1);
                (self.child(module, name).or_else(by_import)?, rest)
            }
        };
        while let Some((next, after)) = rest.split_first() {
            if next == "super" {
                at = parent(&at)?;
            } else if let Some(child) = self.child(&at, next) {
                at = child;
            } else if let Some(import) = self.import(&at, next) {
                // A name that is taken from elsewhere leads there.
                at = self.target(&at, &import.segments, depth - 1).unwrap_or(at);
            } else {
                let of_globs = self.modules.get(&at).into_iter().flat_map(|f| &f.paths);
                let of_globs =
                    of_globs.filter(|p| p.alias == "*" && p.written != Written::Inline).find_map(|glob| {
                        let inside = self.target(&at, &glob.segments, depth - 1)?;
                        self.modules.get(&inside)?.words.contains(next).then_some(inside)
                    });
                return Some(of_globs.filter(|_| !self.defines(&at, next)).unwrap_or(at));
            }
            rest = after;
        }
        Some(at)
    }

    fn child(&self, module: &str, name: &str) -> Option<String> {
        let child = if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") };
        self.modules.contains_key(&child).then_some(child)
    }

    fn import(&self, module: &str, name: &str) -> Option<&Named> {
        let imports = self.modules.get(module)?.paths.iter().filter(|p| p.written != Written::Inline);
        imports.into_iter().find(|p| p.alias == name && p.segments.first().is_some_and(|s| s != name))
    }

    fn defines(&self, module: &str, name: &str) -> bool {
        self.modules.get(module).is_some_and(|f| f.words.contains(&format!("={name}")))
    }

    /// Where the names lead that a file uses and has by `pub use ...::*`.
    fn used_of(&self, module: &str, glob: &Named) -> Vec<String> {
        let Some(file) = self.modules.get(module) else { return Vec::new() };
        let Some(from) = self.target(module, &glob.segments, 8) else { return Vec::new() };
        let Some(of) = self.modules.get(&from) else { return Vec::new() };
        let exported = of.paths.iter().filter(|p| p.written == Written::Export).map(|p| p.alias.as_str());
        let defined = of.words.iter().filter_map(|word| word.strip_prefix('='));
        let used = exported.chain(defined).filter(|name| file.words.contains(*name));
        used.filter_map(|name| self.target(&from, &["self".to_owned(), name.to_owned()], 8)).collect()
    }

    /// From each file to every other file that it uses.
    fn arrows(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut all = BTreeMap::new();
        for (module, file) in &self.modules {
            let mut found = BTreeSet::new();
            let all_exported = |p: &&Named| p.written == Written::Export && p.alias == "*";
            let of_globs = file.paths.iter().filter(all_exported).flat_map(|glob| self.used_of(module, glob));
            found.extend(of_globs.filter(|to| to != module));
            for path in &file.paths {
                if path.written == Written::Export && !file.words.contains(&path.alias) {
                    continue;
                }
                if let Some(to) = self.target(module, &path.segments, 8).filter(|to| to != module) {
                    found.insert(to);
                }
            }
            all.insert(module.as_str(), found);
        }
        all
    }
}

fn parent(module: &str) -> Option<String> {
    if module.is_empty() {
        return None;
    }
    Some(module.rsplit_once("::").map_or_else(String::new, |(parent, _)| parent.to_owned()))
}

fn room(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Words, `::` and single characters; comments, texts and the names of macros' arguments are gone.
fn tokens(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = raw_text(rest) {
            raw
        } else if c == '"' {
            found.push("\"".to_owned());
            text_end(rest)
        } else if let Some(character) = character(rest) {
            character
        } else if is_word(c) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
            end
        } else if rest.starts_with("::") {
            found.push("::".to_owned());
            2
        } else {
            if !c.is_whitespace() {
                found.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// Length of `r"..."`, `br#"..."#` at the beginning of a text.
fn raw_text(text: &str) -> Option<usize> {
    let after = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after[hashes..].strip_prefix('"')?;
    let end = inside.find(&format!("\"{}", "#".repeat(hashes)))?;
    Some(text.len() - inside.len() + end + 1 + hashes)
}

/// Length of `"..."`.
fn text_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of `'x'`; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        let skip = escape.chars().next()?.len_utf8();
        return Some(2 + skip + escape[skip..].find('\'')? + 1);
    }
    let c = inside.chars().next()?;
    inside[c.len_utf8()..].starts_with('\'').then(|| 2 + c.len_utf8())
}

/// Without items that are only there under test.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let marks = ["#", "[", "cfg", "(", "test", ")", "]"];
        if !tokens[at..].iter().take(marks.len()).eq(marks.iter()) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += marks.len();
        // The item ends at a `;` outside of braces, or with its braces.
        let mut depth = 0_u32;
        while at < tokens.len() {
            match tokens[at].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            let ends = depth == 0 && matches!(tokens[at].as_str(), ";" | "}");
            at += 1;
            if ends {
                break;
            }
        }
    }
    kept
}

/// With the paths of inline modules (`mod name { ... }`) as their file would write them: what is `super` to
/// such a module is the file itself.
fn inline_modules_as_the_file(tokens: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    // For every open brace: does it open a module?
    let mut open: Vec<bool> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "{" => open.push(at >= 2 && tokens[at - 2] == "mod"),
            "}" => drop(open.pop()),
            _ => {}
        }
        let depth = open.iter().filter(|module| **module).count();
        let begins = at.checked_sub(1).is_none_or(|n| tokens[n] != "::");
        if depth == 0 || token != "super" || !begins {
            kept.push(token.clone());
            at += 1;
            continue;
        }
        let mut upwards = 1;
        while tokens.get(at + 2 * upwards - 1).is_some_and(|t| t == "::")
            && tokens.get(at + 2 * upwards).is_some_and(|t| t == "super")
        {
            upwards += 1;
        }
        at += 2 * upwards - 1;
        let above_the_file = upwards.saturating_sub(depth);
        let begin = if above_the_file == 0 { "self" } else { "super" };
        kept.push(begin.to_owned());
        kept.extend((1..above_the_file).flat_map(|_| ["::", "super"].map(str::to_owned)));
    }
    kept
}

/// The words of the code outside of `use`; with a `=` before them those that are defined.
fn words(tokens: &[String]) -> BTreeSet<String> {
    const KINDS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod"];
    let mut found = BTreeSet::new();
    let mut in_use = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "use" => in_use = true,
            ";" => in_use = false,
            _ => {}
        }
        let after = at.checked_sub(1).map(|n| tokens[n].as_str());
        // `mod build;` beside `pub use build::build;` is no use of the function.
        if !in_use && after != Some("mod") {
            found.insert(token.clone());
        }
        if after.is_some_and(|kind| KINDS.contains(&kind)) {
            found.insert(format!("={token}"));
        }
    }
    found
}

/// Every path, brace lists taken apart.
fn paths(tokens: &[String]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            let exported = at.checked_sub(1).is_some_and(|n| tokens[n] == "pub" || tokens[n] == ")");
            let written = if exported { Written::Export } else { Written::Import };
            at = tree(tokens, at + 1, &[], written, &mut found);
        } else if is_name(&tokens[at]) && tokens.get(at + 1).is_some_and(|t| t == "::") {
            let start = at;
            let mut segments = vec![tokens[at].clone()];
            while tokens.get(at + 1).is_some_and(|t| t == "::")
                && tokens.get(at + 2).is_some_and(|t| is_name(t))
            {
                segments.push(tokens[at + 2].clone());
                at += 2;
            }
            at += 1;
            // `Self::x` and the end of a path begun elsewhere (`<T as A>::b`) lead nowhere; `pub(in a::b)` says
            // who may see something, not what is used.
            let seen_in = start >= 3 && tokens[start - 3..start] == ["pub", "(", "in"];
            if !seen_in && start.checked_sub(1).is_none_or(|n| tokens[n] != "::") {
                let alias = segments.last().cloned().unwrap_or_default();
                found.push(Named { segments, alias, written: Written::Inline });
            }
        } else {
            at += 1;
        }
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// One tree of a `use`, from `at` on; where it ends.
fn tree(
    tokens: &[String],
    mut at: usize,
    before: &[String],
    written: Written,
    found: &mut Vec<Named>,
) -> usize {
    let mut segments = before.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t != "}") {
                    at = tree(tokens, at, &segments, written, found);
                    at += usize::from(tokens.get(at).is_some_and(|t| t == ","));
                }
                return at + 1;
            }
            "*" => {
                found.push(Named { segments, alias: "*".to_owned(), written });
                return at + 1;
            }
            name if is_name(name) => {
                // `a::{self}` is `a`.
                if name != "self" || segments.is_empty() {
                    segments.push(name.to_owned());
                }
                at += 1;
                let renamed = tokens.get(at).is_some_and(|t| t == "as");
                if renamed || tokens.get(at).is_none_or(|t| t != "::") {
                    let alias = if renamed { tokens.get(at + 1) } else { segments.last() };
                    let alias = alias.cloned().unwrap_or_default();
                    found.push(Named { segments, alias, written });
                    return at + if renamed { 2 } else { 0 };
                }
            }
            _ => return at + 1,
        }
    }
    at
}

/// Sets of more than one file that all lead to each other.
fn circles(arrows: &BTreeMap<&str, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |start: &str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start.to_owned()];
        while let Some(next) = open.pop() {
            for to in arrows.get(next.as_str()).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = arrows.keys().map(|m| (*m, reach(m))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (module, all) in &reached {
        if all.contains(*module) {
            let back = |m: &&String| reached.get(m.as_str()).is_some_and(|r| r.contains(*module));
            found.insert(all.iter().filter(back).cloned().collect());
        }
    }
    found.into_iter().filter(|circle| circle.len() > 1).collect()
}

#[test]
fn arrows_point_down() {
    let sources = Sources::of_this_crate();
    let mut wrong = BTreeSet::new();
    for (from, to) in sources.arrows().into_iter().flat_map(|(m, all)| all.into_iter().map(move |to| (m, to)))
    {
        let crate_root = from.is_empty() || to.is_empty();
        if !crate_root && !allowed(room(from), room(&to)) {
            wrong.insert(format!("{from} -> {to}"));
        }
    }
    assert!(wrong.is_empty(), "arrows that point up or sideways: {wrong:#?}");
}

#[test]
fn files_of_a_room_form_no_circle() {
    let sources = Sources::of_this_crate();
    let arrows = sources.arrows();
    let found = circles(&arrows);
    let by = |circle: &[String]| -> Vec<String> {
        let inside = |m: &String| -> Vec<String> {
            arrows[m.as_str()]
                .iter()
                .filter(|to| circle.contains(to))
                .map(|to| format!("{m} -> {to}"))
                .collect()
        };
        circle.iter().flat_map(inside).collect()
    };
    let found: Vec<_> = found.iter().map(|c| (c, by(c))).collect();
    assert!(found.is_empty(), "files that form a circle, and by which arrows: {found:#?}");
}

/// `FREEHOLD_SOURCES` names the `src` of another state of the project.
#[test]
#[ignore = "prints the rooms, their lines and their arrows"]
fn graph() {
    let root = std::env::var_os("FREEHOLD_SOURCES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), PathBuf::from);
    let sources = Sources::of(&root);
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    let mut rooms: BTreeMap<String, (usize, usize, BTreeMap<String, usize>)> = BTreeMap::new();
    for path in &files {
        let inside = path.strip_prefix(&root).expect("under src").display().to_string();
        let name = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let room = rooms.entry(name).or_default();
        room.0 += 1;
        room.1 += std::fs::read_to_string(path).expect("source is text").lines().count();
    }
    let arrows = sources.arrows();
    for (from, to) in arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, to))) {
        if !from.is_empty() && !to.is_empty() && room(from) != room(to) {
            let all = &mut rooms.get_mut(room(from)).expect("a room of a file").2;
            *all.entry(room(to).to_owned()).or_default() += 1;
        }
    }
    println!("| room | files | lines | uses (arrows between files) |\n|---|---:|---:|---|");
    for (name, (count, lines, uses)) in &rooms {
        let uses: Vec<String> = uses.iter().map(|(to, n)| format!("{to} {n}")).collect();
        println!("| {name} | {count} | {lines} | {} |", uses.join(", "));
    }
    let between: BTreeMap<&str, BTreeSet<String>> =
        rooms.iter().map(|(name, (.., uses))| (name.as_str(), uses.keys().cloned().collect())).collect();
    println!("\ncircles between rooms: {:?}", circles(&between));
    let of_files = circles(&arrows);
    println!("circles between files: {}", of_files.len());
    for circle in &of_files {
        println!("- {}", circle.join(", "));
    }
}

/// Rooms whose functions get everything as values.
const PURE: [&str; 9] =
    ["units", "provenance", "workload", "price", "capacity", "plan", "cost", "advise", "app"];

/// What reaches out of a function: the command line, terminals, files, the clock, the environment.
const OUTSIDE: [&[&str]; 12] = [
    &["clap"],
    &["dialoguer"],
    &["indicatif"],
    &["anstream"],
    &["tokio"],
    &["reqwest"],
    &["std", "fs"],
    &["std", "env"],
    &["std", "io"],
    &["std", "net"],
    &["std", "process"],
    &["std", "time", "SystemTime"],
];

fn reaches_outside(path: &Named) -> bool {
    let begins =
        |with: &[&str]| path.segments.iter().map(String::as_str).take(with.len()).eq(with.iter().copied());
    OUTSIDE.iter().any(|with| begins(with)) || path.segments.last().is_some_and(|last| last == "now")
}

#[test]
fn engines_and_use_cases_reach_nothing_outside() {
    let sources = Sources::of_this_crate();
    let rooms = sources.modules.iter().filter(|(module, _)| PURE.contains(&room(module)));
    let found: Vec<String> = rooms
        .flat_map(|(module, file)| file.paths.iter().map(move |path| (module, path)))
        .filter(|(_, path)| reaches_outside(path))
        .map(|(module, path)| format!("{module}: {}", path.segments.join("::")))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    let path = |text: &str| paths(&tokens(text)).remove(0);
    assert!(
        reaches_outside(&path("let now = jiff::Timestamp::now();"))
            && reaches_outside(&path("std::fs::read(x)"))
    );
    assert!(!reaches_outside(&path("std::fmt::Write")));
}

#[test]
fn the_check_can_fail() {
    assert!(allowed("cost", "capacity") && !allowed("capacity", "cost"));
    assert!(!allowed("measure", "cost") && !allowed("units", "catalog") && allowed("document", "measure"));
    let sources = Sources::read(
        [
            ("a/mod.rs", "mod b; pub mod c; pub use b::{Thing, b}; pub struct Own;"),
            // By a re-export of its room: an arrow to where the thing is, not to the room's front.
            ("a/c.rs", "use super::Thing; // use crate::z::Nothing;\nfn f() { \"use crate::z::X\"; }"),
            ("a/b.rs", "use crate::a::c::{self as other, Kind}; #[cfg(test)] mod tests { use crate::z::X; }"),
            ("a/d.rs", "fn f(_: super::Own) { let c = '\"'; other::g::<'static>() }"),
            // `super` of an inline module is its file, the next one the room.
            ("a/e.rs", "mod x { use super::{c, Own}; mod y { use super::super::super::d; } } fn c() {}"),
            // By a glob that is handed on: where the name is that the file uses.
            ("w/mod.rs", "mod v; pub use v::*; struct Whole { part: Part }"),
            ("w/v.rs", "mod u; pub use u::Part; pub(in crate::w) struct Unused;"),
            ("w/v/u.rs", "pub struct Part { of: &'static crate::w::Whole }"),
            ("z.rs", "use crate::{a::{d, c::Kind as K}, y::Z};"),
            ("y.rs", "macro_rules! m { () => { $crate::z::f() } }"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into_iter(),
    );
    let arrows = sources.arrows();
    let of = |m: &str| arrows[m].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!((of("a"), of("a::c"), of("a::b")), (vec![], vec!["a::b"], vec!["a::c"]));
    assert_eq!((of("a::d"), of("z"), of("y")), (vec!["a"], vec!["a::c", "a::d", "y"], vec!["z"]));
    assert_eq!((of("a::e"), of("w"), of("w::v::u")), (vec!["a::d"], vec!["w::v::u"], vec!["w"]));
    let circles: Vec<String> = circles(&arrows).iter().map(|circle| circle.join(" ")).collect();
    assert_eq!(circles, ["a::b a::c", "w w::v::u", "y z"]);
}
