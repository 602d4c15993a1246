// A group in the table: its row, and what the row shows when it is opened.

import { change, get, getText, here, may, outside } from './api.js';
import { age, bytes, copyBlock, dateTime, duration, h, number, plural, setAge, setAttribute, setText } from './dom.js';
import { parse, summarised } from './exposition.js';
import { groupPath, keyOf, ordered, selector } from './labels.js';

const RESET_ASSUMED = 'A count of it fell, and it does not say when its process started: that was taken for a new process.';
const SHOWN_LINES = 4, SHOWN_FAMILIES = 40, MORE_LINES = 500, SHOWN_SOURCES = 50, TEXT_MAX = 256 * 1024;

/** What the state of a group is called, and why: the first that holds. */
export function stateOf(group) {
  if (group.failed) {
    return { kind: 'failed', text: `failed ${duration((Date.now() - group.failedAt) / 1000)} ago`, why: group.failedWhy };
  }
  if (group.conflict) return { kind: 'conflict', text: 'writers in conflict', why: `pushed in turn by ${[group.peer, ...group.rivals].join(', ')}` };
  if (group.overdue) {
    const late = group.expectedAt ? (Date.now() - group.expectedAt) / 1000 : 0;
    const every = group.pushedAt && group.expectedAt ? (group.expectedAt - group.pushedAt) / 1000 : 0;
    return { kind: 'overdue', text: late > 0 ? `overdue ${duration(late)}` : 'overdue', why: every && `expected every ${duration(every)}` };
  }
  if (group.expired) return { kind: 'expired', text: 'expired', why: 'its values have gone because of their age' };
  if (group.endsAt) {
    const left = (group.endsAt - Date.now()) / 1000;
    return { kind: left < 3600 ? 'expiring' : 'ok', text: left > 0 ? `ok, expires in ${duration(left)}` : 'expires now' };
  }
  return { kind: 'ok', text: 'ok' };
}

const chip = (name, value, href) => h('a', { class: 'chip', href, 'data-filter': true }, h('i', {}, `${name}=`), h('bdi', {}, value));

/** How near a group is to what its rule lets it hold. */
function limitsOf({ limits, series, families }) {
  if (!limits) return null;
  const most = limits.most_values;
  const of = (n, max, unit) => max && `${number(n)} of ${plural(max, unit, unit)}`;
  return `limits of its rule: ${[
    of(series, limits.series, 'series'),
    of(families, limits.families, 'families'),
    limits.label_values && (most ? `label ${most.label} has ${of(most.values, limits.label_values, 'values')}` : `${number(limits.label_values)} values of a label`),
  ].filter(Boolean).join(', ')}`;
}

/** An unfinished row: its cells are filled by update(). on: {open, select, linkTo}. */
export function makeRow(group, on) {
  const [[, job], ...rest] = ordered(group.labels);
  const button = h('button', {
    class: 'job', type: 'button', 'aria-expanded': 'false', onclick: () => on.open(group),
  }, job ? h('bdi', {}, job) : h('span', { class: 'dim' }, 'no job'));
  const box = group.mayDelete && h('input', {
    type: 'checkbox', 'aria-label': `Select ${job} ${rest.map((pair) => pair.join('=')).join(' ')}`.trim(),
    onclick: (event) => on.select(group, event),
  });
  const row = h('tr', { class: 'row' },
    h('td', { class: 'pick' }, box),
    h('td', { class: 'group' }, button, ' ', h('span', { class: 'sources chip', hidden: true }),
      rest.flatMap(([name, value]) => [' ', chip(name, value, on.linkTo(name, value))])),
    h('td', {}, h('span', { class: 'state' }), h('span', { class: 'why', dir: 'auto' })),
    h('td', { class: 'n' }, h('time', {}), h('span', { class: 'dim', hidden: true }, 'never')),
    h('td', { class: 'n' }),
    h('td', { class: 'n' }));
  row.addEventListener('click', (event) => {
    if (!event.target.closest('a, button, input') && !String(getSelection())) on.open(group);
  });
  return row;
}

export function updateRow(row, group, { selected, opened }) {
  const state = stateOf(group);
  const [, , stateCell, ageCell, series, size] = row.children;
  row.classList.toggle('on', selected);
  const box = row.querySelector('input');
  if (box) box.checked = selected;
  setAttribute(row.querySelector('button'), 'aria-expanded', String(opened));
  const sources = row.querySelector('.sources');
  sources.hidden = !group.sources;
  setText(sources, group.sources ? `sum of ${number(group.sources)}` : '');
  setAttribute(stateCell.firstChild, 'class', `state ${state.kind}`);
  setText(stateCell.firstChild, state.text);
  setText(stateCell.lastChild, state.why || '');
  ageCell.firstChild.hidden = !group.pushedAt;
  ageCell.lastChild.hidden = !!group.pushedAt;
  if (group.pushedAt) setAge(ageCell.firstChild, group.pushedAt);
  setText(series, number(group.series));
  setText(size, bytes(group.bytes));
}

