// Two clients, one page: each half of the table is a Side.

import { connect } from './client.js';
import { append, element, mark, notice } from './page.js';

const LOG_LINES = 80;
const FEED_LINES = 40;
const BALL_GAP = 70; // milliseconds between the balls of a fireball, which arrive all at once
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

// -- one half of the table -------------------------------------------------------------------------------------------

class Side {
  constructor(id, name, io) {
    this.id = id;
    this.root = document.getElementById(id);
    this.log = this.root.querySelector('.log');
    this.lane = this.root.querySelector('.lane');
    this.name = name;
    this.io = io;
    this.client = null;
    this.player = null;
    this.last = null; // the log's last line, while the next pong may be added to it
    this.balls = 0; // under way
    for (const button of this.root.querySelectorAll('[data-attack]')) {
      button.addEventListener('click', () => this.attack(button.dataset.attack));
    }
    const wish = this.root.querySelector('select');
    wish.addEventListener('change', () => this.open(wish.value));
    this.open(wish.value);
  }

  open(transport) {
    this.client?.close();
    this.state('connecting', 'connecting');
    const tell = (state, words) => this.state(state, words);
    this.client = connect('/pingpong', { io: this.io, client: this.name, transport, tell });
    for (const event of ['welcome', 'pong', 'seen', 'error']) this.client.on(event, (...args) => this[event](...args));
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
    if (detail === undefined) return; // the client's own troubles, which `tell` hears of
    const text = typeof detail === 'string' ? detail : Object.entries(detail).map(pair => pair.join(': ')).join(', ');
    this.write('error', name, text);
    this.root.animate?.(calm.matches ? [] : { translate: ['0', '-5px', '4px', '-2px', '0'] }, 260);
  }

  // -- what is seen of it --

  state(state, words) {
    this.root.dataset.state = state;
    this.show('state', words);
    for (const button of this.root.querySelectorAll('[data-attack]')) button.disabled = state !== 'connected';
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
    const mine = sides.find(side => side.player === player);
    const who = element('span', `who ${mine?.id ?? ''}`, `Player ${player}`);
    const row = element('li', attack);
    row.append(element('span', 'number', `#${number}`), who, element('span', 'with', `plays ${client}`));
    row.append(element('b', 'what', attack), element('span', 'marks'));
    rows.set(number, row);
    append(document.getElementById('feed'), row, FEED_LINES);
    document.getElementById('feed-empty').hidden = true;
    if (rows.size > FEED_LINES) rows.delete(rows.keys().next().value);
  }
  rows.get(number).querySelector('.marks').append(check(id));
}

/** The mark of a client that has been told. */
function check(id) {
  const made = mark(id === 'new' ? '4.x' : '0.9');
  made.classList.add(id);
  return made;
}

const sides = [];
if (window.io4 && window.io) {
  sides.push(new Side('new', '4.x', window.io4), new Side('old', '0.9', window.io));
} else {
  notice('The clients could not be loaded. Install them with: npm ci --prefix demo');
}
