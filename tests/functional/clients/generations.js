/*
 * The five client generations behind one face. Everything that is peculiar to a generation is in this file.
 *
 *   GENERATIONS[g].open(url, options, report) -> Connection     one engine, many namespaces
 *   Connection:  join(namespace, options, report) -> Namespace
 *                transport()  name in use now      close()  leave politely      drop()  break the line, as a bad network does
 *   Namespace:   emit(event, args, ack)    send(data, {json}, ack)    disconnect()    connect()
 *
 * `report(kind, fields)` tells what happened; the kinds are described at the top of driver.js. A namespace is reported about only
 * when it was joined. `options` have portable names (see driver.js), `options.own` is handed to the client as it is.
 */
'use strict';

delete globalThis.WebSocket; // Node 22 has one; 1.x and 2.x would take it, and it can send no extra headers

const fs = require('fs');
const path = require('path');
const querystring = require('querystring');

/** `options` with the keys of `names`: [[ours, theirs, change]...], undefined ones left out, `own` on top. */
function translate (options, names) {
  const theirs = {};
  for (const [our, their, change] of names) {
    if (options[our] !== undefined) theirs[their] = change ? change(options[our]) : options[our];
  }
  return Object.assign(theirs, options.own);
}

/** The version that is really installed; a `require` of package.json is refused by the newer packages. */
function versionOf (name) {
  return JSON.parse(fs.readFileSync(path.join(__dirname, 'node_modules', name, 'package.json'))).version;
}

/** What an engine's error knows more: an HTTP status, or words. */
function reason (description) {
  return description && typeof description === 'object' ? String(description.message || description) : description;
}

/** A thing that may be an Error, a string or data, as {message, data}. */
function described (error) {
  if (error instanceof Error) {
    return { message: error.message, data: error.data === undefined ? reason(error.description) : error.data };
  }
  const message = error && typeof error === 'object' ? error.message : error;
  return { message: message === undefined ? null : String(message), data: error };
}

// ---------------------------------------------------------------------------------------------------------------- 1.x to 4.x

const MODERN_OPTIONS = [
  ['path', 'path', (p) => '/' + p],
  ['transports', 'transports'],
  ['query', 'query', (q) => Object.assign({}, q)], // the clients write into it
  ['headers', 'extraHeaders'],
  ['upgrade', 'upgrade'],
  ['reconnect', 'reconnection'],
  ['reconnectDelay', 'reconnectionDelay'],
  ['reconnectAttempts', 'reconnectionAttempts'],
  ['timeout', 'timeout']
];

/**
 * What differs among 1.x to 4.x as this driver sees them:
 *   failure      the Manager's event for "could not connect"
 *   heartbeat    the packet that comes once a heartbeat (Engine.IO 3: the answer to our ping; 4: the server's ping)
 *   joinOptions  how the options of a namespace are said
 */
const OLD_ROW = {
  failure: 'connect_error',
  heartbeat: 'pong',
  joinOptions: (o) => (o.query ? { query: querystring.stringify(o.query) } : {}) // becomes `40/chat?a=b,`
};
const NEW_ROW = {
  failure: 'error',
  heartbeat: 'ping',
  joinOptions: (o) => (o.auth ? { auth: o.auth } : {})
};

const CONNECT_ERROR = 4; // the Socket.IO packet type: ERROR in protocol 4, CONNECT_ERROR in protocol 5

class ModernConnection {
  constructor (client, row, url, options, report) {
    this.row = row;
    this.joined = {};
    this.manager = new client.Manager(url, Object.assign({ reconnection: false }, translate(options, MODERN_OPTIONS)));
    this.manager.on('open', () => this.watchEngine(report)); // every reconnection brings a new engine
    this.manager.on('close', (reason) => report('closed', { reason }));
    this.manager.on('reconnect', (attempt) => report('reconnect', { attempt }));
    this.manager.on('reconnect_failed', () => report('reconnect_failed', {}));
    this.manager.on(row.failure, (error) => report('error', Object.assign({ native: row.failure }, described(error))));
    this.manager.on('packet', (packet) => this.refusal(packet));
  }

