//! The table of the environment variables that the program reads. Every variable is read through its entry
//! here, and `freehold help environment` prints the table, so that neither can know a variable that the
//! other does not. An empty variable counts as not set.

use crate::catalog::{Catalog, Provider};
use crate::measure::backend::{libraries, local::passed_on};
use crate::render::view::{Block, View};
use std::ffi::OsString;

/// What a variable is for: the headings of the help page, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Keys and tokens.
    Credentials,
    /// Where something is.
    Addresses,
    /// The user's own folders.
    Folders,
    /// The local engine and its drivers.
    Engine,
    /// Proxies and certificates.
    Network,
    /// How output looks.
    Output,
}

impl Group {
    const ALL: [Self; 6] =
        [Self::Credentials, Self::Addresses, Self::Folders, Self::Engine, Self::Network, Self::Output];

    const fn heading(self) -> &'static str {
        match self {
            Self::Credentials => "Credentials",
            Self::Addresses => "Addresses",
            Self::Folders => "Folders",
            Self::Engine => "Local engine",
            Self::Network => "Network",
            Self::Output => "Output",
        }
    }

    /// A sentence that holds for all variables of the group.
    const fn about(self) -> Option<&'static str> {
        Some(match self {
            Self::Credentials => {
                "Never an argument, never stored. A provider's key is sent to the provider's own address only; \
                 --api-key-env names the variable of another server."
            }
            Self::Folders => {
                "The first that is set counts: the program's own, the XDG one with /freehold, the one below HOME."
            }
            Self::Engine => {
                "It runs in a process of its own, which gets the variables of the last line and no other: no key reaches it. \
                 Nor does one reach a program that grades (--exec): it gets PATH, HOME, the language and the folder for \
                 temporary files."
            }
            Self::Network => "An address on this machine is never reached through a proxy.",
            Self::Addresses | Self::Output => return None,
        })
    }
}

/// One variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name in the environment.
    pub name: &'static str,
    /// Its group on the help page.
    pub group: Group,
    /// What it does, in a few words.
    pub about: &'static str,
}

impl Variable {
    /// Its value; `None` where it is not set or empty.
    pub fn os(&self) -> Option<OsString> {
        value(self.name)
    }

    /// Its value as text without surrounding blanks; one that is not UTF-8 counts as not set.
    pub fn text(&self) -> Option<String> {
        text(self.name)
    }
}

/// The value of a variable whose name comes from the catalogue or the command line.
pub fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The same as text without blanks around it; one that is not UTF-8 counts as not set.
pub fn text(name: &str) -> Option<String> {
    let text = value(name)?.into_string().ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Variables that a program of the user that grades (`--exec`) gets: no keys.
const OF_PROGRAMS: [&str; 8] =
    ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "USERPROFILE"];

