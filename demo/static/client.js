// Five generations of clients behind one face; what differs among them is all in this file.
//
//   connect('/lobby', {client: '2.x', transport: 'polling', tell, moved})   ->   {on, emit, close, transport}
//
// `tell(state, words)` hears how the connection fares: connected, disconnected or reconnecting; `moved()` that it has
// another transport now. An empty `transport` is the client's own choice. `io` is what its script calls itself.

export function connect(namespace, { io = window.io, client, transport, tell, moved }) {
  let closed = false; // what it still has to say after that is nobody's any more
  const heard = (handler = () => {}) => (...args) => closed || handler(...args);
  const options = { io, client, transport, tell: heard(tell), moved: heard(moved) };
  const { on, close, ...rest } = (client === '0.9' ? oldest : modern)(namespace, options);
  return {
    ...rest,
    on: (event, handler) => on(event, heard(handler)),
    close() {
      closed = true;
      close();
    },
  };
}

/** 1.x to 4.x. */
function modern(namespace, { io, client, transport, tell, moved }) {
  const socket = io(namespace, {
    path: '/socketio',
    query: { client },
    transports: transport ? [transport] : ['polling', 'websocket'],
    forceNew: true,
    reconnectionDelayMax: 4000,
  });
  const over = () => socket.io.engine.transport.name;
  socket.io.on('open', () => socket.io.engine.on('upgrade', () => {
    tell('connected', 'upgraded to websocket');
    moved();
  }));
  socket.io.on('reconnect_attempt', attempt => tell('reconnecting', `reconnecting, attempt ${attempt}`));
  socket.on('connect', () => tell('connected', `connected by ${over()}`));
  socket.on('disconnect', reason => tell('disconnected', `disconnected: ${reason}`));
  return {
    on: (event, handler) => socket.on(event, handler),
    emit: (...args) => socket.emit(...args),
    close: () => socket.close(),
    transport: over,
  };
}

/** 0.9. */
function oldest(namespace, { io, client, transport, tell }) {
  const names = { websocket: ['websocket'], polling: ['xhr-polling'] };
  const socket = io.connect(namespace, {
    resource: 'socketio',
    query: `client=${client}`,
    transports: names[transport] ?? ['websocket', 'xhr-polling'],
    'force new connection': true,
    'reconnection limit': 4000, // milliseconds
    'max reconnection attempts': Infinity,
  });
  const over = () => socket.socket.transport?.name.replace('xhr-', '');
  socket.on('reconnecting', (delay, attempt) => tell('reconnecting', `reconnecting, attempt ${attempt}`));
  socket.on('connect', () => tell('connected', `connected by ${over()}`));
  socket.on('disconnect', () => tell('disconnected', 'disconnected'));
  socket.on('connect_failed', () => tell('disconnected', 'no transport could connect'));
  return {
    on: (event, handler) => socket.on(event, handler),
    emit: (...args) => socket.emit(...args),
    close: () => socket.socket.disconnect(),
    transport: over,
  };
}
