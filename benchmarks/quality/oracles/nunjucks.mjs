// Values from nunjucks itself, for tests/fixtures/quality/nunjucks.json.
// In an empty folder: npm install nunjucks@3.2.4, then: node nunjucks.mjs > nunjucks.json
import nunjucks from 'nunjucks';
const vars = {
  n: 5, z: 0, f: 1.5, s: 'Hello World', empty: '', nothing: null, xs: ['b', 'a', 'c'], no: [],
  p: { k: 'v', xs: [1, 2] }, yes: true, off: false, items: [{ n: 2, t: 'x' }, { n: 3, t: 'y' }],
  pairs: [['a', 1], ['b', 2]], emoji: '😀é', big: 123456789012345680000, tiny: 1e-7, html: '<b>"&\'</b>',
};
const templates = [
  '{{ "5" + 3 }}', '{{ "a" ~ 1 + 2 }}', '{{ 1 + 2 ~ 3 }}', '{{ 10 // 3 % 2 }}', '{{ 2 ** 3 ** 2 }}', '{{ -2 ** 2 }}',
  '{{ not n == 5 }}', '{{ xs }}', '{{ p }}', '{{ nothing }}{{ missing }}{{ missing.deep }}', '{{ no and 1 }}',
  '{{ empty or "x" }}', '{{ "5" == 5 }} {{ "5" === 5 }}', '{{ 0.1 + 0.2 }}', '{{ 7 % 3 }} {{ 7 / 2 }}',
  '{{ "a" in xs }} {{ "k" in p }} {{ "z" not in xs }}', '{{ n is odd }} {{ missing is defined }} {{ n is not string }}',
  '{{ (1, 2) }}', '{{ {"a": [1, {b: 2}]} | dump }}', '{{ s.length }} {{ xs.length }} {{ xs[1] }} {{ s[0] }}',
  '{{ s.split(" ").reverse().join("-") | lower }}', '{{ xs | sort | join("+") }}', '{{ items | sum("n") }}',
  '{{ items | join("/", "t") }}', '{{ s | truncate(8) }}|{{ s | truncate(8, true) }}',
  '{{ 2.5 | round }} {{ -2.5 | round }} {{ "12px" | int }} {{ "x" | int(7) }}', '{{ p | length }} {{ nothing | length }}',
  '{% for k, v in p %}{{ k }}={{ v }};{% endfor %}', '{% for x in no %}x{% else %}none{% endfor %}',
  '{% for x in xs %}{{ loop.index }}/{{ loop.length }}{% if not loop.last %},{% endif %}{% endfor %}',
  'a  {{- 1 -}}  b {%- if yes %} c {% endif -%} d', '{% raw %}{{ x }}{% raw %}{% endraw %}{% endraw %}!',
  '{# a {{ b }} #}x{#- c -#} y', '{% set a = 1 %}{% for x in xs %}{% set a = a + 1 %}{% endfor %}{{ a }}',
  '{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=3) }}{{ m(4, 5) }}',
  '{% switch n %}{% case 4 %}four{% case 5 %}five{% default %}?{% endswitch %}', '{% filter upper %}abc{% endfilter %}',
  '{% set t %}x{{ n }}{% endset %}{{ t }}', '{{ range(3) }} {{ range(1, 7, 3) }}', 'plain } text { and % too',
  '{{ 1 + 2 * 3 - 4 / 2 }}', '{{ (1 + 2) * 3 }}', '{{ 1 < 2 == true }}', '{{ "b" > "a" and 2 >= 2 }}', '{{ 5 if n > 3 }}',
  '{{ 5 if n > 30 }}|', '{{ "a" if z else "b" }}', '{{ nothing is null }} {{ missing is null }} {{ missing is undefined }}',
  '{{ yes }} {{ off }} {{ not yes }}', '{{ big }} {{ tiny }} {{ f }}', '{{ 1e3 }}|{{ 1.0 }}|{{ 5. }}', '{{ emoji.length }} {{ emoji | upper }}',
  '{{ html | escape }}', '{{ html | safe }}', '{{ html | striptags }}', '{{ s | title }} {{ "ßx" | capitalize }} {{ "the end" | title }}',
  '{{ "  pad " | trim }}|', '{{ "a,b,c" | replace(",", ";") }} {{ "aaa" | replace("a", "b", 2) }} {{ "ab" | replace("", "-") }}',
  '{{ 15 | replace(5, 6) }}', '{{ xs | reverse }} {{ "abc" | reverse }}', '{{ xs | first }} {{ xs | last }} {{ "abc" | first }} {{ "abc" | last }}',
  '{{ no | first }}|{{ no | last }}|', '{{ nothing | default("d") }}|{{ nothing | default("d", true) }}|{{ missing | default("d") }}|{{ empty | default("d") }}|{{ empty | d("e", true) }}',
  '{{ "3.7abc" | float }} {{ "x" | float(1.5) }} {{ 3.7 | int }} {{ "-4" | int }}', '{{ 3.14159 | round(2) }} {{ 3.1 | round(0, "ceil") }} {{ 3.9 | round(0, "floor") }}',
  '{{ items | dump }}', '{{ items | dump(2) }}', '{{ nothing | dump }} {{ "a\\"b" | dump }}', '{{ pairs | join("|") }}',
  '{% for a, b in pairs %}{{ a }}{{ b }} {% endfor %}', '{% for c in "añ" %}[{{ c }}]{% endfor %}', '{% for x in p %}x{% endfor %}|',
  '{% for x in nothing %}x{% else %}empty{% endfor %}', '{% for i in range(2) %}{% for j in range(2) %}{{ i }}{{ j }}{{ loop.first }} {% endfor %}{% endfor %}',
  '{% if xs %}y{% endif %}{% if no %}n{% endif %}{% if p %}o{% endif %}{% if empty %}e{% endif %}{% if "0" %}0{% endif %}',
  '{% if n == 4 %}4{% elif n == 5 %}5{% else %}x{% endif %}', '{% if n == 4 %}4{% elseif n == 6 %}5{% else %}x{% endif %}',
  '{{ s.toUpperCase() }} {{ s.indexOf("o") }} {{ s.slice(-5) }} {{ s.substring(3, 1) }} {{ s.includes("World") }}',
  '{{ s.replace("l", "L") }} {{ s.charAt(1) }} {{ s.padStart(13, "*") }} {{ "ab".repeat(3) }} {{ "a-b-c".split("-").length }}',
  '{{ xs.concat(["d"]).join("") }} {{ xs.indexOf("c") }} {{ xs.slice(1) }} {{ xs.includes("zz") }}', '{{ f.toFixed(2) }} {{ n.toString() }}',
  '{{ p["k"] }} {{ p.xs[0] }} {{ p.missing }} {{ items[1].t }}', '{{ xs | length }} {{ s | length }} {{ n | length }}', '{{ s | wordcount }}',
  '{{ "a\\nb" | indent(2) }}', '{{ "a\\nb" | indent(2, true) }}', '{{ "a\\nb" | nl2br }}', '{{ "x" | center(5) }}|', '{{ "xy" | center(5) }}|', '{{ "xyz" | center(4) }}|', '{{ "" | center(3) }}|', '{{ "x" | center(11) }}|', '{{ s | urlencode }} {{ p | urlencode }}',
  '{{ xs | batch(2) | dump }}', '{{ xs | slice(2) | dump }}', '{{ items | groupby("t") | dump }}', '{{ p | dictsort | dump }}',
  '{{ [3, 1, 2] | sort(true) }} {{ ["B", "a"] | sort }} {{ ["B", "a"] | sort(false, true) }} {{ items | sort(attribute="t", reverse=true) | dump }}',
  '{{ [1, "", 0, 2] | select }} {{ [1, 2, 3] | select("odd") }} {{ [1, 2, 3] | reject("odd") }}', '{{ items | selectattr("n") | length }}',
  '{{ "abc" | list }} {{ p | list | dump }}', '{{ -5 | abs }} {{ n | string + 1 }}', '{{ "a" + xs }} {{ xs + 1 }} {{ p + 1 }} {{ nothing + 1 }} {{ yes + 1 }} {{ missing + 1 }}',
  '{{ 10 / 0 }} {{ 0 / 0 }} {{ -1 % 3 }}', '{{ "10" - 1 }} {{ "3" * "4" }} {{ "x" * 2 }}', '{{ 2 + 3 if yes else 4 }}', '{{ not off and yes }} {{ not (off or yes) }}',
  '{{ 1 == 1.0 }} {{ "a" != "b" }} {{ nothing == missing }} {{ nothing === missing }} {{ [] == "" }}', '{{ "a" < "B" }} {{ "10" < "9" }} {{ 10 < "9" }}',
  '{{ n is divisibleby(5) }} {{ n is eq(5) }} {{ n is gt(4) }} {{ s is lower }} {{ xs is iterable }} {{ p is mapping }} {{ n is number }}',
  '{{ "it\\\'s" }} {{ \'q"q\' }} {{ "tab\\tx" }}', '{% set x, y = 3 %}{{ x }}{{ y }}', '{% set q = {"a": 1} %}{{ q.a }}', '{% block b %}in {{ n }}{% endblock %}',
  '{%- set a = 1 -%}   {{ a }}   {%- set b = 2 %} {{ b }}', '{{ "{{ n }}" }}', '{{ "%}" }}', '{% verbatim %}{{ n }}{% endverbatim %}', '{{ n }}{# c #}{{ n }}',
  '{{ true and "x" }} {{ false or none }}|', '{{ null }}|{{ none }}', '{{ loop }}', '{% for x in xs %}{{ loop.revindex }}{{ loop.index0 }}{% endfor %}', '{{ missing | upper }}|', '{{ missing | length }}',
  '{% if missing %}a{% else %}b{% endif %}', '{{ xs | join }} {{ xs | join(", ") | upper }}', '{{ "load" }}{{ \'{"a": [1]}\' | dump }}', "{{ 'x' }}{{ \"y\" }}", '{{ p.k ~ "-" ~ n }}', '{{ "a" "b" }}',
  '{{ n', '{{ n | nofilter }}', '{% if n %}x', '{% for x of xs %}{% endfor %}', '{{ 1 + }}', '{{ missing() }}', '{{ n() }}', 'text #} more', '{# never', '{{ }}', '{% nope %}', '{{ n is nothing2 }}', '{{ n in 5 }}',
  '{% else %}', '{% endif %}', '{{ a b }}', '{{ n.foo.bar }}', '{{ missing | first }}', '{{ n | trim }}', '{{ n | upper }}', '{{ nothing | upper }}|', '{{ nothing | trim }}', '{{ [1,2 }}', '{{ {1: 2} }}', "{{ 'abc }}",
  '{% if false %}{{ n | nofilter }}{% endif %}ok', '{{ xs | replace("a", "b") }}', '{{ n | join }}', '{{ missing | join }}',
];
const env = nunjucks.configure({ autoescape: false });
const cases = templates.map((template) => {
  try { return { template, text: env.renderString(template, structuredClone(vars)) }; }
  catch { return { template, text: null }; }
});
console.log(JSON.stringify({ made_with: 'nunjucks 3.2.4', vars, cases }, null, 1));
