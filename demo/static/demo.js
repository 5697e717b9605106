// Two clients, one page. What they have in common is in Side, what differs in `newClient` and `oldClient`.
'use strict';

const NAMESPACE = '/pingpong';
const LOG_LINES = 80;
const FEED_LINES = 40;
const BALL_GAP = 70; // milliseconds between the balls of a fireball, which arrive all at once
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

/** An element with a class and children, strings among them. */
function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

// -- the two clients -------------------------------------------------------------------------------------------------

/** 4.x: -> {on, emit, close, transport} */
function newClient(wish, transportChanged) {
  const socket = window.io4(NAMESPACE, {
    path: '/socketio',
    forceNew: true,
    transports: wish === 'auto' ? ['polling', 'websocket'] : [wish],
  });
  socket.io.on('open', () => socket.io.engine.on('upgrade', transportChanged));
  return {
    on: (name, handler) => socket.on(name === 'failed' ? 'connect_error' : name, handler),
    emit: (...args) => socket.emit(...args),
    close: () => socket.disconnect(),
    transport: () => socket.io.engine?.transport.name,
  };
}

/** 0.9: the same face. */
function oldClient(wish) {
  const socket = window.io.connect(NAMESPACE, {
    resource: 'socketio',
    'force new connection': true,
    transports: wish === 'auto' ? ['websocket', 'xhr-polling'] : [wish],
    'reconnection limit': 4000,
    'max reconnection attempts': Infinity,
  });
  return {
    on: (name, handler) => socket.on(name === 'failed' ? 'connect_failed' : name, handler),
    emit: (...args) => socket.emit(...args),
    close: () => socket.socket.disconnect(),
    transport: () => socket.socket.transport?.name,
  };
}

// -- one half of the table -------------------------------------------------------------------------------------------

class Side {
  constructor(id, connect, version) {
    this.id = id;
    this.root = document.getElementById(id);
    this.log = this.root.querySelector('.log');
    this.lane = this.root.querySelector('.lane');
    this.connect = connect;
    this.client = null;
    this.player = null;
    this.last = null; // the log's last line, while the next pong may be added to it
    this.balls = 0; // under way
    this.show('version', version);
    for (const button of this.root.querySelectorAll('[data-attack]')) {
      button.addEventListener('click', () => this.attack(button.dataset.attack));
    }
    const wish = this.root.querySelector('select');
    wish.addEventListener('change', () => this.open(wish.value));
    this.open(wish.value);
  }

  open(wish) {
    this.client?.close();
    this.state('connecting');
    const client = this.connect(wish, () => this.showTransport());
    this.client = client;
    // What an earlier client still has to say is no longer ours.
    const on = (name, handler) => client.on(name, (...args) => client === this.client && handler(...args));
    on('connect', () => this.connected());
    on('disconnect', () => this.state('disconnected'));
    on('failed', () => this.state('disconnected'));
    on('welcome', (message) => this.welcome(message));
    on('pong', (message) => this.pong(message));
    on('seen', (message) => this.seen(message));
    on('error', (name, detail) => this.error(name, detail));
  }

  connected() {
    this.state('connected');
    this.showTransport();
  }

  showTransport() {
    this.show('transport', this.client.transport());
  }

  attack(type) {
    const sent = performance.now();
    this.client.emit('ping', { type }, () => this.show('trip', `${(performance.now() - sent).toFixed(1)} ms`));
    this.write('sent', 'ping', type);
    this.fly('out', type === 'error' ? 'wrong' : '', 0);
  }

  welcome({ player, score }) {
    this.player = player;
    this.show('player', `player ${player}`);
    const played = Object.values(score).reduce((sum, points) => sum + points, 0);
    if (Math.max(0, ...rows.keys()) > played) rows.clear(); // the server has begun anew, and so do its numbers
    showScore(score);
  }

  pong({ sound }) {
    if (this.last?.sound === sound) {
      this.last.count += 1;
      this.last.times.textContent = `×${this.last.count}`;
    } else {
      const times = element('span', 'times');
      const line = this.write('got', 'pong', sound, times);
      this.last = { line, sound, times, count: 1 };
    }
    this.fly('in', sound === 'bang!' ? 'fire' : '', this.balls * BALL_GAP);
  }

  seen(attack) {
    if (attack.player !== this.player) {
      this.write('other', 'seen', `player ${attack.player} (${attack.client}): ${attack.attack}`);
    }
    showSeen(this.id, attack);
  }

