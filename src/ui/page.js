// The start: what all tabs share. Refreshing, a lost connection, the numbers at the top.

import { get } from './api.js';
import { $, announce, bytes, copy, duration, h, keepAges, number, setText, showBar } from './dom.js';

const REFRESH_MS = 15000;

const TABS = {
  groups: async (page) => new (await import('./groups.js')).Groups(page),
  rejections: async (page) => new (await import('./rejections.js')).Rejections(page),
  cardinality: async (page) => new (await import('./cardinality.js')).Cardinality(page),
  status: async (page) => new (await import('./status.js')).Status(page),
};

class Page {
  async start() {
    keepAges();
    this.measure();
    for (const button of document.querySelectorAll('button[data-copy]')) {
      button.hidden = false;
      button.addEventListener('click', () => copy(button, button.parentElement.querySelector('pre').textContent));
    }
    this.tab = await TABS[document.body.dataset.tab](this);
    await this.attempt(() => Promise.all([this.tab.load ? this.tab.load() : this.tab.refresh(), this.numbers()]));
    this.schedule();
    document.addEventListener('visibilitychange', () => { if (!document.hidden && Date.now() - this.at > REFRESH_MS) this.refresh(); });
    addEventListener('online', () => this.refresh());
    addEventListener('resize', () => this.measure());
  }

  /** Under which height the heads of tables stick. */
  measure() {
    document.documentElement.style.setProperty('--top', `${document.querySelector('header').offsetHeight}px`);
  }

  schedule() {
    setInterval(() => { if (!document.hidden) this.refresh(); }, REFRESH_MS);
    setInterval(() => this.showWhen(), 1000);
  }

  refresh() {
    return this.attempt(() => Promise.all([this.tab.refresh(), this.numbers()]));
  }

  async attempt(action) {
    try {
      await action();
      this.at = Date.now();
      if (this.lostAt) announce('The connection is back.');
      this.lostAt = null;
    } catch (error) {
      if (!this.lostAt) announce(`Connection lost: ${error.message}`);
      this.lostAt ??= this.at ?? Date.now();
      this.why = error.message;
    }
    this.showWhen();
  }

  showWhen() {
    const lost = $('lost');
    lost.hidden = !this.lostAt;
    if (this.lostAt) setText(lost, `${this.why} Shown is what it was ${duration((Date.now() - this.lostAt) / 1000)} ago.`);
    if (this.at) setText($('when'), `refreshed ${duration((Date.now() - this.at) / 1000)} ago · `);
  }

  async numbers() {
    const { data } = await get('api/v1/status');
    const { stored, database } = data;
    for (const [name, n] of Object.entries(stored ?? {})) {
      const element = $(`n-${name}`);
      if (!element) continue;
      setText(element, number(n));
      const tile = element.parentElement;
      if (tile.dataset.alarm) tile.classList.toggle(tile.dataset.alarm, n > 0);
    }
    if (database && !database.in_memory && $('n-database')) setText($('n-database'), bytes(database.bytes));
    this.tab.numbers?.(data);
  }

  /** Something that was asked for did not work. */
  failed(error) {
    announce(error.message);
    const bar = showBar('failed', h('span', {}, error.message),
      h('button', { type: 'button', class: 'quiet', onclick: () => bar.remove() }, 'Close'));
  }
}

new Page().start();
