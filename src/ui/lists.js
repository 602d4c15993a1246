// Tables of a tab whose server's part is only a frame: what they share.

import { $, h, reconcile, setAttribute, setText, unitFor } from './dom.js';

/**
 * columns: {head, of(item), number, unit}; unit: said beside it in narrow windows. Those with `number` are text and are brought up to date, the
 * others say what the key of an item says already.
 */
export class List {
  constructor(id, title, columns, none) {
    this.columns = columns;
    this.none = none;
    this.count = h('span', { class: 'dim' });
    this.body = h('tbody');
    this.element = h('section', { id },
      h('h2', { id: `${id}-title` }, title, ' ', this.count),
      h('table', { class: 'wide', 'aria-labelledby': `${id}-title` },
        h('thead', {}, h('tr', {}, columns.map(({ head, number }) => h('th', { scope: 'col', class: number && 'n' }, head)))), this.body));
  }

  /** count: beside the title. */
  show(items, keyOf, count = '') {
    setText(this.count, count);
    reconcile(this.body, items, keyOf, (item) => this.make(item), (row, item) => this.update(row, item));
    if (!items.length) this.body.append(h('tr', {}, h('td', { class: 'none', colspan: this.columns.length }, this.none)));
  }

  make(item) {
    return h('tr', { class: 'row' }, this.columns.map(({ of, number, unit }) => (
      h('td', { class: number && 'n', 'data-unit': unit }, number ? '' : of(item)))));
  }

  update(row, item) {
    this.columns.forEach(({ of, number, unit }, i) => {
      if (!number) return;
      const text = of(item);
      setText(row.cells[i], text);
      if (unit) setAttribute(row.cells[i], 'data-unit', unitFor(text, unit));
    });
  }
}

/** What is refused is said in the tab; a lost connection is the whole page's. */
export async function orSay(action) {
  let wrong = null;
  try {
    await action();
  } catch (error) {
    if (error.status === 0 || error.status >= 500) throw error;
    wrong = error.message;
  }
  setText($('wrong'), wrong ?? '');
  setAttribute($('wrong'), 'hidden', wrong === null ? '' : null);
}

/** Keys of items that may be there several times: the oldest, which is the last, is the first of its kind. */
export function keysOf(items) {
  const seen = new Map(), keys = new Map();
  for (const item of [...items].reverse()) {
    const text = JSON.stringify(item), n = seen.get(text) ?? 0;
    seen.set(text, n + 1);
    keys.set(item, `${n} ${text}`);
  }
  return (item) => keys.get(item);
}
