// The tab "Groups": search, sort, pages, selection; all of what is shown is said by the address.

import { get, may } from './api.js';
import { $, announce, age, h, number, plural, reconcile, setAttribute, setText, showBar, unitFor } from './dom.js';
import { Opened, makeRow, updateRow } from './group_row.js';
import { isSelector, keyOf, narrowed } from './labels.js';
import { deleteGroups, deleteMatching, showUndos } from './remove.js';

const PAGE = 100, COLUMNS = 6;
const FLAGS = { failed: 'last push failed', overdue: 'overdue', conflict: 'writers in conflict' };
const FIRST_DESCENDING = new Set(['age', 'series', 'bytes', 'failed']);

const ms = (time) => (time ? Date.parse(time) : null);

/** A group of the API's as this page uses it. */
const groupOf = (g) => ({
  labels: g.labels,
  pushedAt: ms(g.push_time),
  failedAt: ms(g.failure_time),
  failedWhy: g.failure_reason,
  failed: g.failed,
  endsAt: ms(g.deadline),
  expectedAt: ms(g.expected),
  expired: g.expired,
  overdue: g.overdue,
  conflict: g.conflict,
  rivals: g.conflict_peers,
  mode: g.mode,
  sources: g.sources,
  series: g.series,
  families: g.families,
  limits: g.limits,
  bytes: g.bytes,
  peer: g.last_peer,
  user: g.last_user,
  mayPush: g.may?.includes('push') ?? true,
  mayDelete: g.may?.includes('delete') ?? true,
});

/* ---- what the address says ---- */

const params = () => new URLSearchParams(location.search);

/** The page's address with some of its parameters changed; another filter begins at the first page. */
function link(changes) {
  const to = params();
  if (!('cursor' in changes)) to.delete('cursor');
  for (const [name, value] of Object.entries(changes)) {
    if (value) to.set(name, value);
    else to.delete(name);
  }
  const query = to.toString();
  return query ? `?${query}` : './';
}

/** The conditions of the API for what the address says. */
function conditions() {
  const from = params(), to = new URLSearchParams(), q = (from.get('q') ?? '').trim();
  if (q) to.append(isSelector(q) ? 'match[]' : 'search', q);
  for (const name of [...Object.keys(FLAGS), 'older_than']) if (from.get(name)) to.set(name, from.get(name));
  return to;
}

function listPath() {
  const from = params(), to = conditions();
  to.set('limit', PAGE);
  if (from.get('sort')) to.set('sort', from.get('sort'));
  if (from.get('by')) to.set('by', from.get('by'));
  if (from.get('cursor')) to.set('cursor', from.get('cursor'));
  return `api/v1/groups?${to}`;
}

/* ---- the tab ---- */

export class Groups {
  constructor(page) {
    this.page = page;
    this.table = $('groups');
    this.selected = new Map(); // key -> group
    this.all = false;          // all that match, on other pages too
    this.opened = new Map();   // key -> Opened
    this.loading = 0;
    $('rows').hidden = false;
    this.listen();
  }

