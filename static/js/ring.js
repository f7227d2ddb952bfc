// The newest lines of a console in chunks, each known by its number since the beginning. Pure: no page in here.
export const CHUNK_LINES = 200;
export const MOST_PLACES = 10_000;

export function createRing(limit = 20_000) {
  let chunks = []; // { first, lines: [{ text, spans, level }] }
  let total = 0;

  // Returns { grown: chunks with new lines, dropped: chunks that left }.
  function push(lines) {
    const grown = [];
    total += Math.max(0, lines.length - limit); // those would be dropped at once
    if (lines.length > limit) chunks.forEach((chunk) => { chunk.full = true; });
    for (const line of lines.slice(-limit)) {
      let chunk = chunks.at(-1);
      if (!chunk || chunk.full || chunk.lines.length >= CHUNK_LINES) chunks.push((chunk = { first: total, lines: [], full: false }));
      if (grown.at(-1) !== chunk) grown.push(chunk);
      chunk.lines.push(line);
      total += 1;
    }
    return { grown, dropped: shrink() };
  }

  function shrink() {
    let held = size();
    let count = 0;
    while (held - chunks[count]?.lines.length >= limit) held -= chunks[count++].lines.length;
    return chunks.splice(0, count);
  }

  const size = () => chunks.reduce((sum, chunk) => sum + chunk.lines.length, 0);

  // The places of `words`, whatever the case: [{ chunk, row, start }], oldest first; of too many the newest.
  function search(words, most = MOST_PLACES) {
    const found = [];
    const wanted = words.toLowerCase();
    for (let at = chunks.length - 1; wanted && at >= 0 && found.length < most; at--) {
      const chunk = chunks[at];
      for (let row = chunk.lines.length - 1; row >= 0; row--) {
        for (const start of places(chunk.lines[row].text, wanted).reverse()) found.push({ chunk, row, start });
      }
    }
    return found.slice(0, most).reverse();
  }

  return { push, search, size, total: () => total, chunks: () => chunks, clear: () => { chunks = []; total = 0; } };
}

export function places(text, wanted) {
  const lower = text.toLowerCase();
  const starts = [];
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) starts.push(at);
  return starts;
}
