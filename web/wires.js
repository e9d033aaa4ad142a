/* The transports: a WebSocket; and, in requests.js, which is loaded where that does not work, server-sent events and long polling.
   Each carries the frames of docs/protocol.md, so that what stands on it need not know which one it is. */
'use strict';

const SECOND = 1000;

/**
 * `open()` is called when frames can be sent, `heard(frame)` for each that comes, `sign()` for any other sign of
 * life, `lost(code)` once, at the end.
 */
class SocketWire {
  constructor(base, { open, heard, sign, lost }) {
    const socket = new WebSocket(new URL('chat', base.href.replace(/^http/, 'ws')), 'chat');
    this.socket = socket;
    socket.onopen = open;
    socket.onmessage = ({ data }) => {
      sign();
      try {
        heard(JSON.parse(data));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    };
    socket.onclose = ({ code }) => lost(code);
  }

  send(frame) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Lets go without waiting for the end: a dead circuit never answers. */
  close() {
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }
}

/** From the best to the one that always goes, with what the guest is told. */
const WIRES = [{ Wire: SocketWire, name: '' }];
