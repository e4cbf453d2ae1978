use super::*;
use serde_json::json;

fn filled(template: &str) -> Result<String, TemplateError> {
    let vars = json!({"n": 5, "xs": ["b", "a", "c"]});
    let Value::Object(vars) = vars else { unreachable!() };
    render(template, &vars)
}

/// Expected values come from nunjucks itself, by the script `benchmarks/quality/oracles/nunjucks.mjs`.
#[test]
fn templates_give_what_nunjucks_gives() {
    let fixture: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/quality/nunjucks.json")).expect("JSON");
    let vars = fixture["vars"].as_object().expect("a mapping");
    let cases = fixture["cases"].as_array().expect("a list");
    assert!(cases.len() > 150);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let template = case["template"].as_str().expect("text");
            let found = render(template, vars);
            let same = match case["text"].as_str() {
                Some(text) => found.as_deref() == Ok(text),
                None => found.is_err(),
            };
            (!same).then(|| format!("{template}: {found:?}, not {}", case["text"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn broken_templates_name_the_line_and_none_runs_away() {
    for (template, line) in [
        ("a\n{{ n", 2),
        ("{{ n | nofilter }}", 1),
        ("{% if n %}x", 1),
        ("{% for x of xs %}{% endfor %}", 1),
        ("a\n\n{{ 1 + }}", 3),
        ("{{ missing() }}", 1),
        ("{% include \"x\" %}", 1),
        ("text #} more", 1),
        ("{# never", 1),
        ("{{ }}", 1),
        ("{% nope %}", 1),
    ] {
        let error = filled(template).expect_err(template);
        assert_eq!(error.line, line, "{template}: {error}");
    }
    for runaway in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}".to_owned(),
        "{{ \"x\".repeat(4000000) }}{{ \"x\".repeat(4000000) }}".to_owned(),
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_owned(),
        "{% set a = \"xxxxxxxx\" %}{% for i in range(60) %}{% set a = a + a %}{% endfor %}".to_owned(),
        format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000)),
        format!("{{{{ {}1 }}}}", "-".repeat(5000)),
        "{% if 1 %}".repeat(5000),
        format!("{{{{ 1{} }}}}", "+1".repeat(50_000)),
        format!("{{{{ n{} }}}}", ".n".repeat(50_000)),
        format!("{{{{ n{} }}}}", "|string".repeat(50_000)),
        format!("{{{{ n{} }}}}", " in n".repeat(50_000)),
    ] {
        assert!(filled(&runaway).is_err(), "{}", &runaway[..40]);
    }
}
