// Deleting: asked once, with what goes.

import { change } from './api.js';
import { announce, h, number, plural } from './dom.js';
import { groupPath, ordered } from './labels.js';

const LISTED = 50;

function item({ labels }) {
  const [[, job], ...rest] = ordered(labels);
  return h('li', {}, h('b', {}, h('bdi', {}, job)), ' ',
    rest.map(([name, value]) => h('span', { class: 'chip' }, h('i', {}, `${name}=`), h('bdi', {}, value))));
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

/** Of these groups. done() afterwards, failed(error) if it did not work. */
export async function deleteGroups(groups, done, failed) {
  const more = groups.length - LISTED;
  const yes = await ask(`Delete ${plural(groups.length, 'group')}?`, [
    h('p', { class: 'dim' }, 'Gone from the next scrape on. This cannot be undone.'),
    h('ul', { tabindex: '0', 'aria-label': 'What is deleted' }, groups.slice(0, LISTED).map(item),
      more > 0 && h('li', { class: 'dim' }, `and ${number(more)} more`)),
  ], `Delete ${plural(groups.length, 'group')}`);
  if (!yes) return;
  try {
    for (const { labels, mode } of groups) await change('DELETE', groupPath(labels, mode));
    announce(`${plural(groups.length, 'group')} deleted.`);
    done();
  } catch (error) {
    failed(error);
  }
}

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