  watchEngine (report) {
    const engine = this.manager.engine;
    report('open', { transport: engine.transport.name, sid: engine.id });
    engine.on('upgrading', (to) => report('upgrading', { transport: to.name }));
    engine.on('upgrade', (to) => report('upgraded', { transport: to.name }));
    engine.on('upgradeError', (error) => report('upgrade_failed', described(error)));
    engine.on('packet', (packet) => { if (packet.type === this.row.heartbeat) report('heartbeat', {}); });
  }

  refusal (packet) {
    const told = this.joined[packet.nsp];
    if (packet.type !== CONNECT_ERROR || !told) return;
    told.report('refused', Object.assign({ native: this.row.failure === 'error' ? 'connect_error' : 'error' }, this.refusalData(packet.data)));
  }

  refusalData (data) {
    return this.row === NEW_ROW ? { message: data.message, data: data.data } : described(data);
  }

  join (name, options, report) {
    return (this.joined[name.split('?')[0]] = new ModernNamespace(this, name, options, report));
  }

  transport () { return this.manager.engine.transport.name; }

  close () { this.manager.disconnect(); }

  drop () {
    const socket = this.manager.engine.transport.ws;
    if (socket) socket.terminate(); else this.manager.engine.close();
  }
}

class ModernNamespace {
  constructor (connection, name, options, report) {
    this.report = report;
    this.early = []; // events that came before the connect: the client keeps them back, so do we
    const socket = this.socket = connection.manager.socket(name, connection.row.joinOptions(options));
    socket.on('connect', () => {
      report('connect', { id: socket.id, transport: connection.transport(), recovered: socket.recovered });
      this.early.splice(0).forEach((packet) => this.event(packet));
    });
    socket.on('disconnect', (reason) => report('disconnect', { reason }));
    const onevent = socket.onevent;
    socket.onevent = (packet) => {
      const copy = { id: packet.id, data: packet.data.slice() }; // the client appends its ack function to the array
      onevent.call(socket, packet);
      if (socket.connected) this.event(copy); else this.early.push(copy);
    };
  }

  event ({ id, data }) {
    const ack = id === undefined || id === null ? null : this.socket.ack(id);
    this.report('event', { event: data[0], args: data.slice(1) }, ack);
  }

  emit (event, args, ack) { this.socket.emit(event, ...args, ...(ack ? [ack] : [])); }

  send (data, { json }, ack) {
    if (json) throw new Error('json.send is of 0.9 only');
    this.socket.send(data, ...(ack ? [ack] : []));
  }

  disconnect () { this.socket.disconnect(); }

  connect () { this.socket.connect(); }
}

function modern (name, row) {
  return {
    version: () => versionOf(name),
    open: (url, options, report) => new ModernConnection(require(name), row, url, options, report)
  };
}

// ------------------------------------------------------------------------------------------------------------------------ 0.9

const OLDEST_OPTIONS = [
  ['path', 'resource'],
  ['query', 'query', (q) => querystring.stringify(q)],
  ['reconnect', 'reconnect'],
  ['reconnectDelay', 'reconnection delay'],
  ['reconnectAttempts', 'max reconnection attempts'],
  ['timeout', 'connect timeout']
];

const OLDEST_TRANSPORTS = ['websocket', 'xhr-polling']; // all that 0.9 has under Node

/** 0.9 can send no headers of its own; a browser would send cookies, so both its HTTP and its websocket are given them. */
function lendHeaders (headers) {
  const at = { paths: [path.dirname(require.resolve('sio09'))] };
  const where = require.resolve('ws', at);
  const WebSocket = require(where);
  require.cache[where].exports = function (url) { return new WebSocket(url, { headers }); };
  const http = require('http');
  const request = http.request;
  http.request = function (options, ...rest) { // its XMLHttpRequest refuses `Cookie` and passes plain options on
    if (options.headers && options.headers['User-Agent'] === 'node-XMLHttpRequest') Object.assign(options.headers, headers);
    return request.call(this, options, ...rest);
  };
}

