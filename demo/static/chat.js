// Rooms over PubSub. Who is here: a newcomer tells the room, the others answer, and whoever goes says so.
'use strict';

const LINES = 200;
const find = id => document.getElementById(id);
const socket = window.io('/chat', { path: '/socketio' });
const here = new Map(); // id -> name
let room = null;

function state(what) {
  find('chat').dataset.state = what;
  find('state').textContent = what;
}

function notice(text) {
  find('notice').textContent = text;
  find('notice').hidden = !text;
}

/** A line of the log; `name` is null where nobody said it. */
function line(name, text, className) {
  const made = document.createElement('li');
  made.className = className;
  if (name !== null) {
    const who = document.createElement('b');
    who.textContent = name;
    made.append(who, ' ');
  }
  made.append(text);
  const lines = find('lines');
  lines.append(made);
  while (lines.children.length > LINES) lines.firstChild.remove();
  lines.scrollTop = lines.scrollHeight;
}

function showHere() {
  const names = [...here].map(([id, name]) => {
    const made = document.createElement('li');
    made.textContent = name + (id === socket.id ? ' (you)' : '');
    return made;
  });
  find('here').replaceChildren(...names);
  find('here-empty').hidden = names.length > 0;
}

function showRoom(name) {
  room = name;
  here.clear();
  showHere();
  find('room-title').textContent = name ?? '–';
  find('enter').hidden = name !== null;
  find('say').hidden = name === null;
  if (name !== null) find('text').focus();
}

function enter() {
  const wanted = find('room').value.trim();
  notice('');
  socket.emit('subscribe', 'room', wanted, find('name').value, entered => {
    if (entered !== true) return;
    showRoom(wanted);
    socket.emit('came');
  });
}

const HEARD = {
  came({ id, name }) {
    here.set(id, name);
    line(null, `${name} came`, 'event');
    if (id !== socket.id) socket.emit('here');
  },
  here({ id, name }) {
    here.set(id, name);
  },
  left({ id, name }) {
    here.delete(id);
    line(null, `${name} left`, 'event');
  },
  said({ id, name, text }) {
    line(name, text, id === socket.id ? 'mine' : '');
  },
};

socket.on('pubblication', heard => {
  HEARD[heard.what]?.(heard);
  showHere();
});
socket.on('connect', () => {
  state('connected');
  if (room !== null) enter(); // after a break: the server knows this client by a new id
});
socket.on('disconnect', () => state('disconnected'));
socket.on('error', (name, detail) => notice(`${name}: ${typeof detail === 'string' ? detail : Object.entries(detail).map(pair => pair.join(': ')).join(', ')}`));

find('enter').addEventListener('submit', submitted => {
  submitted.preventDefault();
  enter();
});
find('say').addEventListener('submit', submitted => {
  submitted.preventDefault();
  socket.emit('user message', find('text').value);
  find('text').value = '';
});
find('leave').addEventListener('click', () => {
  socket.emit('leave');
  showRoom(null);
  line(null, 'You left', 'event');
});
