// One websocket that comes back by itself. `hello()` is sent at every opening and says where to go on;
// `onFrame` gets each parsed frame. Returns { send, close }.
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const SIGNED_OUT = 4401;
const NOT_ALLOWED = [4403, 4404];

export function socketUrl(path, page = location.href) {
  const url = new URL(path, page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export function openStream(url, { hello, onFrame, onLink = () => {}, onRefused = () => {}, Socket = WebSocket, wait = setTimeout }) {
  let socket;
  let failures = 0;
  let closed = false;

  function connect() {
    if (closed) return;
    socket = new Socket(url);
    socket.onopen = () => {
      const first = hello?.();
      if (first) socket.send(JSON.stringify(first));
      onLink("live");
    };
    socket.onmessage = (message) => {
      failures = 0;
      onFrame(JSON.parse(message.data));
    };
    socket.onclose = (event) => {
      if (closed) return;
      if ([SIGNED_OUT, ...NOT_ALLOWED].includes(event?.code)) {
        onLink("off");
        onRefused(event.code);
        return;
      }
      onLink("reconnecting");
      wait(connect, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++));
    };
  }

  connect();
  return {
    send: (data) => { if (socket.readyState === 1) socket.send(JSON.stringify(data)); },
    close: () => { closed = true; socket.close(); },
  };
}
