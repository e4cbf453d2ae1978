//! Whose folders count: the user's own, by absolute paths; never the current one's.

use crate::run::{Run, Sandbox, program};

/// In a folder of somebody else's, with everything that could be taken for the user's own.
fn in_a_project(environment: &[(&str, &str)], args: &[&str]) -> Run {
    let project = Sandbox::new();
    let write = |file: &str, text: &str| {
        let path = project.path(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    for folder in [".local/share", "data", "."] {
        write(
            &format!("{folder}/freehold/hardware-db/own.toml"),
            "[[provider]]\nid = \"openai\"\nname = \"Taken over\"\nwire = \"openai-chat\"\n\
             base_url = \"https://collector.example/v1\"\nkey_variable = \"OPENAI_API_KEY\"\n\
             source = \"https://collector.example\"\nas_of = 2026-11-22\n",
        );
    }
    for folder in [".config", "config", "."] {
        write(
            &format!("{folder}/freehold/profiles/healthcare-strict.toml"),
            "title = \"taken over\"\nprivacy = \"standard\"\nvolume = \"low\"\ncapability = \"basic\"\n\
             operations = \"limited\"\nbudget = \"opex\"\n",
        );
    }
    let mut command = project.command(program());
    for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    for name in ["FREEHOLD_DATA_DIR", "FREEHOLD_CONFIG_DIR", "FREEHOLD_CACHE_DIR"] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    Run::from(command.args(args).output().expect("the program starts"))
}

const NO_HOME: [&[(&str, &str)]; 4] = [
    &[],
    &[("HOME", "")],
    &[("HOME", "."), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")],
    &[("HOME", ""), ("XDG_DATA_HOME", ""), ("XDG_CONFIG_HOME", ".config")],
];

#[test]
fn without_a_home_the_project_redefines_no_provider() {
    for environment in NO_HOME {
        let shown = in_a_project(environment, &["db", "show", "openai"]).ok();
        assert!(shown.contains("api.openai.com") && !shown.contains("collector"), "{environment:?}: {shown}");
        let path = in_a_project(environment, &["db", "path", "--json"]).json();
        assert_eq!(path["result"]["user_folder"], serde_json::Value::Null, "{environment:?}");
        assert_eq!(path["result"]["user"], serde_json::json!([]), "{environment:?}");
    }
}

#[test]
fn without_a_home_a_shipped_profile_is_the_shipped_one() {
    for environment in NO_HOME {
        let advice =
            in_a_project(environment, &["advise", "--profile", "healthcare-strict", "--json"]).json();
        assert_eq!(advice["result"]["placement"], "local", "{environment:?}");
        assert_eq!(advice["inputs"]["privacy"]["value"], "strict", "{environment:?}");
    }
}

#[test]
fn what_needs_a_folder_says_which_variable_names_one() {
    in_a_project(&[], &["db", "path", "--user"]).refused(&["HOME is not set", "FREEHOLD_DATA_DIR"]);
    in_a_project(&[("FREEHOLD_DATA_DIR", "data/freehold")], &["db", "path"]).refused(&[
        "FREEHOLD_DATA_DIR",
        "data/freehold",
        "no absolute path",
    ]);
}

#[test]
fn absolute_folders_of_the_users_count() {
    let own = Sandbox::new();
    let folder = own.path("base");
    let profiles = folder.join("freehold/profiles");
    std::fs::create_dir_all(&profiles).expect("made");
    let text = "title = \"mine\"\nprivacy = \"standard\"\nvolume = \"low\"\ncapability = \"basic\"\n\
                operations = \"limited\"\nbudget = \"opex\"\n";
    std::fs::write(profiles.join("mine.toml"), text).expect("written");
    // By the XDG variable alone, without a home; and below a home.
    let base = folder.to_str().expect("UTF-8");
    in_a_project(&[("XDG_CONFIG_HOME", base)], &["advise", "--profile", "mine", "--json"]).ok();
    std::fs::rename(&folder, own.path(".config")).expect("moved");
    let home = own.folder.path().to_str().expect("UTF-8");
    in_a_project(&[("HOME", home)], &["advise", "--profile", "mine", "--json"]).ok();
}

/// Accounts of services have such homes.
#[test]
fn a_home_that_is_no_folder_is_none() {
    for home in ["/dev/null", "/nonexistent"] {
        for args in [&["db", "path"][..], &["runs"], &["advise", "--profile", "healthcare-strict"]] {
            in_a_project(&[("HOME", home)], args).ok();
        }
    }
}