/** The row below one that is opened; load() fills it. */
export class Opened {
  constructor(group, columns, on) {
    const { labels, mode } = group;
    this.labels = labels;
    this.mode = mode;
    this.on = on;
    this.said = h('div', { class: 'said', hidden: true });
    this.mayDelete = group.mayDelete;
    this.families = h('dl', { class: 'fams', hidden: !may('scrape') }, h('dt', { class: 'dim' }, 'Loading…'));
    this.sources = h('div', { hidden: true });
    this.facts = h('div', { class: 'dim small' });
    const path = groupPath(labels, mode);
    const push = `curl --data-binary @- '${outside}${path}'`;
    this.inside = h('div', { class: 'inside', role: 'group', 'aria-label': 'Group' }, this.said, this.families, this.sources, this.facts,
      h('div', {}, group.mayPush && copyBlock(push), group.mayDelete && copyBlock(`curl -X DELETE '${outside}${path}'`)),
      h('div', { class: 'acts' },
        may('scrape') && h('a', { class: 'btn', href: new URL(groupPath(labels), here) }, 'Exposition'),
        group.mayDelete && h('button', { class: 'btn del', type: 'button', onclick: () => on.remove(group) }, 'Delete group…')));
    this.row = h('tr', { class: 'open', 'data-key': `open ${keyOf(labels)}` }, h('td', { colspan: columns }, this.inside));
    this.expanded = new Set();
  }

  /** Loads again what has changed since. */
  update(group) {
    this.said.hidden = stateOf(group).kind !== 'failed';
    if (!this.said.hidden) {
      this.said.replaceChildren(h('b', {}, 'The last push was refused '), age(group.failedAt), ' ago',
        group.failedWhy && h('code', { dir: 'auto' }, group.failedWhy));
    }
    const by = [group.peer && `from ${group.peer}`, group.user && `by ${group.user}`].filter(Boolean).join(' ');
    setText(this.facts, [
      group.pushedAt && `Last push ${dateTime(group.pushedAt)} ${by}`.trim(),
      group.endsAt && `ends ${dateTime(group.endsAt)} unless pushed to`,
      limitsOf(group),
    ].filter(Boolean).join(' · '));
    this.facts.hidden = !this.facts.textContent;
    if (group.sources || !this.sources.hidden) this.loadSources();
    const version = `${group.pushedAt} ${group.series} ${group.bytes}`;
    if (may('scrape') && version !== this.version) this.load(version);
  }

  /** What a summed group is the sum of. */
  async loadSources() {
    const query = new URLSearchParams({ 'match[]': selector(this.labels), limit: SHOWN_SOURCES });
    let list;
    try {
      const { data } = await get(`api/v1/groups/sources?${query}`);
      const mine = data.sources.filter((source) => keyOf(source.group) === keyOf(this.labels));
      list = mine.map((source) => this.source(source));
    } catch (error) {
      list = [h('li', { class: 'bad' }, error.message)];
    }
    const focused = this.sources.contains(document.activeElement) && document.activeElement.dataset.source;
    this.sources.hidden = !list.length;
    this.sources.replaceChildren(h('span', { class: 'dim small' }, 'Sources'), h('ul', { class: 'list' }, list));
    if (!this.mayDelete) for (const button of this.sources.querySelectorAll('button')) button.remove();
    if (focused) this.sources.querySelector(`[data-source=${CSS.escape(focused)}]`)?.focus({ preventScroll: true });
  }

  source({ source, start, push_time: pushed, failed, failure_reason: why, reset_assumed_time: reset, live, ended, series }) {
    const names = Object.entries(source);
    const kind = failed ? 'failed' : live ? 'ok' : 'expired';
    const end = () => change('DELETE', groupPath({ ...this.labels, ...source }, this.mode)).then(this.on.ended, this.on.failed);
    return h('li', {},
      names.map(([name, value]) => h('span', { class: 'chip' }, h('i', {}, `${name}=`), h('bdi', {}, value))),
      !names.length && h('span', { class: 'chip' }, start ? `started ${dateTime(Date.parse(start))}` : 'without a name'), ' ',
      h('span', { class: `state ${kind}` }, failed ? `failed: ${why ?? ''}` : live ? 'live' : ended ? 'ended' : 'silent'),
      h('span', { class: 'dim' }, ` ${plural(series, 'value')}, `, pushed ? age(Date.parse(pushed)) : 'never', pushed ? ' ago' : ''), ' ',
      reset && h('span', { class: 'state overdue', title: RESET_ASSUMED }, `reset assumed ${age(Date.parse(reset))} ago`), reset && ' ',
      live && names.length > 0 && h('button', { class: 'more', type: 'button', 'data-source': JSON.stringify(names), onclick: end }, 'end it'));
  }

