// The text format of one group, taken apart for reading: families with their lines.

const ESCAPES = { n: '\n', '\\': '\\', '"': '"' };
const unescape = (text) => text.replace(/\\([n\\"])/g, (_, c) => ESCAPES[c]);

/** A name at the start of text, plain or in quotes: [name, rest]. */
function takeName(text) {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (quoted) return [unescape(quoted[1]), text.slice(quoted[0].length)];
  const plain = /^[^\s{="]*/.exec(text)[0];
  return [plain, text.slice(plain.length)];
}

/** `{a="b",c="d"}`: [labels, rest]; a quoted name among them is the metric's. */
function takeLabels(text) {
  const labels = [];
  let rest = text.slice(1), metric = null;
  while (rest && rest[0] !== '}') {
    const [name, after] = takeName(rest);
    const value = /^="((?:[^"\\]|\\.)*)"/.exec(after);
    if (value) labels.push([name, unescape(value[1])]);
    else metric = name;
    rest = after.slice(value ? value[0].length : 0).replace(/^,\s*/, '');
    if (!value && after === rest && name === '') break;
  }
  return [labels, rest.slice(1), metric];
}

function sampleOf(line) {
  let [name, rest] = takeName(line);
  let labels = [], metric = null;
  if (rest[0] === '{') [labels, rest, metric] = takeLabels(rest);
  return { name: metric ?? name, labels, value: rest.trim().split(' ')[0] };
}

/** [{name, type, help, samples}], in the order of the text. */
export function parse(text) {
  const families = [];
  const last = (name) => {
    if (!families.length || families.at(-1).name !== name) families.push({ name, type: 'untyped', help: '', samples: [] });
    return families.at(-1);
  };
  for (const line of text.split('\n')) {
    const comment = /^# (HELP|TYPE) (.*)$/.exec(line);
    if (comment) {
      const [name, rest] = takeName(comment[2]);
      if (comment[1] === 'HELP') last(name).help = unescape(rest.slice(1));
      else last(name).type = rest.slice(1);
    } else if (line && line[0] !== '#') {
      const sample = sampleOf(line);
      if (!families.length) last(sample.name);
      families.at(-1).samples.push(sample);
    }
  }
  return families;
}

/** Lines to read: one for each series of a histogram or summary, with its count and sum. */
export function summarised(family) {
  if (family.type !== 'histogram' && family.type !== 'summary') return null;
  const series = new Map();
  for (const { name, labels, value } of family.samples) {
    const own = labels.filter(([label]) => label !== 'le' && label !== 'quantile');
    const key = JSON.stringify(own);
    if (!series.has(key)) series.set(key, { labels: own });
    if (name === `${family.name}_count`) series.get(key).count = value;
    if (name === `${family.name}_sum`) series.get(key).sum = value;
  }
  return [...series.values()].map(({ labels, count, sum }) => ({
    labels,
    value: [count != null && `count ${count}`, sum != null && `sum ${sum}`].filter(Boolean).join(', '),
  }));
}
