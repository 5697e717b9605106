// What the pages have in common. What others write becomes text, never HTML.

import { connect } from './client.js';

const LINES = 200;

export const find = id => document.getElementById(id);

/** An element with a class and children, strings among them. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** A generation's mark; `bdi`, here and elsewhere, keeps a name's direction of writing to itself. */
export function mark(client) {
  const made = element('bdi', 'mark', client);
  made.dataset.client = client;
  return made;
}

/** Who says or does something, as the beginning of a line. */
export function who({ client, name }) {
  return [mark(client), ' ', element('bdi', 'who', name)];
}

/** One more line; the reader is followed to the end, where they are at it. */
export function append(list, line, most = LINES) {
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 30;
  list.append(line);
  while (list.children.length > most) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

export function notice(text) {
  find('notice').textContent = text;
  find('notice').hidden = !text;
}

/** Connects with the page's own client, and shows how that fares. */
export function open(namespace, transport = '', moved = undefined) {
  if (!window.io) {
    show('disconnected', 'not loaded');
    notice('The client could not be loaded. Install it with: npm ci --prefix demo');
    return null;
  }
  show('connecting', 'connecting');
  const client = connect(namespace, { client: document.body.dataset.client, transport, tell: show, moved });
  client.on('error', (name, detail) => detail !== undefined && showError(name, detail)); // without: of the client's own
  return client;
}

function show(state, words) {
  find('state').dataset.state = state;
  find('state').querySelector('[role=status]').textContent = words;
  for (const button of document.querySelectorAll('form button')) button.disabled = state !== 'connected';
}

/** The server's event `error`: what `@validate` found, beside its fields, or else in the page's notice. */
function showError(name, detail) {
  const faults = Object(detail) === detail ? detail : { [name]: detail };
  for (const [field, words] of Object.entries(faults)) {
    const room = find(`${field}-wrong`);
    if (!room) notice(`${name}: ${words}`);
    else room.textContent = words;
    find(field)?.setAttribute('aria-invalid', 'true');
  }
}

/** The form's fields, and the button's value, become arguments of `emit`; `done` gets the ack, where nothing was wrong. */
export function sends(form, emit, done = () => {}) {
  form.addEventListener('submit', submitted => {
    submitted.preventDefault();
    notice('');
    for (const room of form.querySelectorAll('.wrong')) room.textContent = '';
    for (const field of form.elements) field.removeAttribute('aria-invalid');
    const values = new FormData(form, submitted.submitter).values();
    emit(...values, (...answer) => (answer[0] ?? null) !== null && done(...answer));
  });
}
