//! Pages in a real browser: at the widths of a phone, a tablet and a desk, in the light and in the dark,
//! with and without their script, and printed. Nothing hangs over, everything can be read, nothing is
//! asked for from elsewhere, no text is lost on paper.

use crate::needs::missing_browser;
use crate::run::Sandbox;
use base64::Engine as _;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A browser without a window, spoken to over its pipes.
struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: u64,
    session: Option<String>,
    /// What happened since somebody looked: method and parameters.
    events: Vec<(String, Value)>,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    fn start() -> Option<Self> {
        let program = ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()));
        let Some(program) = program else {
            missing_browser("Chromium (Debian: chromium)");
            return None;
        };
        let profile = tempfile::tempdir().expect("a folder");
        // It reads from descriptor 3 and writes to 4.
        let line = format!(
            "exec {program} --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
             --remote-debugging-pipe --user-data-dir='{}' about:blank 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null",
            profile.path().display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let to = child.stdin.take().expect("piped");
        let from = BufReader::new(child.stdout.take().expect("piped"));
        let mut browser =
            Self { child, to, from, next: 0, session: None, events: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let id = target["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({"targetId": id, "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).expect("the browser answers");
        assert_eq!(bytes.pop(), Some(0), "the browser went away");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[track_caller]
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let mut answer = self.read();
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
            if let Some(method) = answer["method"].as_str().map(str::to_owned) {
                self.events.push((method, answer["params"].take()));
            }
        }
    }

    fn open(&mut self, page: &str) {
        self.events.clear();
        self.call("Page.navigate", &json!({"url": page}));
        while !self.events.iter().any(|(method, _)| method == "Page.loadEventFired") {
            let mut event = self.read();
            if let Some(method) = event["method"].as_str().map(str::to_owned) {
                self.events.push((method, event["params"].take()));
            }
        }
    }

    #[track_caller]
    fn value(&mut self, script: &str) -> Value {
        let mut answer = self.call("Runtime.evaluate", &json!({"expression": script, "returnByValue": true}));
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].take()
    }

    /// Requests beside the page itself, and everything that went wrong in it.
    fn faults(&self, page: &str) -> Vec<String> {
        let wrong = |(method, p): &(String, Value)| match method.as_str() {
            "Network.requestWillBeSent" if p["request"]["url"] != page => {
                Some(format!("asks for {}", p["request"]["url"]))
            }
            "Runtime.exceptionThrown" => Some(p["exceptionDetails"].to_string()),
            "Log.entryAdded" => Some(p["entry"].to_string()),
            "Runtime.consoleAPICalled" => Some(p["args"].to_string()),
            _ => None,
        };
        self.events.iter().filter_map(wrong).collect()
    }
}

/// What hangs over the right edge, and text that is too faint: contrast below 4.5 to 1.
const CHECK: &str = r#"(() => {
  const found = [], wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > wide) found.push("the page is " + document.documentElement.scrollWidth + " wide of " + wide);
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const rgb = text => { const m = text.match(/[\d.]+/g); return m ? m.map(Number) : [0, 0, 0, 0]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.textContent.trim() || ["SCRIPT", "STYLE"].includes(e.tagName) || !e.checkVisibility()) continue;
    const box = e.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;
    if (box.right > wide + 1 || box.left < -1) found.push("hangs over: " + node.textContent.trim().slice(0, 60));
    const svg = e instanceof SVGElement, style = getComputedStyle(e);
    let back = [255, 255, 255, 1];
    for (let at = e; at; at = at.parentElement) {
      const c = rgb(getComputedStyle(at).backgroundColor);
      if (c.length < 4 || c[3] > 0.5) { back = c; break; }
    }
    if (svg && style.fill === getComputedStyle(document.documentElement).getPropertyValue("--cp")) continue;
    // Text in the colour of the page stands on a bar.
    const front = rgb(svg ? style.fill : style.color);
    if (svg && front.slice(0, 3).join() === back.slice(0, 3).join()) continue;
    const a = light(front), b = light(back), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push("contrast " + ratio.toFixed(1) + ": " + node.textContent.trim().slice(0, 60) + " " + style.fill + style.color + back);
  }
  return found.slice(0, 10);
})()"#;

/// Another text wherever this one is a value.
fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, from, to)),
        _ => {}
    }
}

/// A page that several documents make, and one made of hostile text.
fn pages(sandbox: &Sandbox) -> Vec<String> {
    super::report::documents(sandbox);
    sandbox.run(&["report", "advice.json", "bench.json", "cost.json", "-o", "memo.html"]).ok();
    sandbox.run(&["report", "cost.json", "-o", "cost.html"]).ok();
    let long = "x".repeat(300);
    let evil =
        format!("<script>alert(1)</script><img src=http://127.0.0.1:1/x onerror=alert(2)>{long}</script>");
    let cost = std::fs::read_to_string(sandbox.path("cost.json")).expect("there");
    let mut cost: Value = serde_json::from_str(&cost).expect("JSON");
    let name = cost["result"]["comparisons"][0]["local"].as_str().expect("a name").to_owned();
    rename(&mut cost["result"], &name, &evil);
    sandbox.write("evil.json", &cost.to_string());
    sandbox.run(&["report", "evil.json", "-o", "evil.html"]).ok();
    let address =
        |name: &str| format!("file://{}", sandbox.path(name).canonicalize().expect("there").display());
    ["memo.html", "cost.html", "evil.html"].map(address).to_vec()
}

