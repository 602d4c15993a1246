// The gateway's API. Addresses are relative to the page, so that they work below any prefix.

/** Where the page is, and where others reach it. */
export const here = new URL('./', location.href);
export const outside = (document.body.dataset.external || here.href).replace(/\/*$/, '/');

/** Whether whoever reads the page has the verb, be it for some groups. */
const verbs = document.body.dataset.may?.split(' ');
export const may = (verb) => !verbs || verbs.includes(verb);

const kept = new Map(); // path -> its ETag and what came with it

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A network that fails is an error without a status. */
async function request(path, options) {
  let reply;
  try {
    reply = await fetch(new URL(path, here), { cache: 'no-store', ...options });
  } catch {
    throw new Refused(0, 'The gateway does not answer.');
  }
  if (!reply.ok && reply.status !== 304) {
    const text = await reply.text();
    let said = text.trim();
    try {
      said = JSON.parse(text).error ?? said;
    } catch { /* it is plain text */ }
    throw new Refused(reply.status, said || `status ${reply.status}`);
  }
  return reply;
}

/** {data, changed}: what has not changed since the last time comes from there. */
export async function get(path) {
  const before = kept.get(path);
  const reply = await request(path, { headers: before ? { 'If-None-Match': before.etag } : {} });
  if (reply.status === 304) return { ...before, changed: false };
  const answer = await reply.json();
  const etag = reply.headers.get('ETag');
  kept.delete(path);
  if (etag) kept.set(path, { etag, data: answer.data });
  if (kept.size > 20) kept.delete(kept.keys().next().value);
  return { data: answer.data, changed: true };
}

export async function change(method, path, body) {
  const reply = await request(path, { method, body });
  const text = await reply.text();
  return text ? JSON.parse(text).data : null;
}

/** The first bytes of a text; {text, whole}. */
export async function getText(path, max) {
  const reply = await request(path, {});
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text, whole: true };
    text += value;
    if (text.length > max) {
      reader.cancel().catch(() => {});
      return { text: text.slice(0, text.lastIndexOf('\n', max) + 1), whole: false };
    }
  }
}