/// Those variables that are set, with their values.
pub fn for_programs() -> impl Iterator<Item = (&'static str, OsString)> {
    OF_PROGRAMS.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

macro_rules! variables {
    ($($constant:ident = $name:expr, $group:ident, $about:expr;)*) => {
        $(
            #[allow(rustdoc::bare_urls)]
            #[doc = concat!("`", stringify!($constant), "`: ", $about)]
            pub const $constant: Variable = Variable { name: $name, group: Group::$group, about: $about };
        )*
        /// Every variable whose name does not come from the catalogue.
        pub const ALL: &[Variable] = &[$($constant),*];
    };
}

variables! {
    API_KEY = "FREEHOLD_API_KEY", Credentials, "servers that are no provider of the catalogue";
    HF_TOKEN = "HF_TOKEN", Credentials, "models that are downloaded by hf:OWNER/REPO";
    HF_TOKEN_PATH = "HF_TOKEN_PATH", Credentials, "a file with that token (default: token in HF_HOME)";
    HF_ENDPOINT = "HF_ENDPOINT", Addresses, "the hub that hf: names mean (default https://huggingface.co)";
    HF_HOME = "HF_HOME", Folders, "the hub's own folder: its token, and models in hub/ (default ~/.cache/huggingface)";
    HF_HUB_CACHE = "HF_HUB_CACHE", Folders, "models that the hub's own programs keep, instead of hub/ there";
    OLLAMA_MODELS = "OLLAMA_MODELS", Folders, "models of Ollama (default ~/.ollama/models)";
    CACHE_DIR = "FREEHOLD_CACHE_DIR", Folders, "downloads and journals";
    DATA_DIR = "FREEHOLD_DATA_DIR", Folders, "your catalogue overlay";
    CONFIG_DIR = "FREEHOLD_CONFIG_DIR", Folders, "your saved profiles";
    XDG_CACHE_HOME = "XDG_CACHE_HOME", Folders, "downloads and journals, in freehold/ (default ~/.cache)";
    XDG_DATA_HOME = "XDG_DATA_HOME", Folders, "your catalogue overlay, in freehold/ (default ~/.local/share)";
    XDG_CONFIG_HOME = "XDG_CONFIG_HOME", Folders, "your saved profiles, in freehold/ (default ~/.config)";
    HOME = "HOME", Folders, "what ~ stands for";
    BACKENDS = libraries::VARIABLE, Engine,
        "the folder of the engine's libraries, instead of backends/ beside the program";
    HTTPS_PROXY = "HTTPS_PROXY", Network, "the proxy for https addresses (https_proxy, too)";
    HTTP_PROXY = "HTTP_PROXY", Network, "the proxy for http addresses (http_proxy, too)";
    ALL_PROXY = "ALL_PROXY", Network, "the proxy where neither of these is set (all_proxy, too)";
    NO_PROXY = "NO_PROXY", Network, "hosts that are reached without one (no_proxy, too)";
    SSL_CERT_FILE = "SSL_CERT_FILE", Network, "certificates to trust instead of the system's (not on macOS and Windows)";
    SSL_CERT_DIR = "SSL_CERT_DIR", Network, "a folder of such certificates";
    NO_COLOR = "NO_COLOR", Output, "no colour";
    CLICOLOR = "CLICOLOR", Output, "0 means no colour";
    CLICOLOR_FORCE = "CLICOLOR_FORCE", Output, "colour even where the output is no terminal";
    TERM = "TERM", Output, "dumb means no colour";
    COLUMNS = "COLUMNS", Output, "the width of tables (default: the terminal's, else 100)";
    CI = "CI", Output, "progress as plain lines";
    GITHUB_ACTIONS = "GITHUB_ACTIONS", Output, "gates that do not hold are annotations of the workflow, too";
    GITHUB_STEP_SUMMARY = "GITHUB_STEP_SUMMARY", Output, "the file that --github-summary adds to";
    SOURCE_DATE_EPOCH = "SOURCE_DATE_EPOCH", Output,
        "the time to take as the present, in seconds since 1970: the same inputs then give the same bytes";
}

/// The variables of providers: group, name, and what each is for.
fn of_providers(catalog: &Catalog) -> Vec<(Group, String, String)> {
    type Pick = fn(&Provider) -> Option<&str>;
    let kinds: [(Group, Pick, &str); 3] = [
        (Group::Credentials, |p| p.key_variable.as_deref(), ""),
        (Group::Addresses, |p| p.endpoint_variable.as_deref(), ": where it is, if no @URL says so"),
        (
            Group::Addresses,
            |p| p.version_variable.as_deref(),
            ": a date such as 2024-10-21, for its dated form of address",
        ),
    ];
    let mut found: Vec<(Group, String, String)> = Vec::new();
    for (group, pick, what) in kinds {
        for provider in &catalog.providers {
            let Some(name) = pick(provider) else { continue };
            // The provider's name up to what it says about the wire format, since one provider may have
            // two.
            let owner = provider.name.split([',', ';', ':']).next().unwrap_or_default();
            match found.iter_mut().find(|(_, n, _)| n == name) {
                Some((_, _, about)) if about.starts_with(owner) => {}
                Some((_, _, about)) => *about = format!("{owner}, {about}"),
                None => found.push((group, name.to_owned(), format!("{owner}{what}"))),
            }
        }
    }
    found
}

/// The help page: every variable, by group.
pub fn page(catalog: &Catalog) -> View {
    let providers = of_providers(catalog);
    let mut view = View::new("Environment");
    for group in Group::ALL {
        view.heading(group.heading());
        if let Some(about) = group.about() {
            view.paragraph(about);
        }
        let of_catalog =
            providers.iter().filter(|(g, ..)| *g == group).map(|(_, name, about)| format!("{name}: {about}"));
        let own = ALL.iter().filter(|v| v.group == group).map(|v| format!("{}: {}", v.name, v.about));
        let mut lines: Vec<String> = of_catalog.chain(own).collect();
        if group == Group::Engine {
            lines.push(format!("passed on: {}", passed_on().join(", ")));
        }
        view.push(Block::List(lines));
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_page_names_every_variable_once() {
        let catalog = Catalog::embedded();
        let page = page(&catalog).to_terminal(100);
        let of_catalog = catalog.providers.iter().flat_map(|p| {
            [&p.key_variable, &p.endpoint_variable, &p.version_variable].into_iter().flatten().cloned()
        });
        for name in ALL.iter().map(|v| v.name.to_owned()).chain(of_catalog) {
            let entries = page.matches(&format!("- {name}: ")).count();
            assert_eq!(entries, 1, "{name} in\n{page}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    }

    /// A variable that is read elsewhere would be missing from the help page.
    #[test]
    fn the_environment_is_read_here_alone() {
        fn look(folder: &Path, found: &mut Vec<String>) {
            for path in std::fs::read_dir(folder).expect("src").flatten().map(|e| e.path()) {
                if path.is_dir() {
                    look(&path, found);
                } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("cli/environment.rs")
                {
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                    if code.contains("env::var") || code.contains("var_os(") {
                        found.push(path.display().to_string());
                    }
                }
            }
        }
        let mut found = Vec::new();
        look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        // The worker's environment is picked from all variables; their names are on the page.
        found.retain(|file| !file.ends_with("measure/backend/local/process.rs"));
        assert_eq!(found, [""; 0]);
    }
}
