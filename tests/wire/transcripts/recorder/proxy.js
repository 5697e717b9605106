/*
 * A proxy that writes down a conversation, in the notation of ../README.txt.
 *
 *   const proxy = record(port)      stands before a server on that port
 *   proxy.listen(ready)             `ready` gets the proxy's own port
 *   proxy.lines                     the lines so far
 *
 * HTTP bodies are collected whole. Websocket extensions are struck out of the handshake, so that frames can be read.
 */
'use strict';

const http = require('http');
const net = require('net');

const PAUSE = 0.4; // seconds without a line that are written down as passing time; anything shorter is the machine's own slowness
const HOP = ['connection', 'transfer-encoding', 'keep-alive'];

class Recording {
  constructor () {
    this.lines = [];
    this.requests = 0;
    this.sids = [];
    this.last = null;
  }

  say (line) {
    const now = Date.now() / 1000;
    if (this.last !== null && now - this.last >= PAUSE) this.lines.push(`~ ${(now - this.last).toFixed(1)}`);
    this.last = now;
    this.lines.push(line);
  }

  /** Lines with the ids of sessions replaced; by something of the same length, for lengths are counted on the wire. */
  finished () {
    const named = (text, sid, i) => {
      const name = `SID${i + 1}`.padEnd(sid.length, '_');
      return text.replaceAll(sid, name).replaceAll(hex(sid), hex(name));
    };
    return this.lines.map((line) => this.sids.reduce(named, line).replace(/([?&]t=)[^& ]+/, '$1T'));
  }

  /** Keeps the ids of sessions that the server gives: {"sid":"..."}, or 0.9's answer to the handshake. */
  learn (text) {
    for (const pattern of [/"sid":"([^"]+)"/g, /^([\w-]{15,}):\d*:\d*:/g]) {
      for (const [, sid] of text.matchAll(pattern)) if (!this.sids.includes(sid)) this.sids.push(sid);
    }
  }

  body (arrow, bytes, type) {
    const text = bytes.toString('utf8');
    if (!bytes.length) return;
    this.learn(text);
    if (/octet-stream/.test(type) || !Buffer.from(text, 'utf8').equals(bytes)) return this.say(`${arrow}|b ${bytes.toString('hex')}`);
    this.say(`${arrow}| ${quoted(text)}`);
  }

  message (arrow, message) {
    if (message.close !== undefined) return this.say(`${arrow}x ${message.close}`.trim());
    if (message.bytes) return this.say(`${arrow}b ${message.bytes.toString('hex')}`);
    this.learn(message.text);
    this.say(`${arrow} ${message.text}`);
  }
}

function hex (text) { return Buffer.from(text).toString('hex'); }

/** JSON, with everything escaped that is invisible or that some program takes for the end of a line. */
function quoted (text) {
  return JSON.stringify(text).replace(/[\u007f-\u00a0\u00ad\u2028\u2029]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

// ----------------------------------------------------------------------------------------------------------------------- HTTP

function collected (stream, done) {
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('end', () => done(Buffer.concat(chunks)));
}

function headed (...words) { return words.filter(Boolean).join(' '); }

function forward (recording, port, request, response) {
  const number = `#${++recording.requests}`;
  collected(request, (body) => {
    const type = request.headers['content-type'];
    recording.say(headed('>', request.method, request.url, type, number));
    recording.body('>', body, type);
    const { method, url: path, headers } = request;
    const onward = http.request({ port, method, path, headers: Object.assign({}, headers, { connection: 'close' }), agent: false });
    onward.on('error', () => response.destroy());
    onward.on('response', (answer) => collected(answer, (bytes) => {
      const said = answer.headers['content-type'];
      recording.say(headed('<', answer.statusCode, said, number));
      recording.body('<', bytes, said);
      const kept = Object.entries(answer.headers).filter(([name]) => !HOP.includes(name));
      response.writeHead(answer.statusCode, Object.fromEntries(kept)).end(bytes);
    }));
    response.on('close', () => {
      if (response.writableFinished) return;
      recording.say(`>x ${number}`);
      onward.destroy();
    });
    onward.end(body);
  });
}

// ------------------------------------------------------------------------------------------------------------------- websocket

/** Takes bytes of one direction, gives its messages: {text} or {bytes} or {close: code or ''}. */
class Frames {
  constructor (tell) {
    this.tell = tell;
    this.buffer = Buffer.alloc(0);
    this.parts = [];
  }

  push (chunk) {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    while (this.frame());
  }

  frame () {
    const b = this.buffer;
    if (b.length < 2) return false;
    const short = b[1] & 127;
    const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
    const masked = b[1] & 128 ? 4 : 0;
    if (b.length < 2 + wide + masked) return false;
    const length = wide === 2 ? b.readUInt16BE(2) : wide === 8 ? Number(b.readBigUInt64BE(2)) : short;
    const start = 2 + wide + masked;
    if (b.length < start + length) return false;
    const mask = b.subarray(2 + wide, start);
    const data = Buffer.from(b.subarray(start, start + length)).map((byte, i) => (masked ? byte ^ mask[i % 4] : byte));
    this.buffer = b.subarray(start + length);
    this.take(b[0] & 15, Boolean(b[0] & 128), data);
    return true;
  }

  take (opcode, last, data) {
    if (opcode === 8) return this.tell({ close: data.length >= 2 ? data.readUInt16BE(0) : '' });
    if (opcode > 8) return null; // pings and pongs of the framing
    if (opcode) this.opcode = opcode;
    this.parts.push(data);
    if (!last) return null;
    const whole = Buffer.concat(this.parts.splice(0));
    return this.tell(this.opcode === 1 ? { text: whole.toString('utf8') } : { bytes: whole });
  }
}

function upgrade (recording, port, request, client, early) {
  const number = `#${++recording.requests}`;
  recording.say(headed('>', request.method, request.url, number));
  const server = net.connect(port, '127.0.0.1');
  const heads = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (!/^sec-websocket-extensions$/i.test(request.rawHeaders[i])) heads.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`);
  }
  server.write(`${request.method} ${request.url} HTTP/1.1\r\n${heads.join('')}\r\n`);
  const said = new Frames((message) => recording.message('>', message));
  const heard = new Frames((message) => recording.message('<', message));
  relay(client, server, (chunk) => said.push(chunk));
  relay(server, client, answered(recording, number, (chunk) => heard.push(chunk)));
  if (early.length) client.unshift(early);
}

/** Hands on to `frames` what comes after the head of the server's answer. */
function answered (recording, number, frames) {
  let head = Buffer.alloc(0);
  let done = false;
  return (chunk) => {
    if (done) return frames(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return null;
    done = true;
    recording.say(`< ${/ (\d+)/.exec(head.toString('latin1'))[1]} ${number}`);
    return frames(head.subarray(end + 4));
  };
}

function relay (from, to, tap) {
  from.on('data', (chunk) => { tap(chunk); to.write(chunk); });
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

function record (port) {
  const recording = new Recording();
  const server = http.createServer((request, response) => forward(recording, port, request, response));
  server.on('upgrade', (request, socket, early) => upgrade(recording, port, request, socket, early));
  recording.listen = (ready) => server.listen(0, '127.0.0.1', () => ready(server.address().port));
  return recording;
}

module.exports = { record };
