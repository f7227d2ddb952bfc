// Where a page stands in a console: which attempt, and up to which byte its lines are on the page.
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function logCursor(attempt, next) {
  let asked = null; // the place that was asked for again; a second gap there means those bytes are not to be had

  function take(frame) {
    if (frame.attempt < attempt) return { kind: "old" };
    const fresh = frame.attempt > attempt;
    if (fresh) [attempt, next] = [frame.attempt, 0];
    if (frame.cursor <= next) return { kind: "old", fresh };
    if (frame.offset > next) return gap(frame, fresh);
    return accept(frame, next - frame.offset, fresh);
  }

  function gap(frame, fresh) {
    const place = `${attempt}:${next}`;
    if (asked !== place) {
      asked = place;
      return { kind: "gap", fresh };
    }
    const skipped = frame.offset - next;
    return { ...accept(frame, 0, fresh), skipped };
  }

  function accept(frame, known, fresh) {
    const bytes = known ? encoder.encode(frame.text) : null;
    if (bytes && bytes.length !== frame.cursor - frame.offset) return gap(frame, fresh); // bytes that were not UTF-8
    next = frame.cursor;
    return { kind: "new", text: bytes ? decoder.decode(bytes.subarray(known)) : frame.text, fresh, skipped: 0 };
  }

  return { take, where: () => ({ attempt, log: next }) };
}
