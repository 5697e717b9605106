/*
 * What a 1.x or 2.x client has in a browser and lacks under Node: an XMLHttpRequest of level 2, as far as these clients use it, and
 * the browser's half of engine.io-parser (its package.json puts that in place of the other; they differ on the wire). With both it
 * talks as in a browser, with binary bodies and without `b64=1`. Call `lend(client)` before the client is first required.
 */
'use strict';

const http = require('http');
const { createRequire } = require('module');

class XMLHttpRequest {
  constructor () {
    Object.assign(this, { readyState: 0, status: 0, responseType: '', response: null, headers: {}, onreadystatechange: null });
  }

  open (method, url) { Object.assign(this, { method, url, readyState: 1 }); }

  setRequestHeader (name, value) { this.headers[name] = value; }

  setDisableHeaderCheck () {}

  getResponseHeader (name) { return this.answer.headers[name.toLowerCase()]; }

  send (data) {
    if (data instanceof Blob) return data.arrayBuffer().then((bytes) => this.send(bytes));
    const body = data === null || data === undefined ? null : typeof data === 'string' ? data : Buffer.from(data);
    if (body) this.headers['Content-Length'] = Buffer.byteLength(body);
    this.request = http.request(this.url, { method: this.method, headers: this.headers, agent: false }, (answer) => this.answered(answer));
    this.request.on('error', () => this.become(4));
    return this.request.end(body);
  }

  answered (answer) {
    const chunks = [];
    this.answer = answer;
    this.status = answer.statusCode;
    this.become(2);
    answer.on('data', (chunk) => chunks.push(chunk));
    answer.on('end', () => {
      const bytes = Buffer.concat(chunks);
      if (this.responseType === 'arraybuffer') this.response = new Uint8Array(bytes).buffer;
      else this.response = this.responseText = bytes.toString('utf8');
      this.become(4);
    });
  }

  become (state) {
    this.readyState = state;
    if (this.onreadystatechange) this.onreadystatechange();
  }

  abort () {
    this.onreadystatechange = null;
    if (this.request) this.request.destroy();
  }
}

/** Puts `replacement` where `name`, required from `from`, would be. */
function swap (from, name, replacement) {
  const where = from.resolve(name);
  from(where);
  require.cache[where].exports = replacement;
}

function lend (client) {
  const engine = createRequire(createRequire(client).resolve('engine.io-client'));
  swap(engine, 'xmlhttprequest-ssl', XMLHttpRequest);
  swap(engine, 'engine.io-parser', engine('engine.io-parser/lib/browser.js'));
}

module.exports = { lend };
