/*
 * A real Socket.IO client of any generation, driven by lines.
 *
 *   node driver.js <generation> <url>          generation: 09 1 2 3 4          url: http://127.0.0.1:8080
 *
 * One JSON object a line: commands come on stdin, happenings go to stdout. Bytes are {"$bytes": "<base64>"} in both directions, at
 * any depth. The program ends when stdin does. What a command or happening is about is named by "connection" (any word, "main"
 * when left out: one engine with its own options) and "namespace" ("/" when left out).
 *
 * Commands
 *   {"cmd":"open", "namespace":"/chat", "options":{...}}     the first one of a connection makes it, further ones share it
 *       options, all optional:  path "socketio"   transports, by the generation's own names   query {}   auth {} (3, 4)
 *           headers {} (cookies too; in 0.9 for the whole process)   upgrade true   reconnect false   reconnectDelay ms
 *           reconnectAttempts n   timeout ms   own {}: handed to the client as it is
 *   {"cmd":"emit", "event":"x", "args":[...], "ack":"tag"}   "ack" only when one is wanted
 *   {"cmd":"send", "data":..., "json":true, "ack":"tag"}     a message; "json" (0.9 only) is json.send
 *   {"cmd":"on", "event":"x", "reply":[...]}                 from now on acknowledge x with these values; null: leave unanswered
 *   {"cmd":"burst", "event":"x", "count":10000, "chunk":100, "when":"upgrading", "ack":"tag"}
 *       emits x(0), x(1) ... as fast as possible: all at once, or `chunk` every turn of the event loop; at once, or when that
 *       happening comes next; with "ack" every event asks for one, and they are only counted: see `counted`
 *   {"cmd":"count", "event":"x", "count":10000}              from now on x(0), x(1) ... are counted, not told
 *   {"cmd":"counted", "event":"x"}                           tell the count now
 *   {"cmd":"transport"}                                      tell the transport in use now
 *   {"cmd":"disconnect"}  {"cmd":"connect"}                  the namespace: leave it, connect it again (not in 0.9)
 *   {"cmd":"close"}  {"cmd":"drop"}                          the connection: politely, or as a bad network does
 *
 * Happenings: every one has "kind", and "connection" and "namespace" where it is about one
 *   ready {generation, version}
 *   open {transport, sid}   closed {reason}   upgrading {transport}   upgraded {transport}   upgrade_failed {message}   heartbeat
 *   reconnect {attempt}   reconnect_failed   error {native, message, data}: could not connect, or a failure of the whole connection
 *   connect {id, transport, recovered}   disconnect {reason}   refused {native, message, data}: this namespace was not let in
 *   event {event, args, as, asks_ack}    as: event, message or json (0.9 only; later a message is the event "message")
 *   ack {tag, args}
 *   burst {event, count, began, ended}   all emitted; the transports it began and ended on
 *   counted {event, count, acks, disorder, transport}   when the number of `count` or of a burst's acks is reached, or when asked;
 *       disorder: null or the first {expected, got, at}
 *   transport {transport}
 *   trouble {message}   a command could not be done             crash {message}   an exception nobody caught
 *
 * 1.x and 2.x keep some event names to themselves (connect, error, ping, pong, reconnect ...): emitting them sends nothing.
 */
'use strict';

const { GENERATIONS } = require('./generations');
const [generation, url] = process.argv.slice(2);
const client = GENERATIONS[generation];

// ---------------------------------------------------------------------------------------------------------- lines in, lines out

function tell (happening) {
  process.stdout.write(JSON.stringify(packed(happening)) + '\n');
}

/** A value with every run of bytes as {"$bytes": base64}. */
function packed (value) {
  if (value instanceof ArrayBuffer) return packed(Buffer.from(value));
  if (ArrayBuffer.isView(value)) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
  return mapped(value, packed);
}

function unpacked (value) {
  if (value && typeof value === 'object' && '$bytes' in value) return Buffer.from(value.$bytes, 'base64');
  return mapped(value, unpacked);
}

function mapped (value, change) {
  if (Array.isArray(value)) return value.map((one) => (one === undefined ? null : change(one)));
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, change(one)]));
}

// ------------------------------------------------------------------------------------------------------ connections, namespaces

const connections = {};

class Connection {
  constructor (name, options) {
    this.name = name;
    this.namespaces = {};
    this.waiting = []; // [kind, action]: done once, when that happening comes
    this.engine = client.open(url, options, (kind, fields) => this.report(kind, fields));
  }

