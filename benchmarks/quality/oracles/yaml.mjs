// Values from js-yaml with promptfoo's schema, for tests/fixtures/quality/yaml.json.
// In an empty folder: npm install js-yaml@5.4.1, then: node yaml.mjs > yaml.json
import * as module from 'js-yaml';
const yaml = module.default ?? module;
const schema = yaml.CORE_SCHEMA.withTags(yaml.mergeTag, yaml.binaryTag, yaml.timestampTag, yaml.omapTag, yaml.pairsTag);
const flow = ['1_000','0o17','0x1F','0b11','017','1e3','1.','.5','.inf','.nan','NaN','+5','1:30','2024-01-01','2024-01-01T00:00:00Z','2024-1-1','yes','True','~','','Null','{a, b}','{1, 2}','{{name}}','{"a":1 /* n */}','{"a":1,}','{ not json at all }','{"a":1,"a":2}','{"a":True}','{"a" 1}','{a: b: c}','{"a":"b" "c"}','[1, 2','{\n\t"a": 1\n}','{"a":\t1}','{a:1}','{"a":1}','{\'a\':\'it\'\'s\'}','{"a": "line\nbreak"}','{"a": |\n x}','{"a": *x}','{"a": &x 1}','{"a": !!str 1}','{"a": !foo 1}','{"a": @b}','{"a": `b`}','{"a": %b}','{"a": b#c}','{"a": b #c\n}','{? a : b}','{a: - b}','{- a}','{"\\x41": 1}','{"\\q": 1}', '{"\\/": 1}', '{"a": "\\ud83d\\ude00"}','{a: }','{: a}','{"a":{"b":[1,{"c":2}]}}','{a: 1}}','12e03','-0','0.1e1','1e','0x','{a: 1, b}','{"k": "v", \'j\': 2,}','{,}','{a,,b}','--- 1','%YAML 1.2\n---\n1','{"a": 1\n"b": 2}','{a\nb: 1}','{\n"a": 1\n}','{"a": "x}','{a: \'x}','{"$a": 1}','{a: $b}','{a: b, c: {d}}','{"a":-1}','{"a":- 1}','{"a": 1 2}', '{x=1}', '{x => 1}', '{"a": null}', '{"a": undefined}', '{ "a" : 1 }', '{"a":1;"b":2}', '{<b>}', '{!}', '{"a": >\n x}', '{a: [1, 2}', '{"a": "\\u00e9"}', '{"é": 1}', '{“a”: 1}', '{"a": 1...}', '{a : b}', '{"a"}', '{"a": 1, "a b": 2}', '{"a": {}}', '{ }', '{\n}', '{\\n}', '{%}', '{#}', '{"a": "b#c"}'];
const block = [
  'a: 1\nb:\n  - x\n  - y: z\n', 'a: &x {k: 1}\nb:\n  <<: *x\n  j: 2\n', 'a: &x {k: 1, j: 0}\nb:\n  j: 2\n  <<: *x\n',
  'a: {<<: [{k: 1}, {k: 2, j: 3}]}', 'a: |\n  one\n  two\nb: >\n  three\n  four\n', 'a: |-\n  x\n\nb: |+\n  y\n\n', "a: 'it''s'\nb: \"q\\n\"\n",
  'a: yes\nb: No\nc: on\n', '1: x\ntrue: y\nnull: z\n', 'a: 0.1\nb: 1e-7\nc: 12345678901234567890\nd: -0.0\n', '- - a\n  - b\n- c\n',
  'a: b: c', 'a:\n\tb: 1', '- a\nb', 'a: [1, 2\nb: 3', '{a: 1}\n---\n{b: 2}', '# only a comment', '', 'a: *nope', 'a: !!int "5"', 'a: !!str 5',
  '? a\n: b\n', 'a: "x" # c\n', "a: 'x' y", 'text\nmore', 'a: 2024-01-31\nb: 2024-01-31 10:00:00\nc: "2024-01-31"\n', 'a: ~\nb:\nc: ""\n',
  'type: object\nrequired: [b]\n', 'required: ["a"]\ntype: object', '"a": {"b": [1, 2.50, null]}', 'a: @x', 'a: %x', 'a: x: y', 'a: -\n', 'a: - b', 'a: #c\n',
  'a: http://x.y/z\n', 'a: {{b}}', "a: '{{b}}'", 'a: foo, bar\n', 'a: [x, "y, z", \'w\']\n', 'a: 1\na: 2\n', 'a: 012\nb: 0b1\nc: 1_0\n', 'a: <<\n', '<<: 1\n',
];
const one = (text, last_wins) => {
  try {
    const documents = yaml.loadAll(text, { schema, json: last_wins });
    if (documents.length > 1) throw new Error('more than one');
    const plain = (v) => v instanceof Date ? {} : Array.isArray(v) ? v.map(plain)
      : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]))
      : typeof v === 'number' && !Number.isFinite(v) ? null : v;
    return { text, last_wins, value: plain(documents[0]) ?? null };
  } catch { return { text, last_wins }; }
};
const cases = [...flow.map((t) => one(t, true)), ...block.map((t) => one(t, false))];
console.log(JSON.stringify({ made_with: 'js-yaml 5.4.1', cases }, null, 1));
