// Who is connected, and what they say. The index and the page of each client use this.

import { append, element, find, mark, open, sends, who } from './page.js';

let client = null;
let me = ''; // as the server knows this page

function start(transport) {
  client?.close();
  client = open('/lobby', transport, () => client.emit('moved'));
  if (!client) return;
  client.on('you', id => {
    me = id;
    const name = sessionStorage.getItem('name');
    if (name) client.emit('name', name);
  });
  client.on('guests', showGuests);
  client.on('said', showSaid);
}

function showGuests(guests) {
  const rows = guests.map(guest => {
    const mine = guest.id === me;
    const since = new Date(guest.since * 1000).toLocaleTimeString([], { timeStyle: 'short' });
    const name = element('td', '', element('bdi', '', guest.name), mine ? ' (you)' : '');
    const cells = [element('td', '', mark(guest.client)), name, element('td', '', guest.transport), element('td', '', since)];
    return element('tr', mine ? 'me' : '', ...cells);
  });
  find('guests').replaceChildren(...rows);
  find('count').textContent = guests.length;
  for (const number of document.querySelectorAll('[data-connected]')) {
    number.textContent = guests.filter(guest => guest.client === number.dataset.connected).length;
  }
}

function showSaid(said) {
  append(find('lines'), element('li', said.id === me ? 'mine' : '', ...who(said), ': ', element('bdi', '', said.text)));
}

start('');
sends(find('naming'), (...args) => client.emit('name', ...args), name => {
  sessionStorage.setItem('name', name);
  find('name').value = '';
});
sends(find('say'), (...args) => client.emit('say', ...args), () => { find('text').value = ''; });
find('transport').addEventListener('change', () => start(find('transport').value));