  report (kind, fields) {
    tell(Object.assign({ kind, connection: this.name }, fields));
    this.waiting.splice(0).forEach(([awaited, action]) => (awaited === kind ? action() : this.waiting.push([awaited, action])));
  }

  join (name, options) {
    this.namespaces[name] = new Namespace(this, name, options);
  }

  when (kind, action) {
    if (kind) this.waiting.push([kind, action]); else action();
  }
}

class Namespace {
  constructor (connection, name, options) {
    this.connection = connection;
    this.name = name;
    this.replies = {};
    this.counts = {};
    this.socket = connection.engine.join(name, options, (kind, fields, ack) => this.report(kind, fields, ack));
  }

  report (kind, fields, ack) {
    if (kind === 'event') {
      const counter = this.counts[fields.event];
      if (ack && this.replies[fields.event]) ack(...this.replies[fields.event]);
      if (counter && counter.events) return counter.event(fields.args[0]);
      fields.asks_ack = Boolean(ack);
    }
    this.connection.report(kind, Object.assign({ namespace: this.name }, fields));
  }

  acknowledged (tag) {
    return tag === undefined ? null : (...args) => this.report('ack', { tag, args });
  }

  counter (event, wanted) {
    return (this.counts[event] = Object.assign(this.counts[event] || new Counter(this, event), wanted));
  }
}

/** Events and acks of one name that are numbered from 0: how many came, and the first that was out of order. */
class Counter {
  constructor (namespace, event) {
    Object.assign(this, { namespace, name: event, seen: 0, acks: 0, disorder: null });
  }

  event (number) {
    if (number !== this.seen && !this.disorder) this.disorder = { expected: this.seen, got: number, at: this.seen };
    this.seen += 1;
    if (this.seen === this.events) this.tell();
  }

  ack () {
    this.acks += 1;
    if (this.acks === this.wantedAcks) this.tell();
  }

  tell () {
    const { name: event, seen: count, acks, disorder, namespace } = this;
    namespace.report('counted', { event, count, acks, disorder, transport: namespace.connection.engine.transport() });
  }
}

function burst (namespace, { event, count, chunk = count, ack }) {
  const counter = namespace.counter(event, ack === undefined ? {} : { wantedAcks: count });
  const engine = namespace.connection.engine;
  const began = engine.transport();
  let next = 0;
  (function some () {
    for (const end = Math.min(next + chunk, count); next < end; next++) {
      namespace.socket.emit(event, [next], ack === undefined ? null : () => counter.ack());
    }
    if (next < count) return setImmediate(some);
    namespace.report('burst', { event, count, began, ended: engine.transport() });
  })();
}

// ------------------------------------------------------------------------------------------------------------------- commands

const COMMANDS = {
  open (connection, namespace, { options = {} }, names) {
    if (!connection) connection = connections[names.connection] = new Connection(names.connection, options);
    connection.join(names.namespace, options);
  },
  emit: (c, n, { event, args = [], ack }) => n.socket.emit(event, args, n.acknowledged(ack)),
  send: (c, n, { data, json, ack }) => n.socket.send(data, { json }, n.acknowledged(ack)),
  on: (c, n, { event, reply }) => { n.replies[event] = reply; },
  burst: (c, n, command) => c.when(command.when, () => burst(n, command)),
  count: (c, n, { event, count }) => n.counter(event, { events: count }),
  counted: (c, n, { event }) => n.counter(event, {}).tell(),
  transport: (c) => c.report('transport', { transport: c.engine.transport() }),
  disconnect: (c, n) => n.socket.disconnect(),
  connect: (c, n) => n.socket.connect(),
  close: (c) => c.engine.close(),
  drop: (c) => c.engine.drop()
};

function obey (line) {
  const { connection: cname = 'main', namespace: nname = '/', ...command } = unpacked(JSON.parse(line));
  const connection = connections[cname];
  const namespace = connection && connection.namespaces[nname];
  COMMANDS[command.cmd](connection, namespace, command, { connection: cname, namespace: nname });
}

process.on('uncaughtException', (error) => tell({ kind: 'crash', message: String((error && error.stack) || error) }));
require('readline').createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on('line', (line) => {
    try { obey(line); } catch (error) { tell({ kind: 'trouble', message: `${line.slice(0, 200)}: ${error && error.stack}` }); }
  })
  .on('close', () => process.exit(0));
tell({ kind: 'ready', generation, version: client.version() });