  listen() {
    const box = $('q');
    let waiting;
    const search = () => {
      clearTimeout(waiting);
      if (box.value.trim() !== (params().get('q') ?? '')) this.go(link({ q: box.value.trim() }), true);
    };
    box.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(search, isSelector(box.value.trim()) && !box.value.trim().endsWith('}') ? 1500 : 250);
    });
    box.form.addEventListener('submit', (event) => {
      event.preventDefault();
      search();
    });
    $('older').addEventListener('change', (event) => this.go(link({ older_than: event.target.value })));
    addEventListener('popstate', () => this.load());
    document.addEventListener('click', (event) => this.follow(event));
    document.addEventListener('keydown', (event) => {
      if (event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest('input, select, dialog')) {
        event.preventDefault();
        box.focus();
        box.select();
      }
    });
  }

  /** Links to this tab with other parameters need no new page. */
  follow(event) {
    const a = event.target.closest('a[href]');
    if (!a || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.defaultPrevented) return;
    const to = new URL(a.href);
    if (to.origin + to.pathname !== location.origin + location.pathname || to.hash) return;
    event.preventDefault();
    this.go(a.href);
    if (a.dataset.top) {
      scrollTo({ top: 0 });
      this.table.querySelector('tbody button, tbody a')?.focus({ preventScroll: true });
    }
  }

  /** typing: the box is not written to, and the next step back is not a letter. */
  go(href, typing) {
    const trail = href.includes('cursor=') ? [...(history.state?.trail ?? []), location.search] : [];
    if (typing && history.state?.typing) history.replaceState({ typing, trail }, '', href);
    else history.pushState({ typing, trail }, '', href);
    this.select([]);
    this.load(typing);
  }

  /** What the address says: fetched, then shown. */
  async load(typing) {
    const from = params();
    if (!typing) $('q').value = from.get('q') ?? '';
    $('older').value = from.get('older_than') ?? '';
    this.showFilters();
    const shown = await this.refresh();
    if (shown) announce($('count').textContent);
  }

  /** True: there was an answer, and nobody has asked for something else since. */
  async refresh() {
    const mine = ++this.loading;
    this.table.setAttribute('aria-busy', 'true');
    try {
      const [{ data }] = await Promise.all([get(listPath()), showUndos(() => this.removed())]);
      if (mine !== this.loading) return false;
      this.wrong(null);
      this.show(data);
      return true;
    } catch (error) {
      if (mine !== this.loading) return false;
      if (error.status === 0 || error.status >= 500) throw error;
      this.wrong(error.message);
      return false;
    } finally {
      if (mine === this.loading) this.table.removeAttribute('aria-busy');
    }
  }

  wrong(message) {
    $('wrong').hidden = !message;
    setText($('wrong'), message ?? '');
    setAttribute($('q'), 'aria-invalid', message ? 'true' : null);
    if (message) announce(message);
  }

  showFilters() {
    const from = params();
    const on = Object.entries(FLAGS).filter(([name]) => from.get(name));
    $('filters').replaceChildren(...on.map(([name, text]) => h('a', { href: link({ [name]: null }), 'aria-label': `${text}: show all` }, text)));
    $('filters').hidden = !on.length;
    for (const tile of document.querySelectorAll('#stats a[data-flag]')) {
      const name = tile.dataset.flag, active = !!from.get(name);
      setAttribute(tile, 'aria-current', active ? 'true' : null);
      tile.href = link({ [name]: active ? null : 'true' });
    }
    for (const choice of document.querySelectorAll('.seg a')) {
      setAttribute(choice, 'aria-current', (from.get('by') ?? '') === choice.dataset.by ? 'true' : null);
      choice.href = link({ by: choice.dataset.by, sort: null });
    }
  }

  show(data) {
    const by = params().get('by');
    const list = by ? data.rows : data.groups.map(groupOf);
    this.list = list;
    this.by = by;
    this.total = data.total;
    const empty = data.total === 0 && !params().size;
    $('empty').hidden = !empty;
    $('some').hidden = empty;
    this.table.classList.toggle('jobs', !!by);
    this.showHead(by);
    if (by) this.showJobs(list, by);
    else this.showGroups(list);
    this.showFoot(data, by);
    this.showSelection();
  }

  /* ---- the table ---- */

  showHead(by) {
    const columns = by
      ? [['Job', 'key'], ['Groups', '', 'n'], ['Failed', 'failed', 'n'], ['Overdue', '', 'n'], ['Oldest push', 'age', 'n'], ['Series', 'series', 'n']]
      : [['', ''], ['Group', 'key'], ['State', 'failed'], ['Last push', 'age', 'n'], ['Series', 'series', 'n'], ['Size', 'bytes', 'n']];
    const sort = params().get('sort') ?? 'key';
    const head = this.table.tHead.rows[0];
    if (head.dataset.by !== (by ?? '')) {
      head.dataset.by = by ?? '';
      this.pickAll = by ? null : h('input', { type: 'checkbox', 'aria-label': 'Select all on this page', onclick: () => this.selectPage() });
      head.replaceChildren(...columns.map(([text, key, cls]) => (
        text ? h('th', { scope: 'col', class: cls }, key ? h('a', { 'data-sort': key }, text) : text)
          : h('td', { class: 'pick' }, may('delete') && this.pickAll))));
    }
    for (const a of head.querySelectorAll('a')) {
      const key = a.dataset.sort, now = sort === key ? 1 : sort === `-${key}` ? -1 : 0;
      const next = now ? (now > 0 ? `-${key}` : key) : FIRST_DESCENDING.has(key) ? `-${key}` : key;
      setAttribute(a.parentElement, 'aria-sort', now ? (now > 0 ? 'ascending' : 'descending') : null);
      a.href = link({ sort: next === 'key' ? null : next });
    }
  }

  showGroups(list) {
    const on = {
      open: (group) => this.toggle(group),
      select: (group, event) => this.selectOne(group, event),
      remove: (group) => this.remove([group]),
      ended: () => this.page.refresh(),
      failed: (error) => this.page.failed(error),
      linkTo: (name, value) => link({ q: narrowed(params().get('q') ?? '', name, value) }),
    };
    this.on = on;
    const here = new Set(list.map((group) => keyOf(group.labels)));
    for (const key of this.opened.keys()) if (!here.has(key)) this.opened.delete(key);
    const rows = list.flatMap((group) => {
      const key = keyOf(group.labels), opened = this.opened.get(key);
      return opened ? [{ key, group }, { key: opened.row.dataset.key, group, opened }] : [{ key, group }];
    });
    const body = this.table.tBodies[0];
    reconcile(body, rows, (row) => row.key,
      (row) => row.opened?.row ?? makeRow(row.group, on),
      (element, row) => {
        if (row.opened) row.opened.update(row.group);
        else updateRow(element, row.group, { selected: this.all || this.selected.has(row.key), opened: this.opened.has(row.key) });
      });
    for (const a of body.querySelectorAll('a.chip')) this.renewChip(a);
    if (!list.length) body.replaceChildren(h('tr', {}, h('td', { colspan: COLUMNS, class: 'none' }, 'No group matches.')));
  }

  /** It adds to the box as it is now. */
  renewChip(a) {
    const name = a.firstChild.textContent.slice(0, -1), value = a.lastChild.textContent;
    setAttribute(a, 'href', this.on.linkTo(name, value));
  }

  showJobs(list, by) {
    const body = this.table.tBodies[0];
    const row = (g) => h('tr', { class: 'row', 'data-key': `${by} ${g.value}` },
      h('td', { class: 'group' }, h('a', { class: 'job', href: link({ by: null, sort: null, q: narrowed(params().get('q') ?? '', by, g.value) }) },
        g.value ? h('bdi', {}, g.value) : h('span', { class: 'dim' }, `without ${by}`))),
      h('td', { class: 'n', 'data-unit': unitFor(number(g.count), 'groups') }, number(g.count)),
      h('td', { class: 'n', 'data-unit': 'failed' }, g.failed ? h('span', { class: 'state failed' }, number(g.failed)) : '0'),
      h('td', { class: 'n', 'data-unit': 'overdue' }, g.overdue ? h('span', { class: 'state overdue' }, number(g.overdue)) : '0'),
      h('td', { class: 'n', 'data-unit': 'ago' }, g.oldest ? age(ms(g.oldest)) : h('span', { class: 'dim' }, 'never')),
      h('td', { class: 'n', 'data-unit': 'series' }, number(g.series)));
    const focused = document.activeElement.closest?.('tr')?.dataset.key;
    body.replaceChildren(...list.map(row));
    if (focused) [...body.rows].find((tr) => tr.dataset.key === focused)?.querySelector('a').focus({ preventScroll: true });
    if (!list.length) body.replaceChildren(h('tr', {}, h('td', { colspan: COLUMNS, class: 'none' }, 'No group matches.')));
  }

  showFoot(data, by) {
    const what = by ? plural(data.total, by === 'job' ? 'job' : 'value') : plural(data.total, 'group');
    const n = (data.rows ?? data.groups).length;
    const shown = n < data.total ? `${number(n)} of ${what}` : what;
    setText($('count'), shown + (conditions().size ? ' that match' : ''));
    const { trail = [] } = history.state ?? {};
    const after = params().get('cursor');
    const links = [];
    if (after) links.push(h('a', { href: link({ cursor: null }), 'data-top': true }, 'First'));
    if (trail.length > 1) links.push(h('button', { type: 'button', class: 'more', onclick: () => history.back() }, 'Previous'));
    if (data.next_cursor) links.push(h('a', { href: link({ cursor: data.next_cursor }), 'data-top': true }, 'Next'));
    const pager = $('pager'), focused = pager.contains(document.activeElement) && document.activeElement.textContent;
    pager.replaceChildren(...links);
    pager.hidden = !links.length;
    if (focused) [...pager.children].find((child) => child.textContent === focused)?.focus({ preventScroll: true });
  }

  /* ---- an opened row ---- */

  toggle(group) {
    const key = keyOf(group.labels);
    if (this.opened.has(key)) {
      this.opened.get(key).row.remove();
      this.opened.delete(key);
    } else {
      this.opened.set(key, new Opened(group, COLUMNS, this.on));
    }
    this.showGroups(this.list);
  }

  /* ---- selection ---- */

  selectOne(group, event) {
    const key = keyOf(group.labels), to = event.target.checked;
    const keys = this.list.map((one) => keyOf(one.labels));
    const range = event.shiftKey && keys.includes(this.lastPicked)
      ? [keys.indexOf(this.lastPicked), keys.indexOf(key)].sort((a, b) => a - b) : [keys.indexOf(key), keys.indexOf(key)];
    this.all = false;
    for (const one of this.list.slice(range[0], range[1] + 1).filter(({ mayDelete }) => mayDelete)) {
      if (to) this.selected.set(keyOf(one.labels), one);
      else this.selected.delete(keyOf(one.labels));
    }
    this.lastPicked = key;
    this.showGroups(this.list);
    this.showSelection();
  }

  selectPage() {
    const some = this.pickAll.checked;
    this.select(some ? this.list.filter(({ mayDelete }) => mayDelete) : []);
  }

  select(groups) {
    this.all = false;
    this.selected = new Map(groups.map((group) => [keyOf(group.labels), group]));
    if (this.list && !this.by) this.showGroups(this.list);
    this.showSelection();
  }

  selectMatching() {
    this.all = true;
    this.showGroups(this.list);
    this.showSelection();
    announce(`${plural(this.total, 'group')} selected`);
  }

  showSelection() {
    const n = this.all ? this.total : this.selected.size;
    if (this.pickAll) {
      this.pickAll.checked = n > 0 && n >= this.list?.length;
      this.pickAll.indeterminate = n > 0 && !this.pickAll.checked;
    }
    let bar = $('selection');
    if (!n) {
      bar?.remove();
      return;
    }
    if (!bar) {
      bar = showBar('selection', h('span', {}),
        h('button', { type: 'button', id: 'all', onclick: () => this.selectMatching() }),
        h('button', { type: 'button', onclick: () => this.removeSelected() }, 'Delete…'),
        h('button', { type: 'button', class: 'quiet', onclick: () => this.select([]) }, 'Clear'));
      bar.role = 'group';
      bar.ariaLabel = 'Selected groups';
    }
    setText(bar.firstChild, `${plural(n, 'group')} selected`);
    $('all').hidden = this.all || this.list.some(({ mayDelete }) => !mayDelete) || !conditions().size || this.selected.size < this.list.length || this.list.length === this.total;
    setText($('all'), `Select all ${number(this.total)} that match`);
  }

  /* ---- deleting ---- */

  removeSelected() {
    if (this.all) {
      const all = conditions();
      if (!all.has('match[]')) all.set('match[]', '{job!=""}');
      deleteMatching(all, () => this.removed(), (error) => this.page.failed(error));
      return;
    }
    this.remove([...this.selected.values()]);
  }

  remove(groups) {
    deleteGroups(groups, () => this.removed(), (error) => this.page.failed(error));
  }

  removed() {
    this.select([]);
    // Whoever has no mouse goes on from here: the button that was pressed goes with its row.
    $('main').focus({ preventScroll: true });
    this.page.refresh();
  }
}
