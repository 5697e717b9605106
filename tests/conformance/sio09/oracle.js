// socket.io 0.9.19, with the application of peer.py; tells its port in a line of JSON, and ends with its standard input.

const http = require('http')
const io = require('socket.io')

const server = http.createServer((request, response) => { response.writeHead(404); response.end('no such page') })
const manager = io.listen(server, {
  resource: '/socketio',
  transports: ['websocket', 'flashsocket', 'htmlfile', 'xhr-polling', 'jsonp-polling'],
  origins: '127.0.0.1:* friend.example:*',
  'flash policy server': false,
  'heartbeat interval': 1,
  'heartbeat timeout': 2,
  'close timeout': 2,
  'polling duration': 1,
  log: false,
})

function serve(socket) {
  socket.on('echo', (...values) => socket.emit('echo', ...values.filter(value => typeof value !== 'function')))
  socket.on('give back', (...values) => values.pop()(...values))
  socket.on('ask', () => socket.emit('question', '?', function (first) { socket.emit('answered', ...arguments) }))
  socket.on('later', seconds => setTimeout(() => socket.emit('late'), seconds * 1000))
  socket.on('burst', count => { for (let i = 0; i < count; i++) socket.send(`é😀 ${i}`) })
  socket.on('leave', () => socket.disconnect())
  socket.on('message', (data, ack) => {
    if (ack) ack(data)
    else if (typeof data === 'string') socket.send(data)
    else socket.json.send(data)
  })
}

manager.sockets.on('connection', serve)
manager.of('/chat').on('connection', serve)
manager.of('/other').on('connection', serve)
manager.of('/refusing').authorization((handshake, done) => done(null, false)).on('connection', serve)
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
process.stdin.on('end', () => process.exit()).resume()
