/*
 * What is played: [name, title, play, {only, times}]. `play(talk)` drives the client; every line until it returns is recorded.
 *
 *   only    the generations, when not all
 *   roads   the transports (websocket, polling, xhr2, upgrade), when not websocket and polling
 *   times   the server's heartbeat, in seconds
 */
'use strict';

const MODERN = ['1', '2', '3', '4'];
const BOTH = 'é😀';
const BYTES = Uint8Array.from([0, 1, 2, 253, 254, 255]).buffer;

async function echo (talk, namespace, ...args) {
  talk.emit(namespace, 'echo', args);
  await talk.heard('event', { namespace, event: 'echo' });
}

async function give (talk, namespace, ...values) {
  talk.emit(namespace, 'give', [values], true);
  await talk.heard('ack', {});
}

async function ask (talk, namespace, ...values) {
  talk.reply('question', values);
  talk.emit(namespace, 'ask', [['what?']]);
  await talk.heard('event', { namespace, event: 'answered' });
}

const SCENES = [
  ['handshake', 'the client connects to the default namespace', async (talk) => {
    await talk.open('/');
  }, { roads: ['websocket', 'polling', 'xhr2'] }],
  ['namespace', 'the client connects to / and to /chat', async (talk) => {
    await talk.open('/');
    await talk.open('/chat');
  }],
  ['credentials', 'the client connects to / and to /chat with query a=b c and (3.x, 4.x) auth {"token":"x"}', async (talk) => {
    const options = { query: { a: 'b c' }, auth: { token: 'x' } };
    await talk.open('/', options);
    await talk.open('/chat', options);
  }],
  ['events', 'events without and with args, there and back, in / and /chat', async (talk) => {
    await talk.open('/');
    await echo(talk, '/');
    await echo(talk, '/', 1, 'two', { three: [null, true, 4.5] });
    await talk.open('/chat');
    await echo(talk, '/chat', 'a+b:c,d[e');
  }],
  ['many', 'ten events in one turn of the event loop, there and back', async (talk) => {
    await talk.open('/');
    for (let i = 0; i < 10; i++) talk.emit('/', 'echo', [i, 'é']);
    for (let i = 0; i < 10; i++) await talk.heard('event', { event: 'echo' });
  }],
  ['unicode', 'an event with é, one with 😀, one with both, there and back', async (talk) => {
    await talk.open('/');
    for (const text of ['é', '😀', BOTH]) await echo(talk, '/', text);
  }, { roads: ['websocket', 'polling', 'xhr2'] }],
  ['acks', 'the server acknowledges with no value, one, several; then the client does', async (talk) => {
    await talk.open('/');
    for (const values of [[], [7], ['a', null, { é: BOTH }]]) await give(talk, '/', ...values);
    for (const values of [[], [7], ['a', null, { é: BOTH }]]) await ask(talk, '/', ...values);
    await talk.open('/chat');
    await give(talk, '/chat', 'in chat');
    await ask(talk, '/chat', 'in chat');
  }],
  ['messages', 'a message, one that asks for an ack, a JSON message, there and back', async (talk) => {
    await talk.open('/');
    talk.send('/', 'hello ' + BOTH);
    await talk.heard('event', { event: 'message' });
    talk.send('/', 'acknowledged?', {}, true);
    await talk.heard('event', { event: 'message' });
    talk.send('/', { a: [BOTH] }, { json: true });
    await talk.heard('event', { event: 'message' });
  }, { only: ['09'] }],
  ['messages', 'a message, one that asks for an ack, there and back', async (talk) => {
    await talk.open('/');
    talk.send('/', 'hello ' + BOTH);
    await talk.heard('event', { event: 'message' });
    talk.send('/', 'acknowledged?', {}, true);
    await talk.heard('event', { event: 'message' });
  }, { only: MODERN }],
  ['refused', 'the namespace /secret refuses with data {"code":42}; / goes on', async (talk) => {
    await talk.open('/');
    talk.join('/secret');
    await talk.heard('refused', { namespace: '/secret' });
    await echo(talk, '/', 'still here');
  }],
  ['unknown', 'the client asks for a namespace that is not there; / goes on', async (talk) => {
    await talk.open('/');
    talk.join('/nope');
    if (talk.generation !== '09') await talk.heard('refused', { namespace: '/nope' });
    await echo(talk, '/', 'still here');
  }],
  ['binary', 'bytes 00 01 02 fd fe ff in an event (alone, two deep inside, beside é😀), in acks of both sides', async (talk) => {
    await talk.open('/');
    await echo(talk, '/', BYTES);
    await echo(talk, '/', { deep: [BYTES, BOTH, BYTES] });
    await give(talk, '/', BYTES);
    await ask(talk, '/', BYTES);
    await talk.open('/chat');
    await echo(talk, '/chat', BYTES);
  }, { only: MODERN, roads: ['websocket', 'polling', 'xhr2'] }],
  ['mixed', 'text, bytes and é😀 in one turn of the event loop: one payload holds text and bytes', async (talk) => {
    await talk.open('/');
    for (const value of ['first', BYTES, BOTH]) talk.emit('/', 'echo', [value]);
    for (let i = 0; i < 3; i++) await talk.heard('event', { event: 'echo' });
  }, { only: MODERN, roads: ['polling', 'xhr2'] }],
  ['leave', 'the client disconnects /chat; / goes on', async (talk) => {
    await talk.open('/');
    await talk.open('/chat');
    talk.leave('/chat');
    await echo(talk, '/', 'still here');
  }],
  ['kicked', 'the server disconnects /chat, then /', async (talk) => {
    await talk.open('/');
    await talk.open('/chat');
    talk.emit('/chat', 'kick', []);
    await talk.heard('disconnect', { namespace: '/chat' });
    talk.emit('/', 'kick', []);
    await talk.heard('disconnect', { namespace: '/' });
  }],
  ['close', 'the client disconnects / (in 0.9 that is the connection), then closes the connection', async (talk) => {
    await talk.open('/');
    talk.leave('/');
    await talk.pause(0.1);
    talk.close();
  }],
  ['closed', 'the client closes the connection without leaving its namespaces', async (talk) => {
    await talk.open('/');
    await talk.open('/chat');
    talk.close();
  }],
  ['upgrade', 'from polling to websocket, with an event on its way before and after', async (talk) => {
    talk.join('/');
    await talk.heard('connect', {});
    talk.emit('/', 'echo', ['before']);
    await talk.heard('upgraded', {});
    await talk.heard('event', { event: 'echo' });
    await echo(talk, '/', 'after ' + BOTH);
    await echo(talk, '/', BYTES);
  }, { only: MODERN, roads: ['upgrade'] }],
  ['heartbeat', 'nothing happens for 2.5 s; the server\'s heartbeat: every 1 s, given up after 2 s more; its polls (0.9): 1 s', async (talk) => {
    await talk.open('/');
    await talk.pause(2.5);
  }, { times: { interval: 1, timeout: 2, poll: 1 } }]
];

module.exports = { SCENES };
