/*
 * The real Node servers of four protocol generations, with one and the same application on each.
 *
 *   ORACLES=/some/folder node oracles.js <generation> <port> [options as JSON]        generation: 09 1 2 4
 *
 * The folder holds the servers (they are no dependency of this project):
 *
 *   npm install --ignore-scripts --prefix /some/folder srv09@npm:socket.io@0.9.19 srv1@npm:socket.io@1.7.4 \
 *       srv2@npm:socket.io@2.5.1 srv4@npm:socket.io@4.8.4
 *
 * The application, in / and in /chat: `echo` (args) emits echo (args); `give` (values) acknowledges with the values; `ask` (values)
 * emits question (values), asks for an ack and emits answered (its values); `number` (n) counts, `numbers` acknowledges with
 * {count, disorder}; `flood` (n) emits number 0 ... n-1; `kick` disconnects the namespace; a message comes back. /secret refuses
 * with the data {"code":42}. There is no other namespace.
 */
'use strict';

const http = require('http');
const { createRequire } = require('module');

const RESOURCE = 'socketio';

function oracle (name) {
  const folder = process.env.ORACLES;
  if (!folder) throw new Error('ORACLES is not set: the folder with the servers, see the top of oracles.js');
  return createRequire(folder + '/package.json')(name);
}

function application (socket) {
  let count = 0;
  let disorder = null;
  socket.on('echo', (...args) => socket.emit('echo', ...args));
  socket.on('give', (values, answer) => answer(...values));
  socket.on('ask', (values) => socket.emit('question', ...values, function (named) { // 0.9 asks for values only of a function with parameters
    socket.emit('answered', ...arguments);
  }));
  socket.on('number', (n, answer) => {
    if (n !== count && !disorder) disorder = { expected: count, got: n };
    count += 1;
    if (answer) answer(n);
  });
  socket.on('numbers', (answer) => answer({ count, disorder }));
  socket.on('flood', (n) => { for (let i = 0; i < n; i++) socket.emit('number', i); });
  socket.on('kick', () => socket.disconnect());
  socket.on('message', (data, answer) => {
    if (typeof answer === 'function') answer('got', data);
    (typeof data === 'object' && socket.json ? socket.json : socket).send(data); // 0.9 has two kinds of message
  });
}

/** 1.x, 2.x and 4.x. `times`: {interval, timeout} of the heartbeat, in seconds. */
function modern (name, extra) {
  return (server, times) => {
    const options = { path: '/' + RESOURCE, pingInterval: times.interval * 1000, pingTimeout: times.timeout * 1000 };
    const io = oracle(name)(server, Object.assign(options, extra));
    io.on('connection', application);
    io.of('/chat').on('connection', application);
    io.of('/secret').use((socket, next) => next(Object.assign(new Error('not authorized'), { data: { code: 42 } })));
  };
}

function oldest (server, times) {
  const io = oracle('srv09').listen(server, { 'log level': 0, resource: '/' + RESOURCE, 'browser client': false });
  io.set('heartbeat interval', times.interval);
  io.set('heartbeat timeout', times.interval + times.timeout);
  io.set('close timeout', times.interval + times.timeout);
  io.set('polling duration', times.poll || 20);
  io.sockets.on('connection', application);
  io.of('/chat').on('connection', application);
  io.of('/secret').authorization((handshake, decide) => decide(null, false));
}

const SERVERS = {
  '09': { version: '0.9.19', start: oldest },
  1: { version: '1.7.4', start: modern('srv1') },
  2: { version: '2.5.1', start: modern('srv2') },
  4: { version: '4.8.4', start: modern('srv4') }
};

/** Starts the server of a generation; gives the port to `ready`. */
function serve (generation, times, port, ready) {
  const server = http.createServer((request, response) => response.writeHead(404).end());
  SERVERS[generation].start(server, Object.assign({ interval: 25, timeout: 20 }, times));
  server.listen(port, '127.0.0.1', () => ready(server.address().port));
  return server;
}

module.exports = { SERVERS, RESOURCE, serve };

if (require.main === module) {
  const [generation, port, times] = process.argv.slice(2);
  serve(generation, JSON.parse(times || '{}'), Number(port), (at) => console.log('http://127.0.0.1:' + at));
}