  async load(version) {
    this.version = version;
    try {
      const { text, whole } = await getText(groupPath(this.labels), TEXT_MAX);
      if (version === this.version) this.show(parse(text).filter((f) => !/^push_(failure_)?time_seconds$/.test(f.name)), whole);
    } catch (error) {
      this.version = null;
      this.families.replaceChildren(h('dt', { class: 'bad' }, error.message));
    }
  }

  show(families, whole) {
    const focus = this.families.contains(document.activeElement) ? document.activeElement.dataset.family : null;
    const shown = this.expanded.has('*') ? families : families.slice(0, SHOWN_FAMILIES);
    const list = shown.flatMap((family) => this.family(family));
    if (!families.length) list.push(h('dt', { class: 'dim' }, 'It has no metrics.'));
    if (shown.length < families.length) {
      list.push(h('dt', {}, this.more('*', `all ${number(families.length)} families`, families, whole)));
    }
    if (!whole) {
      list.push(h('dt', { class: 'dim' }, `The first ${bytes(TEXT_MAX)}. `, h('a', { href: new URL(groupPath(this.labels), here) }, 'All of it')));
    }
    this.families.replaceChildren(...list);
    if (focus) this.families.querySelector(`[data-family=${CSS.escape(focus)}]`)?.focus({ preventScroll: true });
  }

  more(key, text, families, whole) {
    return h('button', {
      class: 'more', type: 'button', 'data-family': key,
      onclick: () => {
        if (this.expanded.has(key)) this.expanded.delete(key);
        else this.expanded.add(key);
        this.show(families, whole);
      },
    }, text);
  }

  family(family) {
    const mine = this.labels;
    const own = (labels) => labels.filter(([name, value]) => mine[name] !== value && !(name === 'instance' && value === ''));
    const line = ({ labels, value, name }) => {
      const of = (name && name !== family.name ? name.slice(family.name.length) : '') + text(own(labels));
      return [of && h('bdi', {}, of), h('span', { class: of ? 'v' : 'v alone' }, plain(value), stamp(family.name, value))];
    };
    const short = summarised(family);
    const all = this.expanded.has(family.name);
    const lines = all ? family.samples.slice(0, MORE_LINES) : (short ?? family.samples).slice(0, SHOWN_LINES);
    const rest = family.samples.length > lines.length || short;
    const cut = all && family.samples.length > MORE_LINES;
    const value = h('dd', {}, h('div', { class: 'lines' }, lines.flatMap(line)));
    if (all || rest) value.append(this.moreOf(family, all));
    if (cut) value.append(h('span', { class: 'dim' }, ' ', `${plural(family.samples.length - MORE_LINES, 'line')} more in the exposition`));
    return [
      h('dt', {}, h('b', {}, family.name), ' ', h('span', { class: 'dim small' },
        family.samples.length > 1 ? `${family.type} · ${number(family.samples.length)} series` : family.type),
      family.help && h('bdi', { class: 'help' }, family.help)),
      value,
    ];
  }

  moreOf(family, all) {
    const button = h('button', { class: 'more', type: 'button', 'data-family': family.name, 'aria-expanded': String(all) },
      all ? 'less' : `all ${plural(family.samples.length, 'line')}`);
    button.addEventListener('click', () => {
      if (all) this.expanded.delete(family.name);
      else this.expanded.add(family.name);
      const [, value] = this.family(family);
      button.closest('dd').replaceWith(value);
      value.querySelector('.more')?.focus({ preventScroll: true });
    });
    return button;
  }
}

const text = (labels) => (labels.length ? `{${labels.map(([name, value]) => `${name}="${value}"`).join(',')}}` : '');

/** 1.764142402e+09 is hard to read. */
function plain(value) {
  return /^-?[\d.]+e\+\d+$/.test(value) && Math.abs(value) < 1e15 ? String(Number(value)) : value;
}

/** What a time in seconds means. */
function stamp(name, value) {
  const seconds = Number(value);
  if (!/time/.test(name) || !(seconds > 1e9 && seconds < 4e9)) return null;
  return h('span', { class: 'dim' }, ` (${dateTime(seconds * 1000)})`);
}
