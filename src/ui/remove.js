// Deleting: what a dry run says, asked once.

import { change, get, may, Refused } from './api.js';
import { $, age, announce, h, number, plural, reconcile, showBar } from './dom.js';
import { groupPath, ordered } from './labels.js';

const LISTED = 50;
const UNDOS = 4; // shown of those that can be undone

/** A request of all that conditions of the API mean: how: {dry_run} or {expect}. */
const matching = (conditions) => (how) => (
  change('DELETE', `api/v1/groups?${new URLSearchParams([...conditions, ...Object.entries(how)])}`));

/** Of exactly these groups, a line of the body for each. */
const listed = (groups) => (how) => (
  change('POST', `api/v1/groups/delete?${new URLSearchParams(how)}`, groups.map(({ labels }) => `/${groupPath(labels)}\n`).join('')));

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

/** request: for what it would delete, and then for that. */
async function askAndDelete(request, done) {
  const { would_delete: n, groups } = await request({ dry_run: '1' });
  if (n === 0) throw new Refused(404, 'There is no such group any more.');
  const yes = await ask(`Delete ${plural(n, 'group')}?`, [
    h('p', { class: 'dim' }, 'Gone from the next scrape on. With a database this can be undone for ten minutes.'),
    h('ul', { tabindex: '0', 'aria-label': 'What is deleted' }, groups.slice(0, LISTED).map(item),
      n > LISTED && h('li', { class: 'dim' }, `and ${number(n - LISTED)} more`)),
  ], `Delete ${plural(n, 'group')}`);
  if (!yes) return;
  const said = await request({ expect: String(n) });
  told = said.undo;
  tell(`${plural(said.deleted, 'group')} deleted.`, said.undo && undoButton(said.undo, done));
  done();
}

function tell(text, ...more) {
  announce(text);
  const bar = showBar('deleted', h('span', {}, text), ...more,
    h('button', { class: 'quiet', type: 'button', onclick: () => { closed.add(told); bar.remove(); } }, 'Close'));
}

/* ---- what can be undone ---- */

let told;               // of these, that of the bar that says what was deleted
const closed = new Set(); // those that nobody wants to see any more

/** All that can be undone now, be it another's or from before the page was loaded: a line for each beside the bar of the last one. */
export async function showUndos(done) {
  if (!may('delete')) return;
  const { data } = await get('api/v1/undo?limit=1000');
  const all = data.undo, list = all.filter(({ id }) => id !== told && !closed.has(id));
  if (told && !all.some(({ id }) => id === told)) $(`undo-${told}`)?.remove();
  if (!list.length) {
    $('undos')?.remove();
    return;
  }
  if (!$('undos')) {
    showBar('undos', h('ul', { 'aria-label': 'What can be undone' }), h('span', {}), h('button', {
      class: 'quiet', type: 'button', onclick: () => {
        for (const { id } of shown) closed.add(id);
        $('undos').remove();
      },
    }, 'Close'));
  }
  shown = list;
  const bar = $('undos');
  reconcile(bar.firstChild, list.slice(0, UNDOS), ({ id }) => id, (one) => undoLine(one, done), () => {});
  bar.children[1].textContent = list.length > UNDOS ? `and ${number(list.length - UNDOS)} older` : '';
}

let shown = []; // in the list

function undoLine({ id, groups, family, time, request, user }, done) {
  const what = family ? [h('bdi', {}, family), ` out of ${plural(groups, 'group')}`] : plural(groups, 'group');
  return h('li', {}, h('span', { title: [request, user].filter(Boolean).join(' · ') || null },
    what, ' deleted ', age(Date.parse(time)), ' ago'), ' ', undoButton(id, done));
}

function undoButton(id, done) {
  const button = h('button', { class: 'btn', type: 'button', id: id === told ? `undo-${id}` : null, onclick: () => undo(button, id, done) }, 'Undo');
  return button;
}

/** What does not come back is named; what fails can be tried again. */
async function undo(button, id, done) {
  let said;
  button.disabled = true;
  told = id;
  try {
    said = await change('POST', `api/v1/undo/${id}`);
  } catch (error) {
    tell(`Not undone: ${error.message}`, error.status !== 404 && undoButton(id, done));
    return;
  } finally {
    done();
  }
  const { restored, left_out_total: missing, left_out: [first] } = said;
  const name = first && ordered(first.labels).map(([, value]) => value).join(' ');
  tell(`${plural(restored, 'group')} ${restored === 1 ? 'is' : 'are'} back.`,
    missing > 0 && h('span', {}, `${number(missing)} left out: ${name}${first.family ? `, ${first.family}` : ''}: ${first.reason}`));
}

/** Of these groups. done() afterwards, failed(error) if it did not work. */
export const deleteGroups = (groups, done, failed) => askAndDelete(listed(groups), done).catch(failed);

/** Of all that match: conditions of the API, as URLSearchParams. */
export const deleteMatching = (conditions, done, failed) => askAndDelete(matching(conditions), done).catch(failed);

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
