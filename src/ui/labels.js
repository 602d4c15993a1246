// Grouping labels: as a key, a matcher, a path and a command line.

/** `job` first, the rest by name. */
export function ordered(labels) {
  const names = Object.keys(labels).filter((name) => name !== 'job').sort();
  return [['job', labels.job ?? ''], ...names.map((name) => [name, labels[name]])];
}

export const keyOf = (labels) => JSON.stringify(ordered(labels));

const quote = (value) => `"${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;

const plainName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const matcher = (name, value, op = '=') => `${plainName.test(name) ? name : quote(name)}${op}${quote(value)}`;

/** Of exactly these labels; without: names that must not be there. */
export function selector(labels, without = []) {
  const parts = [...ordered(labels).map(([name, value]) => matcher(name, value)), ...without.map((name) => matcher(name, ''))];
  return `{${parts.join(',')}}`;
}

export const isSelector = (text) => text.startsWith('{');

/** The text of the box with one more matcher; plain text gives way. */
export function narrowed(text, name, value) {
  const more = matcher(name, value);
  const inside = isSelector(text) ? text.trim().replace(/^\{\s*|\s*,?\s*\}$/g, '') : '';
  if (inside.split(',').includes(more)) return text;
  return `{${inside ? `${inside},` : ''}${more}}`;
}

const segment = (text) => encodeURIComponent(text).replace(/%3A/g, ':')
  .replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function base64url(text) {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') || '=';
}

/** Whether paths may have any name: --push.enable-utf8-names. */
const utf8Names = globalThis.document?.body.dataset.utf8Names !== undefined;

/** As src/metrics/key_name.c writes it: after U__ all but letters and digits is a number, but for the last plane. */
const escaped = (name) => `U__${Array.from(name, (c, i) => {
  if (c === '_') return '__';
  const code = c.codePointAt(0);
  return (i ? /[a-zA-Z0-9]/ : /[a-zA-Z]/).test(c) || code > 0xfffff ? c : `_${code.toString(16)}_`;
}).join('')}`;

/** A name that no path can have becomes one that the gateway refuses, rather than that of another group. */
function nameSegment(name) {
  const plain = plainName.test(name);
  if (!utf8Names) return plain ? name : segment(`%${segment(name)}`);
  return segment(plain && !name.startsWith('U__') ? name : escaped(name));
}

/** Below the gateway: safe in a URL and in quotes of a shell. mode: of the group, unless it is plain. */
export function groupPath(labels, mode) {
  const pairs = ordered(labels).map(([name, value]) => (
    value === '' || value.includes('/') || value === '.' || value === '..'
      ? `${nameSegment(name)}@base64/${base64url(value)}`
      : `${nameSegment(name)}/${segment(value)}`));
  return `${mode && mode !== 'group' ? `${mode}/` : ''}metrics/${pairs.join('/')}`;
}
