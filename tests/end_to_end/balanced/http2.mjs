/* A WebSocket as a stream of HTTP/2 (RFC 8441): asks for the page and says hello on one connection, and prints what came. */

import http2 from 'node:http2';

const [address, port] = process.argv.at(-1).split(':');
const session = http2.connect(`https://${address}:${port}`, { rejectUnauthorized: false, servername: 'room.example' });
const authority = { ':scheme': 'https', ':authority': 'room.example' };
const [settings] = await new Promise((resolve, reject) => {
  session.on('remoteSettings', (...all) => resolve(all)).on('error', reject);
});
console.log('extended connect', settings.enableConnectProtocol);
if (settings.enableConnectProtocol) {
  const page = session.request({ ...authority, ':path': '/health' });
  page.on('response', (headers) => console.log('health', headers[':status']));
  const socket = session.request({
    ...authority,
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'chat',
    origin: 'https://room.example',
  });
  socket.on('response', (headers) => {
    console.log('chat', headers[':status'], headers['sec-websocket-protocol']);
    /* A text frame with a key of zeros, which leaves it as it is. */
    const hello = Buffer.from(JSON.stringify({ type: 'hello', name: 'Zoe' }));
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | hello.length, 0, 0, 0, 0]), hello]));
  });
  const [welcome] = await new Promise((resolve) => socket.on('data', (...all) => resolve(all)));
  console.log(welcome.toString().includes('"type":"welcome"') ? 'welcome' : welcome.toString());
}
session.destroy();
