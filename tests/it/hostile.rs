//! Text that others made, through every sink: nothing it says may act on a terminal, a browser, a
//! spreadsheet or a Markdown viewer.

use crate::needs::shared;
use crate::run::{Sandbox, base64};
use freehold::render::view::{Block, Cell, Table, View};
use freehold::{document::Warning, sanitize};

/// Every hostile text, escape sequences with their ESC.
fn texts() -> Vec<String> {
    let Some(file) = shared("testdata/hostile_text.json") else { return own() };
    let data: serde_json::Value = serde_json::from_str(&file).expect("JSON");
    let list = |key: &str| data[key].as_array().cloned().unwrap_or_default();
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let naughty = list("naughty_b64")
        .iter()
        .map(|v| String::from_utf8_lossy(&base64(&text(v))).into_owned())
        .collect::<Vec<_>>();
    let formulas = list("csv_formula").iter().map(text).collect::<Vec<_>>();
    let escapes = list("ansi_after_esc")
        .iter()
        .flat_map(|v| [format!("\u{1b}{}", text(v)), format!("a\u{9b}{}b", text(v))])
        .collect::<Vec<_>>();
    assert!(naughty.len() > 600 && formulas.len() >= 6 && escapes.len() > 300);
    [own(), naughty, formulas, escapes].concat()
}

