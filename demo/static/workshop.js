// One form an event; its answer goes to the form's <output>.

import { find, open, sends } from './page.js';

const client = open('/workshop');

/** `emit` gets the form's values and what is to be done with the ack; `words` makes a line of that. */
function bench(id, emit, words = answer => answer) {
  const output = find(id).querySelector('output');
  find(id).addEventListener('submit', () => { output.textContent = ''; });
  sends(find(id), emit, (...answer) => { output.textContent = words(...answer); });
}

const hex = bytes => [...new Uint8Array(bytes)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');

if (client) {
  bench('reserve', (...args) => client.emit('reserve', ...args));
  bench('door', (event, ack) => client.emit(event, ack));
  bench('measure', (...args) => client.emit('measure', ...args), (backwards, length) => `${backwards}: ${length} characters`);
  bench('look', ack => client.emit('look', ack));
  bench('fail', ack => client.emit('fail', ack));
  client.on('how wide', answer => answer(window.innerWidth));

  let sent = null;
  bench('mirror', ack => {
    sent = crypto.getRandomValues(new Uint8Array(8)).buffer;
    client.emit('mirror', sent, ack);
  }, mirrored => `${hex(sent)}\n${hex(mirrored)}`);
}