#[test]
fn pages_hold_at_every_width_light_and_dark_with_and_without_script() {
    let Some(mut browser) = Browser::start() else { return };
    let sandbox = Sandbox::new();
    let mut wrong = Vec::new();
    for page in pages(&sandbox) {
        let name = page.rsplit('/').next().unwrap_or_default().to_owned();
        for script in [true, false] {
            browser.call("Emulation.setScriptExecutionDisabled", &json!({"value": !script}));
            for dark in [false, true] {
                let scheme = if dark { "dark" } else { "light" };
                let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
                browser.call("Emulation.setEmulatedMedia", &features);
                for width in [360, 800, 1280] {
                    let screen =
                        json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
                    browser.call("Emulation.setDeviceMetricsOverride", &screen);
                    browser.open(&page);
                    let faults = browser.value(CHECK);
                    let all = faults
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(Value::to_string)
                        .chain(browser.faults(&page));
                    wrong.extend(all.map(|f| format!("{name} at {width}, {scheme}, script {script}: {f}")));
                }
            }
        }
        // With its script: a table is sorted, the slider moves.
        browser.call("Emulation.setScriptExecutionDisabled", &json!({"value": false}));
        browser.open(&page);
        assert_eq!(browser.value("document.querySelectorAll('figure script').length > 0"), true, "{name}");
        let moved = browser.value(
            "(() => { const i = document.querySelector('.read input'), o = document.querySelector('.read output'); \
             i.value = i.max; i.dispatchEvent(new Event('input')); const last = o.textContent; i.value = 0; \
             i.dispatchEvent(new Event('input')); return last !== o.textContent && last.length > 5; })()",
        );
        assert_eq!(moved, true, "{name}: the slider says nothing");
        assert_eq!(browser.value("typeof window.alert"), "function");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pages of `docs/memos`, each with the number of printed pages that stands beside it there.
fn documented() -> Vec<(String, usize)> {
    let folder = super::memos::folder();
    let table = std::fs::read_to_string(folder.join("README.md")).expect("there");
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let file = cells.get(1)?.split_once("](")?.1.strip_suffix(')')?;
        let pages = cells.get(3)?.strip_suffix(" pages")?.parse().ok()?;
        Some((format!("file://{}", folder.join(file).display()), pages))
    });
    rows.collect()
}

#[test]
fn printed_a_plain_case_takes_two_pages_and_loses_no_text() {
    let Some(mut browser) = Browser::start() else { return };
    let sandbox = Sandbox::new();
    let plain = pages(&sandbox).into_iter().nth(1).expect("the cost page");
    let documented = documented();
    assert!(documented.len() >= 8, "{documented:?}");
    for (page, most) in std::iter::once((plain, 2)).chain(documented) {
        for (paper, width, height) in [("A4", 8.27, 11.69), ("Letter", 8.5, 11.0)] {
            browser.open(&page);
            let printed = json!({"paperWidth": width, "paperHeight": height, "printBackground": true});
            let answer = browser.call("Page.printToPDF", &printed);
            let pdf = base64::engine::general_purpose::STANDARD
                .decode(answer["data"].as_str().expect("data"))
                .expect("base64");
            let text = String::from_utf8_lossy(&pdf);
            let count = text.matches("/Type /Page\n").count();
            assert!((1..=most).contains(&count), "{page} on {paper}: {count} pages, not {most}");
            browser.call("Emulation.setEmulatedMedia", &json!({"media": "print"}));
            let shown = browser.value("document.body.innerText");
            browser.call("Emulation.setEmulatedMedia", &json!({"media": ""}));
            let file = sandbox.path("page.pdf");
            std::fs::write(&file, &pdf).expect("written");
            let Ok(read) =
                Command::new("pdftotext").args(["-layout", &file.display().to_string(), "-"]).output()
            else {
                missing_browser("pdftotext (Debian: poppler-utils)");
                return;
            };
            let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let printed = squeezed(&String::from_utf8_lossy(&read.stdout));
            let lost: Vec<&str> = shown
                .as_str()
                .expect("text")
                .split_whitespace()
                .filter(|word| !printed.contains(&squeezed(word)))
                // A word that is broken at the end of a line stands on two of them: at its hyphens, or anywhere
                // if it is long.
                .filter(|word| !word.split_inclusive('-').all(|part| printed.contains(&squeezed(part))))
                .filter(|word| word.chars().count() <= 20)
                .collect();
            assert!(lost.is_empty(), "{page} on {paper}: lost {lost:?}");
        }
    }
}
