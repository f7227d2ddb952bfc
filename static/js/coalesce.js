// Calls `work` at once when it has rested, else once when `delay` has passed: the first news is never late,
// and a flood costs one call per interval. `later(callback, delay)` and `now()` come from outside.
export function coalesce(work, { delay, later = setTimeout, now = () => performance.now() }) {
  let last = -Infinity;
  let waiting = false;

  function call() {
    waiting = false;
    last = now();
    work();
  }

  return function ask() {
    if (waiting) return;
    const rest = last + delay - now();
    if (rest <= 0) return call();
    waiting = true;
    later(call, rest);
  };
}

// A frame when the page is seen; hidden pages get none, yet must not gather news for hours.
export const nextFrame = (callback) => (document.hidden ? setTimeout(callback, 200) : requestAnimationFrame(callback));
