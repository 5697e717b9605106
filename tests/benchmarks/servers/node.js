// Node's socket.io, the reference: node node.js PORT
const { Server } = require("socket.io");
const io = new Server(+process.argv[2], { allowEIO3: true, serveClient: false, perMessageDeflate: false });
io.on("connection", (socket) => {
  socket.on("ping", (data, ack) => ack(data));
  socket.on("fireball", () => {
    for (let i = 0; i < 10; i++) socket.emit("pong", { type: "pong", n: i });
  });
  socket.on("join", (data, ack) => {
    socket.join("room");
    ack();
  });
  socket.on("pub", (data) => io.to("room").emit("news", data));
});
