// Deleting: what a dry run says, asked once.

import { change, Refused } from './api.js';
import { announce, h, number, plural, showBar } from './dom.js';
import { keyOf, ordered, selector } from './labels.js';

const LISTED = 50, TRIES = 8, MATCHERS_MAX = 16;
const UNDO_MS = 10 * 60 * 1000; // for so long the gateway brings back what was deleted

const path = ({ matchers, more }, how) => {
  const query = new URLSearchParams({ ...more, ...how });
  for (const matcher of matchers) query.append('match[]', matcher);
  return `api/v1/groups?${query}`;
};

/** What a request would delete: {what, n, groups}. */
async function dryRun(what) {
  const said = await change('DELETE', path(what, { dry_run: '1' }));
  return { what, n: said.would_delete, groups: said.groups };
}

/**
 * Of exactly these groups. A matcher says nothing of labels that it does not name, so that
 * {job="a"} is {job="a",instance="b"} too: labels of what else it would hit are excluded until
 * nothing else is.
 */
async function exactly(groups) {
  const wanted = new Set(groups.map((group) => keyOf(group.labels)));
  const without = new Set();
  for (let i = 0; ; i++) {
    const matchers = groups.map(({ labels }) => selector(labels, [...without].filter((name) => !(name in labels))));
    const plan = await dryRun({ matchers, more: {} });
    const others = plan.groups.filter((group) => !wanted.has(keyOf(group.labels)));
    const before = without.size;
    for (const { labels } of others) for (const name of Object.keys(labels)) without.add(name);
    if (!others.length || without.size === before || i === TRIES) return plan;
  }
}

/** As many requests as it takes: one has so many matchers at most. */
async function plansFor(groups) {
  const plans = [];
  for (let i = 0; i < groups.length; i += MATCHERS_MAX) plans.push(await exactly(groups.slice(i, i + MATCHERS_MAX)));
  return plans;
}

function item({ labels }) {
  const [[, job], ...rest] = ordered(labels);
  return h('li', {}, h('b', {}, h('bdi', {}, job)),
    rest.map(([name, value]) => [' ', h('span', { class: 'chip' }, h('i', {}, `${name}=`), h('bdi', {}, value))]).flat());
}

/** Resolves to whether the answer is yes. */
function ask(title, content, yes, ready) {
  return new Promise((resolve) => {
    const go = h('button', { class: 'btn go', type: 'submit', value: 'yes', disabled: ready ? true : null }, yes);
    const cancel = h('button', { class: 'btn', type: 'button', onclick: () => dialog.close() }, 'Cancel');
    const dialog = h('dialog', { 'aria-labelledby': 'asked' }, h('form', { method: 'dialog' },
      h('h2', { id: 'asked' }, title), content, h('div', { class: 'acts' }, cancel, go)));
    const from = document.activeElement;
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (from?.isConnected) from.focus();
      resolve(dialog.returnValue === 'yes');
    });
    ready?.(go);
    document.body.append(dialog);
    dialog.showModal();
    (dialog.querySelector('input') ?? cancel).focus();
  });
}

async function askAndDelete(plans, done) {
  const n = plans.reduce((sum, plan) => sum + plan.n, 0);
  const groups = plans.flatMap((plan) => plan.groups).slice(0, LISTED);
  if (n === 0) throw new Refused(404, 'There is no such group any more.');
  const yes = await ask(`Delete ${plural(n, 'group')}?`, [
    h('p', { class: 'dim' }, 'Gone from the next scrape on. With a database this can be undone for ten minutes.'),
    h('ul', { tabindex: '0', 'aria-label': 'What is deleted' }, groups.map(item),
      n > groups.length && h('li', { class: 'dim' }, `and ${number(n - groups.length)} more`)),
  ], `Delete ${plural(n, 'group')}`);
  if (!yes) return;
  let gone = 0;
  const undos = [];
  try {
    for (const plan of plans) {
      const said = await change('DELETE', path(plan.what, { expect: String(plan.n) }));
      gone += said.deleted;
      if (said.undo) undos.push(said.undo);
    }
  } finally {
    if (gone) {
      tell(`${plural(gone, 'group')} deleted.`, undos.length > 0 && undoButton(undos, done));
      done();
    }
  }
}

function tell(text, ...more) {
  announce(text);
  const bar = showBar('deleted', h('span', {}, text), ...more,
    h('button', { class: 'quiet', type: 'button', onclick: () => bar.remove() }, 'Close'));
}

function undoButton(undos, done) {
  const button = h('button', { class: 'btn', type: 'button', onclick: () => undo(button, undos, done) }, 'Undo');
  setTimeout(() => button.remove(), UNDO_MS);
  return button;
}

/** What does not come back is named; what fails can be tried again. */
async function undo(button, undos, done) {
  let restored = 0, missing = 0, first = null;
  button.disabled = true;
  try {
    while (undos.length) {
      const said = await change('POST', `api/v1/undo/${undos[0]}`);
      undos.shift();
      restored += said.restored;
      missing += said.left_out_total;
      first ??= said.left_out[0];
    }
  } catch (error) {
    tell(`Not undone: ${error.message}`, error.status !== 404 && undoButton(undos, done));
    return;
  } finally {
    done();
  }
  const name = first && ordered(first.labels).map(([, value]) => value).join(' ');
  tell(`${plural(restored, 'group')} ${restored === 1 ? 'is' : 'are'} back.`,
    missing > 0 && h('span', {}, `${number(missing)} left out: ${name}${first.family ? `, ${first.family}` : ''}: ${first.reason}`));
}

/** Of these groups. done() afterwards, failed(error) if it did not work. */
export const deleteGroups = (groups, done, failed) => (
  plansFor(groups).then((plans) => askAndDelete(plans, done)).catch(failed));

/** Of all that match. more: other conditions of the API, as older_than. */
export const deleteMatching = (matcher, more, done, failed) => (
  dryRun({ matchers: [matcher], more }).then((plan) => askAndDelete([plan], done)).catch(failed));

/** All groups, for good: for those who type how many. */
export async function wipe(n, done, failed) {
  const typed = h('input', { id: 'typed', autocomplete: 'off', inputmode: 'numeric' });
  const yes = await ask('Delete all groups for good?', [
    h('p', {}, `All ${plural(n, 'group')} go, with everything that was pushed. This cannot be undone.`),
    h('label', { for: 'typed' }, `Type the number of groups, ${n}`), typed,
  ], 'Delete everything', (go) => {
    typed.addEventListener('input', () => { go.disabled = typed.value.replace(/[ ,.]/g, '') !== String(n); });
  });
  if (!yes) return;
  try {
    await change('PUT', 'api/v1/admin/wipe');
    done(n);
  } catch (error) {
    failed(error);
  }
}