  error(name, detail) {
    if (detail === undefined) {
      this.state('disconnected'); // 0.9 reports its connection's troubles as `error` too
      return;
    }
    const text = typeof detail === 'string' ? detail : Object.entries(detail).map((pair) => pair.join(': ')).join(', ');
    this.write('error', name, text);
    this.root.animate?.(calm.matches ? [] : { translate: ['0', '-5px', '4px', '-2px', '0'] }, 260);
  }

  // -- what is seen of it --

  state(state) {
    this.root.dataset.state = state;
    this.show('state', state);
    for (const button of this.root.querySelectorAll('[data-attack]')) button.disabled = state !== 'connected';
    if (state !== 'connected') this.show('transport', '–');
  }

  show(what, text) {
    this.root.querySelector(`[data-show="${what}"]`).textContent = text;
  }

  write(kind, name, text, ...more) {
    this.last = null;
    const way = kind === 'sent' ? 'sent' : 'received';
    const arrow = element('span', 'arrow', kind === 'sent' ? '→' : '←');
    arrow.setAttribute('aria-hidden', 'true');
    const line = element('li', kind, arrow, element('span', 'hidden', `${way} `));
    line.append(element('code', '', name), ' ', element('span', 'text', text), ...more);
    append(this.log, line, LOG_LINES);
    return line;
  }

  /** A ball crosses the lane: out to the net, or in from it. */
  fly(way, look, delay) {
    if (calm.matches || !this.lane.animate) return;
    const ball = element('i', `ball ${look}`);
    this.lane.append(ball);
    this.balls += 1;
    const flip = this.id === 'new' ? 1 : -1;
    const [bat, net] = [0, flip * (this.lane.clientWidth - 46)];
    const [from, to] = way === 'out' ? [bat, net] : [net, bat];
    const rise = 10 + Math.random() * 22;
    const path = [
      { transform: `translate(${from}px, 0)`, opacity: 1, easing: 'cubic-bezier(.2,.6,.6,1)' },
      { transform: `translate(${from + (to - from) * 0.55}px, ${-rise}px)`, easing: 'cubic-bezier(.4,0,.9,.5)' },
      { transform: `translate(${to}px, 0)`, opacity: 1 },
    ];
    if (look === 'wrong') path.push({ transform: `translate(${to * 0.92}px, 26px)`, opacity: 0 });
    const flight = ball.animate(path, { duration: look === 'wrong' ? 620 : 430, delay });
    flight.onfinish = flight.oncancel = () => {
      ball.remove();
      this.balls -= 1;
    };
  }
}

// -- what both share -------------------------------------------------------------------------------------------------

/** Adds a line, drops the oldest, and follows where the reader is at the end. */
function append(list, line, most) {
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 30;
  list.append(line);
  while (list.children.length > most) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function showScore(score) {
  const both = { new: score['3.x, 4.x'] ?? 0, old: score['0.9'] ?? 0 };
  for (const [id, points] of Object.entries(both)) {
    const digits = document.getElementById(`score-${id}`);
    if (digits.textContent === String(points)) continue;
    digits.textContent = points;
    if (!calm.matches) digits.animate?.({ transform: ['rotateX(90deg)', 'none'] }, { duration: 220, easing: 'ease-out' });
  }
}

const rows = new Map(); // an attack's number -> its line

/** One line an attack, with a mark for each client that has been told. */
function showSeen(id, { number, player, client, attack, score }) {
  if (!rows.has(number)) {
    showScore(score);
    const mine = sides.find((side) => side.player === player);
    const who = element('span', `who ${mine?.id ?? ''}`, `Player ${player}`);
    const row = element('li', attack);
    row.append(element('span', 'number', `#${number}`), who, element('span', 'with', `plays ${client}`));
    row.append(element('b', 'what', attack), element('span', 'marks'));
    rows.set(number, row);
    append(document.getElementById('feed'), row, FEED_LINES);
    document.getElementById('feed-empty').hidden = true;
    if (rows.size > FEED_LINES) rows.delete(rows.keys().next().value);
  }
  rows.get(number).querySelector('.marks').append(element('span', `mark ${id}`, id === 'new' ? '✓ 4.x' : '✓ 0.9'));
}

const sides = [];
if (window.io4 && window.io?.version) {
  sides.push(new Side('new', newClient, '4.8.4'));
  sides.push(new Side('old', oldClient, window.io.version));
} else {
  const notice = document.getElementById('notice');
  notice.textContent = 'The clients could not be loaded. Install them with: npm ci --prefix demo';
  notice.hidden = false;
}
