// Rooms over PubSub. Who is here: a newcomer tells the room, the others answer, and whoever goes says so.

import { append, element, find, open, sends, who } from './page.js';

const client = open('/chat');
const here = new Map(); // id -> who
let me = ''; // as the server knows this page
let room = null; // [its name, ours in it]

function enter(wanted, name) {
  client.emit('subscribe', 'room', wanted, name, entered => {
    if (entered !== true) return;
    showRoom([wanted, name]);
    client.emit('came');
  });
}

function showRoom(entered) {
  const moves = Boolean(room) !== Boolean(entered);
  room = entered;
  here.clear();
  showHere();
  find('room-title').textContent = room?.[0] ?? '–';
  find('enter').hidden = room !== null;
  find('inside').hidden = find('say').hidden = room === null;
  if (moves) find(room ? 'text' : 'name').focus();
}

function showHere() {
  const lines = [...here].map(([id, guest]) => element('li', '', ...who(guest), id === me ? ' (you)' : ''));
  find('here').replaceChildren(...lines);
}

function showLine(className, ...words) {
  append(find('lines'), element('li', className, ...words));
}

const HEARD = {
  came(guest) {
    here.set(guest.id, guest);
    showLine('event', ...who(guest), ' came');
    if (guest.id !== me) client.emit('here');
  },
  here(guest) {
    here.set(guest.id, guest);
  },
  left(guest) {
    here.delete(guest.id);
    showLine('event', ...who(guest), ' left');
  },
  said(guest) {
    showLine(guest.id === me ? 'mine' : '', ...who(guest), ': ', element('bdi', '', guest.text));
  },
};

if (client) {
  client.on('you', id => {
    me = id;
    if (room) enter(...room); // after a break: to the server this page is somebody new
  });
  client.on('pubblication', heard => {
    HEARD[heard.what](heard);
    showHere();
  });
  sends(find('enter'), enter);
  sends(find('say'), (...args) => client.emit('user message', ...args), () => { find('text').value = ''; });
  find('leave').addEventListener('click', () => {
    client.emit('leave');
    showRoom(null);
  });
}
