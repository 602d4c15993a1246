// The tab "Status": made by the server; here it is kept up to date.

import { $, bytes, number, setText } from './dom.js';
import { wipe } from './remove.js';

export class Status {
  constructor(page) {
    if (!$('wipe')) return;
    $('admin').hidden = false;
    $('wipe').addEventListener('click', () => (
      wipe(this.groups, () => page.refresh(), (error) => page.failed(error))));
    this.page = page;
  }

  refresh() {}

  numbers({ limits, stored }) {
    this.groups = stored.groups;
    limits.forEach(({ used, unit }, i) => {
      $(`meter-${i}`).value = used;
      setText($(`used-${i}`), unit === 'bytes' ? bytes(used) : number(used));
    });
  }
}