fn own() -> Vec<String> {
    [
        "\u{1b}]0;title\u{7}",
        "a\rb",
        "=1+1",
        "\t=1",
        "\n=1",
        "<script>",
        "a|b",
        "```\n# x",
        "\u{202e}x",
        "| --- |",
        "1. x",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A view with the text in every place a text can be in.
fn view(text: &str) -> View {
    let mut table = Table::new(&["name", "#n"]).caption(text);
    text.clone_into(&mut table.columns[0].name);
    table.row([text.into(), Cell::Number(1.0, text.to_owned())]);
    let mut view = View::new(text);
    view.heading(text).paragraph(text);
    view.push(Block::List(vec![text.to_owned()]));
    view.push(Block::Numbered(vec![text.to_owned()]));
    view.push(Block::Table(table));
    view.push(Block::Warnings(vec![Warning::new("w", text)]));
    view
}

#[test]
fn a_terminal_gets_no_control_character() {
    for text in texts() {
        let mut with_code = view(&text);
        with_code.push(Block::Code(text.clone()));
        for width in [20, 60, 100] {
            let out = with_code.to_terminal(width);
            let bad = out.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
            assert!(bad.is_none(), "{text:?} -> {bad:?}");
            assert!(!out.contains(['\u{202e}', '\u{200b}', '\u{2066}']), "{text:?}");
        }
    }
}

#[test]
fn html_has_no_tag_of_theirs() {
    let tags = |html: &str| html.matches('<').count();
    let plain = tags(&view("x").to_html());
    for text in texts() {
        // Our own element for what stands between backticks.
        let html = view(&text).to_html().replace("<code>", "`").replace("</code>", "`");
        // The same tags whatever the text says, and it is there, escaped. An empty title adds none.
        assert_eq!(tags(&html), plain, "{text:?}");
        assert!(html.contains(&sanitize::html(&text)), "{text:?}");
        // A column without a name has no attributes of a heading.
        if sanitize::html(&text).is_empty() {
            continue;
        }
        let quotes = html.split("<body>").nth(1).unwrap_or_default().matches("=\"").count();
        assert_eq!(
            quotes,
            view("x").to_html().split("<body>").nth(1).unwrap_or_default().matches("=\"").count()
        );
    }
}

#[test]
fn csv_cells_are_no_formulas() {
    for text in texts() {
        let csv = view(&text).to_csv();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
        let mut rows = 0;
        for record in reader.records() {
            let record = record.expect("well-formed");
            rows += 1;
            assert_eq!(record.len(), 2, "{text:?}");
            let cell = record[0].trim_start_matches('\n');
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{text:?} -> {:?}", &record[0]);
        }
        assert_eq!(rows, 2, "{text:?}: {csv:?}");
    }
}

/// What a reader of Markdown makes of it: the elements, and the words in them.
fn read_back(markdown: &str) -> (Vec<String>, Vec<String>) {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let (mut elements, mut words) = (Vec::new(), Vec::new());
    let mut word = String::new();
    let github = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    for event in Parser::new_ext(markdown, github) {
        match event {
            Event::Start(Tag::Strong) | Event::End(pulldown_cmark::TagEnd::Strong) => {}
            Event::Start(tag) => {
                let name = format!("{tag:?}");
                elements.push(name.split(['(', ' ', '{']).next().unwrap_or_default().to_owned());
            }
            Event::Text(text) => word.push_str(&text),
            // What was between backticks reads as it was written.
            Event::Code(text) => word.extend(["`", &text, "`"]),
            Event::End(_) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => elements.push(format!("{other:?}")),
        }
    }
    (elements, words)
}

/// One line, single spaces: what Markdown keeps of a text.
fn one_line(text: &str) -> String {
    sanitize::line(text, 10_000).split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn markdown_is_text(text: &str) {
    let plain = read_back(&view("x").to_markdown());
    let line = one_line(text);
    if line.is_empty() {
        return;
    }
    let markdown = view(text).to_markdown();
    let (elements, words) = read_back(&markdown);
    assert_eq!(elements, plain.0, "{text:?}:\n{markdown}");
    // What the renderer itself writes in front of a warning runs into its text.
    let expected: Vec<String> = plain
        .1
        .iter()
        .map(|w| if w == "x" { line.clone() } else { w.replace(": x", &format!(": {line}")) })
        .collect();
    assert_eq!(words, expected, "{text:?}:\n{markdown}");
}

#[test]
fn markdown_reads_back_as_the_text() {
    for text in texts() {
        markdown_is_text(&text);
    }
    for text in [
        "84.222",
        "[0]",
        "1.",
        "1. x",
        "2) x",
        "-",
        "- x",
        "--- ---",
        "+1",
        "=",
        "===",
        "# x",
        "x #",
        "#",
        "a_b_c",
        "_a_",
        "* x",
        "2 * 3",
        "*a*",
        "**a**",
        "~a~",
        "~~a~~",
        "a ~ b",
        "`a`",
        "run `a_b *c*`, then *d*",
        "`a` `b` ` c`",
        "\\`a`",
        "``a``",
        "`<b>` and `&lt;`",
        "`a\\`",
        "`a|b`",
        "<b>",
        "<!-- -->",
        "< 5",
        "a<b>c",
        "&lt;",
        "&",
        "AT&T",
        "a|b",
        "|a|b|",
        "[a](b)",
        "[a]: b",
        "![a](b)",
        "[a][b]",
        "[^1]",
        "[ ] x",
        "[x] y",
        "> x",
        "a > b",
        "\\",
        "\\n",
        "a\\|b",
        "http://a.b/c_d_e",
        "<http://a.b>",
        "$5 and $6",
        "**",
        "a*",
        "_",
        "x_",
        ": x",
        "a  b",
        "\\*",
        "{#id}",
        "x {#id}",
        "x {.a}",
        "&#35;",
        "&copy;",
        "a*b*c",
        "***",
        "___",
        "[!NOTE]",
        "[[a]]",
        "a\\",
        "~",
        "`",
        "<",
        ">",
        "!",
        "(a)",
        "10",
        "10.5 x",
    ] {
        markdown_is_text(text);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_reads_back_from_markdown(text in "[a-c1 *_~`<>|#&;:.()!\\[\\]\\\\+=/-]{0,14}") {
        markdown_is_text(&text);
    }
}

/// Is the character at `at` behind an odd number of backslashes?
fn escaped(line: &str, at: usize) -> bool {
    line[..at].chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

#[test]
fn fences_hold_what_they_hold() {
    for text in texts() {
        let mut view = View::new("");
        view.push(Block::Code(text.clone()));
        let markdown = view.to_markdown();
        let fence = markdown.lines().next().expect("a fence").to_owned();
        let closing = markdown.lines().filter(|l| l.trim() == fence).count();
        assert_eq!(closing, 2, "{text:?}:\n{markdown}");
    }
}

#[test]
fn json_keeps_every_character() {
    for text in texts() {
        let json: serde_json::Value =
            serde_json::from_str(&view(&text).to_json().expect("JSON")).expect("JSON");
        let found = json.as_array().expect("a list").iter().any(|t| t["rows"][0][0] == text.as_str());
        assert!(found, "{text:?}");
    }
}

/// Through the program: in a profile's text, its file's name, an unknown schema.
#[test]
fn errors_and_reports_are_safe_to_print() {
    let sandbox = Sandbox::new();
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}<script>";
    let name = "evil\u{1b}[31m.toml";
    sandbox
        .write(name, &format!("title = '''{}'''\nprivacy = \"strict\"\nvolume = \"{}\"", evil, "x\u{202e}"));
    let run = sandbox.run(&["advise", "--profile", name]);
    assert_eq!(run.code, Some(2));
    let schema = sandbox.write("d.json", &serde_json::json!({ "schema": evil }).to_string());
    let other = sandbox.run(&["report", &schema.display().to_string()]);
    for text in [run.err, other.err] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}']), "{text:?}");
    }
    sandbox.write("ok.toml", "title = \"x\"\nprivacy = \"strict\"\nvolume = \"low\"\ncapability = \"basic\"\noperations = \"limited\"\nbudget = \"opex\"\n");
    std::fs::rename(sandbox.path("ok.toml"), sandbox.path("o\u{1b}[2Jk=<b>|.toml")).expect("renamed");
    for format in ["table", "markdown", "html", "csv"] {
        let text = sandbox.run(&["advise", "--profile", "o\u{1b}[2Jk=<b>|.toml", "--format", format]).ok();
        assert!(!text.contains('\u{1b}'), "{format}");
        // Within a fence it is shown as it is.
        let outside: String = text.split("```").step_by(2).collect();
        let tag = format == "html" && text.contains("<b>");
        let tag = tag || outside.match_indices("<b>").any(|(at, _)| !escaped(&outside, at));
        assert!(!tag || format == "table" || format == "csv", "{format}: {text}");
    }
}

/// A name with a line end in it begins no line that a CI system would take for a command, wherever the
/// program prints it.
#[test]
fn no_name_is_a_command_to_a_ci_system() {
    let sandbox = Sandbox::new();
    let evil = "x\n::warning::owned\n##vso[task.x]y\n  ::add-mask::z";
    let profile = "title = \"x\"\nprivacy = \"strict\"\nvolume = \"low\"\ncapability = \"basic\"\noperations = \"limited\"\nbudget = \"opex\"\n";
    let file = "a\n::warning::owned\n.toml";
    sandbox.write(file, profile);
    let scenario = format!(
        "[need]\nrequests_per_month = 1000\ninput_tokens = 100\noutput_tokens = 10\n[[cloud]]\nname = {0}\n\
         input_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n[[local]]\nname = {0}\npurchase_usd = 100\n\
         decode_tokens_per_second = 100\nprefill_tokens_per_second = 100\n",
        serde_json::json!(evil)
    );
    sandbox.write("evil.toml", &scenario);
    sandbox.run(&["breakeven", "--scenario", "evil.toml", "-o", "cost.json"]).ok();
    let lines: [&[&str]; 9] = [
        &["advise", "--profile", file],
        &["advise", "--profile", evil],
        &["db", "show", evil],
        &["db", "search", evil],
        &["fit", "--model", evil],
        &["breakeven", "--scenario", evil],
        &["breakeven", "--scenario", "evil.toml"],
        &["report", "cost.json"],
        &["report", "cost.json", "cost.json", evil],
    ];
    for line in lines {
        for format in ["table", "markdown", "html", "csv", "json"] {
            let run = sandbox.run(&[line, &["--format", format]].concat());
            for text in [&run.out, &run.err] {
                let bad = text.lines().find(|l| l.trim_start().starts_with("::") || l.contains("##vso["));
                let quoted = format == "json" && bad.is_some_and(|l| l.trim_start().starts_with('"'));
                assert!(bad.is_none() || quoted, "{line:?} {format}: {bad:?}");
            }
        }
    }
    // As a page of several: the commands are one line each.
    sandbox.run(&["advise", "--profile", file, "-o", "advice.json"]).ok();
    let memo = sandbox.run(&["report", "advice.json", "cost.json", "--format", "markdown"]).ok();
    assert!(!memo.lines().any(|l| l.trim_start().starts_with("::")), "{memo}");
    assert!(memo.contains("$'a\\n::warning::owned\\n.toml'"), "{memo}");
}
