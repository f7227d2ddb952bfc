// Small stand-ins for what a browser gives: a clock, sockets, elements.
export function fakeClock() {
  let time = 0;
  let timers = [];
  return {
    now: () => time,
    later: (callback, delay = 0) => { timers.push({ at: time + delay, callback }); },
    pending: () => timers.map(({ at }) => at - time).sort((a, b) => a - b),
    advance(by) {
      const end = time + by;
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((timer) => timer !== next);
        time = next.at;
        next.callback();
      }
      time = end;
    },
  };
}

export function fakeSockets() {
  const opened = [];
  class Socket {
    constructor(url) {
      this.url = url;
      this.sent = [];
      this.readyState = 0;
      opened.push(this);
    }

    send(text) { this.sent.push(JSON.parse(text)); }
    close() { this.readyState = 3; this.onclose?.({ code: 1000 }); }
    open() { this.readyState = 1; this.onopen(); }
    say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
    break(code = 1006) { this.readyState = 3; this.onclose({ code }); }
  }
  return { Socket, opened, last: () => opened.at(-1) };
}

class FakeElement {
  constructor(tag) {
    Object.assign(this, { tag, className: "", nodes: [], attributes: {}, listeners: {}, scrollTop: 0, clientHeight: 100, offsetHeight: 0 });
  }

  append(...nodes) { this.nodes.push(...nodes); }
  replaceChildren(...nodes) { this.nodes = nodes; }
  setAttribute(name, value) { this.attributes[name] = value; }
  getAttribute(name) { return this.attributes[name]; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  fire(name, event = {}) { this.listeners[name](event); }
  get textContent() { return this.nodes.map((node) => (typeof node === "string" ? node : node.textContent)).join(""); }
  set textContent(text) { this.nodes = text === "" ? [] : [text]; }
  get scrollHeight() { return this.height ?? 100; }
}

export const fakePage = { createElement: (tag) => new FakeElement(tag) };

// An element whose parts, found by [data-…], are made when they are first asked for.
export function fakeRoot() {
  const parts = {};
  return { parts, querySelector: (selector) => (parts[selector.slice(1, -1)] ??= new FakeElement("div")) };
}