class OldestConnection {
  constructor (io, url, options, report) {
    if (options.headers) lendHeaders(options.headers);
    io.transports = (options.transports || OLDEST_TRANSPORTS).slice(); // its option `transports` is merged place by place into this list
    const defaults = { reconnect: false, 'force new connection': true };
    this.root = io.connect(url, Object.assign(defaults, translate(options, OLDEST_OPTIONS)));
    const socket = this.socket = this.root.socket;
    for (const native of ['error', 'connect_failed']) {
      socket.on(native, (error) => report('error', Object.assign({ native }, described(error))));
    }
    socket.on('connect', () => report('open', { transport: this.transport(), sid: socket.sessionid }));
    socket.on('disconnect', (reason) => report('closed', { reason }));
    socket.on('reconnect', (transport, attempt) => report('reconnect', { attempt }));
    socket.on('reconnect_failed', () => report('reconnect_failed', {}));
    socket.on('connecting', () => this.watchHeartbeat(report));
  }

  watchHeartbeat (report) {
    const transport = this.socket.transport;
    const onHeartbeat = transport.onHeartbeat;
    transport.onHeartbeat = function (beat) {
      onHeartbeat.call(this, beat);
      report('heartbeat', {});
    };
  }

  join (name, options, report) {
    const namespace = new OldestNamespace(this, name === '/' ? '' : name, report);
    if (name === '/' && this.socket.connected) namespace.heard('connect', []);
    return namespace;
  }

  transport () { return this.socket.transport ? this.socket.transport.name : null; }

  close () { this.socket.disconnect(); }

  drop () {
    const websocket = this.socket.transport.websocket;
    if (websocket) websocket.terminate(); else this.socket.transport.onClose();
  }
}

/** Everything a 0.9 namespace hears goes through `onPacket`, which calls `$emit`: watched together they tell packets from other news. */
class OldestNamespace {
  constructor (connection, name, report) {
    this.connection = connection;
    this.report = report;
    this.packet = null;
    const namespace = this.namespace = connection.socket.of(name);
    const { onPacket, $emit } = namespace;
    namespace.onPacket = (packet) => {
      const before = this.packet;
      this.packet = packet;
      try { onPacket.call(namespace, packet); } finally { this.packet = before; }
    };
    namespace.$emit = (event, ...args) => {
      this.heard(event, args);
      return $emit.call(namespace, event, ...args);
    };
  }

  heard (event, args) {
    const packet = this.packet || {};
    if (['event', 'message', 'json'].includes(packet.type)) return this.event(packet, event, args);
    if (packet.type === 'error' && !packet.advice) {
      return this.report('refused', { native: event, message: args[0], data: args[0] });
    }
    if (event === 'connect') {
      this.report('connect', { id: this.connection.socket.sessionid, transport: this.connection.transport() });
    }
    if (event === 'disconnect') this.report('disconnect', { reason: args[0] });
  }

  event (packet, event, args) {
    const ack = packet.ack === 'data' ? args[args.length - 1] : null;
    this.report('event', { event, args: ack ? args.slice(0, -1) : args, as: packet.type }, ack);
  }

  emit (event, args, ack) { this.namespace.emit(event, ...args, ...(ack ? [ack] : [])); }

  send (data, { json }, ack) { (json ? this.namespace.json : this.namespace).send(data, ack); }

  disconnect () { this.namespace.disconnect(); }
}

const GENERATIONS = {
  '09': {
    version: () => versionOf('sio09'),
    open: (url, options, report) => new OldestConnection(require('sio09'), url, options, report)
  },
  1: modern('sio1', OLD_ROW),
  2: modern('sio2', OLD_ROW),
  3: modern('sio3', NEW_ROW),
  4: modern('sio4', NEW_ROW)
};

module.exports = { GENERATIONS };
