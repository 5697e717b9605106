/*
 * Records the transcripts: real clients, real servers, a proxy between.
 *
 *   ORACLES=/some/folder node record.js              all; see oracles.js for what must be in the folder
 *   ORACLES=/some/folder node record.js 1 polling    one generation of client (09 1 2 3 4), one road (websocket polling xhr2 upgrade)
 *
 * A road has its own process, for a client once loaded keeps its XMLHttpRequest. The clients are those of tests/functional/clients
 * (`npm ci --ignore-scripts` there).
 */
'use strict';

const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

const CLIENTS = path.join(__dirname, '../../../functional/clients');
const { GENERATIONS } = require(path.join(CLIENTS, 'generations.js'));
const { SERVERS, RESOURCE, serve } = require('./oracles.js');
const { SCENES } = require('./scenes.js');
const { record } = require('./proxy.js');

const ROADS = ['websocket', 'polling', 'xhr2', 'upgrade'];
const SERVER_OF = { '09': '09', 1: '1', 2: '2', 3: '4', 4: '4' };
const POLLING = { '09': 'xhr-polling' };
const QUIET = 0.15; // seconds without news after which a scene is over
const PATIENCE = 8; // seconds for one happening; then the scene has failed

function transports (generation, road) {
  const polling = POLLING[generation] || 'polling';
  return { websocket: ['websocket'], polling: [polling], xhr2: [polling], upgrade: [polling, 'websocket'] }[road];
}

/** The client of one scene. */
class Talk {
  constructor (generation, road, url) {
    Object.assign(this, { generation, url, news: [], namespaces: {}, replies: {} });
    this.options = { path: RESOURCE, transports: transports(generation, road), reconnect: false };
  }

  hear (kind, fields, ack) {
    this.news.push(Object.assign({ kind }, fields));
    if (ack && this.replies[fields.event]) ack(...this.replies[fields.event]);
  }

  join (namespace, options) {
    const all = Object.assign({}, this.options, options);
    if (!this.engine) this.engine = GENERATIONS[this.generation].open(this.url, all, (kind, fields) => this.hear(kind, fields));
    const hear = (kind, fields, ack) => this.hear(kind, Object.assign({ namespace }, fields), ack);
    this.namespaces[namespace] = this.engine.join(namespace, all, hear);
  }

  async open (namespace, options) {
    this.join(namespace, options);
    await this.heard('connect', { namespace });
    await this.pause(QUIET);
  }

  emit (namespace, event, args, ack) { this.namespaces[namespace].emit(event, args, ack ? () => this.hear('ack', {}) : null); }

  send (namespace, data, options = {}, ack) { this.namespaces[namespace].send(data, options, ack ? () => this.hear('ack', {}) : null); }

  reply (event, values) { this.replies[event] = values; }

  leave (namespace) { this.namespaces[namespace].disconnect(); }

  close () { this.engine.close(); }

  pause (seconds) { return new Promise((resolve) => setTimeout(resolve, seconds * 1000)); }

  async heard (kind, fields) {
    for (let waited = 0; waited < PATIENCE; waited += 0.01) {
      const place = this.news.findIndex((one) => one.kind === kind && Object.entries(fields).every(([key, value]) => one[key] === value));
      if (place >= 0) return this.news.splice(place, 1)[0];
      await this.pause(0.01);
    }
    throw new Error(`no ${kind} ${JSON.stringify(fields)}; seen: ${JSON.stringify(this.news)}`);
  }
}

function heading (generation, road, title) {
  const client = `socket.io-client ${GENERATIONS[generation].version()}`;
  const server = `socket.io ${SERVERS[SERVER_OF[generation]].version}`;
  const words = { xhr2: 'polling, as in a browser (XMLHttpRequest 2)', upgrade: 'polling, then websocket' };
  return `# ${client}, ${server}, ${words[road] || road}: ${title}`;
}

async function play (generation, road, [name, title, scene, { times } = {}]) {
  const port = await new Promise((resolve) => serve(SERVER_OF[generation], times, 0, resolve));
  const recording = record(port);
  const at = await new Promise((resolve) => recording.listen(resolve));
  const talk = new Talk(generation, road, `http://127.0.0.1:${at}`);
  await scene(talk);
  await talk.pause(QUIET);
  const folder = path.join(__dirname, '..', 'sio' + generation);
  fs.mkdirSync(folder, { recursive: true });
  const lines = [heading(generation, road, title), ...recording.finished()];
  fs.writeFileSync(path.join(folder, road === name ? `${name}.txt` : `${road}-${name}.txt`), lines.join('\n') + '\n');
  talk.close();
}

function played (generation, road) {
  return SCENES.filter(([, , , { only, roads } = {}]) => (only || SUITABLE[road]).includes(generation) &&
    (roads || ['websocket', 'polling']).includes(road) && SUITABLE[road].includes(generation));
}

const ALL = Object.keys(GENERATIONS);
const SUITABLE = { websocket: ALL, polling: ALL, xhr2: ['1', '2'], upgrade: ['1', '2', '3', '4'] };

async function main (generation, road) {
  if (road === 'xhr2') require('./xhr2.js').lend(path.join(CLIENTS, 'node_modules', 'sio' + generation, 'package.json'));
  for (const scene of played(generation, road)) {
    try {
      await play(generation, road, scene);
    } catch (error) {
      console.error(`${generation} ${road} ${scene[0]}: ${error.stack}`);
      process.exitCode = 1;
    }
  }
  process.exit();
}

const [generation, road] = process.argv.slice(2);
if (road) {
  main(generation, road);
} else {
  const chosen = ROADS.flatMap((r) => SUITABLE[r].filter((g) => !generation || g === generation).map((g) => [g, r]));
  for (const pair of chosen) {
    const child = spawnSync(process.execPath, ['--no-deprecation', __filename, ...pair], { stdio: 'inherit' });
    if (child.status) process.exitCode = 1;
  }
}
