// Elements, and how numbers, sizes and times are written. Text always becomes text, never markup.

/** An element. props: attributes; on...: listeners; false, null and undefined are left out. */
export function h(tag, props, ...kids) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...kids.flat().filter((kid) => kid != null && kid !== false));
  return element;
}

export const $ = (id) => document.getElementById(id);

/** Leaves what is the same alone, so that a selection in it stays. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value == null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Makes the children of parent those of list, each of which has a key. make(item) makes an element,
 * update(element, item) brings one up to date. What stays is not moved unless the order changes, so
 * that focus and opened rows stay.
 */
export function reconcile(parent, list, keyOf, make, update) {
  for (const child of [...parent.children]) if (!child.dataset.key) child.remove();
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const focused = document.activeElement;
  let at = parent.firstElementChild;
  for (const item of list) {
    const key = keyOf(item);
    let element = old.get(key);
    old.delete(key);
    if (!element) {
      element = make(item);
      element.dataset.key = key;
    }
    update(element, item);
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  for (const element of old.values()) element.remove();
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

const grouped = new Intl.NumberFormat('en-US');

export const number = (n) => grouped.format(n);

/** What is said beside a number: one group, two groups; series are series. */
export const unitFor = (text, unit) => (text === '1' && unit !== 'series' ? unit.replace(/s$/, '') : unit);

export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

export function bytes(n) {
  if (n < 1000) return `${n} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = n / 1000, unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Of some seconds, in at most two units. */
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  const hours = Math.floor(s / 3600), days = Math.floor(hours / 24);
  if (hours < 24) {
    const minutes = Math.floor(s / 60) % 60;
    return hours < 5 && minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  }
  return days < 10 && hours % 24 ? `${days} d ${hours % 24} h` : `${number(days)} d`;
}

const written = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
  timeZone: 'UTC', timeZoneName: 'short',
});

/** Milliseconds since 1970. */
export const dateTime = (ms) => written.format(new Date(ms));

/** How long ago, which keepAges() brings up to date; the time itself when pointed at. */
export function age(ms, props) {
  const element = h('time', props);
  setAge(element, ms);
  return element;
}

export function setAge(element, ms) {
  if (element.dataset.ms !== String(ms)) {
    element.dataset.ms = ms;
    element.dateTime = new Date(ms).toISOString();
    element.title = dateTime(ms);
  }
  setText(element, duration((Date.now() - ms) / 1000));
}

export function keepAges() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll('time[data-ms]')) setAge(element, Number(element.dataset.ms));
  }, 1000);
}

/** For those who do not see the page: the one polite live region. */
export function announce(text) {
  const region = $('live');
  region.textContent = '';
  requestAnimationFrame(() => { region.textContent = text; });
}

/** A block of text with a button that copies it. */
export function copyBlock(text, what = 'Copy') {
  return h('div', { class: 'copy' }, h('pre', { tabindex: '0' }, text), copyButton(text, what));
}

export function copyButton(text, what = 'Copy') {
  const button = h('button', { type: 'button', class: 'btn' }, what);
  button.addEventListener('click', () => copy(button, text));
  return button;
}

/** The clipboard is only for pages from https or localhost; elsewhere the text is selected for Ctrl+C. */
export async function copy(button, text) {
  const was = button.dataset.was ?? button.textContent;
  button.dataset.was = was;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    const pre = button.parentElement.querySelector('pre');
    if (pre) getSelection().selectAllChildren(pre);
    button.textContent = pre ? 'Press Ctrl+C' : 'Not allowed';
  }
  announce(button.textContent);
  setTimeout(() => { button.textContent = was; }, 2000);
}

/** Shows a bar above the lower edge, in place of one with the same id. */
export function showBar(id, ...content) {
  $(id)?.remove();
  if (!$('bars')) document.body.append(h('section', { class: 'bars', id: 'bars', 'aria-label': 'Selection and messages' }));
  const bar = h('div', { class: 'bar', id }, ...content);
  $('bars').append(bar);
  return bar;
}
