// The tab "Rejections": the last pushes that were refused; below them, the last changes.

import { get, may } from './api.js';
import { $, age, h, number } from './dom.js';
import { List, keysOf, orSay } from './lists.js';

const FIRST = 100, ALL = 1000, LINES = 8;

const text = (value, tag = 'bdi') => value && h(tag, {}, value);

/** A body of empty lines is not a screen high. */
function firstLines(body) {
  const lines = body.split('\n');
  return lines.length > LINES ? `${lines.slice(0, LINES).join('\n')}\n…` : body;
}

const when = { head: 'Ago', of: ({ time }) => age(Date.parse(time)) };
const peer = { head: 'Peer', of: (item) => text(item.peer) };
const user = { head: 'User', of: (item) => text(item.user) };

/** One of the two lists, which at first shows the newest. */
class Newest extends List {
  constructor(page, name, ...more) {
    super(name, ...more);
    this.name = name;
    this.limit = FIRST;
    this.all = h('button', { type: 'button', class: 'btn', hidden: true, onclick: () => {
      this.limit = ALL;
      page.refresh();
    } }, 'Show all');
    this.element.append(h('div', { class: 'foot' }, this.all));
  }

  async refresh() {
    const { data } = await get(`api/v1/${this.name}?limit=${this.limit}`);
    const items = data[this.name];
    this.all.hidden = items.length >= data.total;
    this.show(items, keysOf(items), items.length < data.total ? `${number(items.length)} of ${number(data.total)}` : number(data.total));
  }
}

export class Rejections {
  constructor(page) {
    this.lists = [
      may('admin') && new Newest(page, 'rejections', 'Refused pushes', [when, peer, user,
        { head: 'Group', of: ({ group, method, path }) => [text(group), h('div', { class: 'dim small' }, text(`${method ?? ''} ${path ?? ''}`))] },
        { head: 'Status', of: ({ status }) => String(status) },
        { head: 'Reason, and how the body begins', of: ({ reason, body }) => [text(reason), body && h('pre', { class: 'body', dir: 'auto' }, firstLines(body))] },
      ], 'No push has been refused since the gateway started.'),
      new Newest(page, 'changes', 'Last changes', [when, peer, user,
        { head: 'What', of: ({ action }) => action },
        { head: 'Groups', number: true, unit: 'groups', of: ({ action, groups }) => (action === 'reload' ? '–' : number(groups)) },
        { head: 'Request', of: ({ request }) => text(request, 'code') },
      ], 'Nothing has been deleted, wiped or reloaded since the gateway started.'),
    ].filter(Boolean);
    $('lists').append(...this.lists.map(({ element }) => element));
  }

  /** Who may not see the one may see the other. */
  refresh() {
    return orSay(async () => {
      const done = await Promise.allSettled(this.lists.map((list) => list.refresh()));
      for (const { reason } of done) if (reason) throw reason;
    });
  }
}
