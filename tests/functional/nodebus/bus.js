// Node's side of the bus. Started as `node bus.js redis://...`; one JSON line in is one command, one JSON line out its answer.
// `{"id": 1, "cmd": "emit", "nsp": "/hall", "to": ["room"], "except": [], "args": ["event", 1]}` -> `{"id": 1, "value": null}`
// Values of bytes are `{"$bytes": "<base64>"}` in both directions.
const { createServer } = require('http')
const readline = require('readline')
const { Server } = require('socket.io')
const { createAdapter } = require('@socket.io/redis-adapter')
const { Emitter } = require('@socket.io/redis-emitter')
const { createClient } = require('redis')

const say = line => process.stdout.write(JSON.stringify(line) + '\n')

const unpacked = value => {
  if (Array.isArray(value)) return value.map(unpacked)
  if (value === null || typeof value !== 'object') return value
  if ('$bytes' in value) return Buffer.from(value.$bytes, 'base64')
  if ('$date' in value) return new Date(value.$date)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpacked(one)]))
}

const hall = socket => {
  socket.on('join', (room, done) => { socket.join(room); done() })
  socket.on('shout', (...args) => socket.nsp.emit('shouted', ...args))
  socket.on('tell', (room, ...args) => socket.to(room).emit('told', ...args))
}

// whom: a server's or an emitter's namespace
const meant = (whom, command) => {
  let operator = whom
  for (const room of command.to || []) operator = operator.to(room)
  for (const room of command.except || []) operator = operator.except(room)
  return operator
}

const COMMANDS = {
  emit: (whom, c) => { meant(whom, c).emit(...unpacked(c.args)) },
  join: (whom, c) => { meant(whom, c).socketsJoin(c.rooms) },
  leave: (whom, c) => { meant(whom, c).socketsLeave(c.rooms) },
  disconnect: (whom, c) => { meant(whom, c).disconnectSockets(c.close) },
  servers: whom => whom.adapter.serverCount(),
  rooms: async whom => [...await whom.adapter.allRooms()],
  fetch: async (whom, c) => (await meant(whom, c).fetchSockets()).map(s => ({ id: s.id, rooms: [...s.rooms], address: s.handshake.address })),
  ask: (whom, c) => meant(whom, c).timeout(3000).emitWithAck(...unpacked(c.args)),
}

const main = async url => {
  const connect = () => createClient({ url }).on('error', () => {}).connect()
  const [publishing, subscribing, emitting] = await Promise.all([connect(), connect(), connect()])
  const http = createServer()
  const io = new Server(http, { adapter: createAdapter(publishing, subscribing) })
  const emitter = new Emitter(emitting)
  io.of('/hall').on('connection', hall)
  io.of('/').on('connection', hall)
  http.listen(0, '127.0.0.1', () => say({ port: http.address().port }))
  readline.createInterface({ input: process.stdin }).on('line', async line => {
    const command = JSON.parse(line)
    const whom = (command.emitter ? emitter : io).of(command.nsp)
    try {
      say({ id: command.id, value: await COMMANDS[command.cmd](whom, command) ?? null })
    } catch (error) {
      say({ id: command.id, error: String(error) })
    }
  }).on('close', () => process.exit())
}

main(process.argv[2])
