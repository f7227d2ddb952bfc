// The editor of a configuration's text, in place of a text area that keeps its name, its value and its events.
import { completionsAt, indentAfter, keyAt, sentence } from "./config_context.js";
import { leastChange, placesOf } from "./config_findings.js";

const STYLE = {
  "&": { fontSize: "var(--text-s)", color: "var(--ink)", backgroundColor: "light-dark(#fff, var(--sunken))", border: "1px solid var(--control-line)", borderRadius: "var(--radius-s)", minHeight: "16rem", maxHeight: "36rem" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "0" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto", borderRadius: "inherit" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.4rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--ink-3)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 26%, transparent)" },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--mark) 45%, transparent)" },
  ".cm-searchMatch": { backgroundColor: "var(--mark)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius-s)", boxShadow: "var(--shadow-raised)", fontFamily: "var(--sans)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "14rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal" },
  ".cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionInfo": { maxWidth: "22rem", padding: "0.5rem 0.65rem" },
  ".cm-help": { maxWidth: "26rem", padding: "0.45rem 0.65rem" },
  ".cm-help p": { margin: "0" },
  ".cm-diagnostic": { padding: "0.4rem 0.65rem", maxWidth: "30rem" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--tone-failed)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--tone-waiting)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--surface)", backgroundImage: "none", color: "var(--ink)", border: "1px solid var(--control-line)", borderRadius: "var(--radius-s)" },
};

const colours = ({ tags }) => [
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--series-3)" },
  { tag: tags.content, color: "var(--series-2)" },
  { tag: [tags.punctuation, tags.separator, tags.bracket, tags.squareBracket, tags.brace], color: "var(--ink-2)" },
];

// `cm` is the vendored CodeMirror. In a shadow root its styles are adopted sheets, which the page's policy allows.
export function createEditor(area, cm, { schema, names, onRest, onKey, restMs = 350 }) {
  const host = document.createElement("div");
  host.className = "editor";
  area.before(host);
  area.hidden = true;
  const root = host.attachShadow({ mode: "open" });
  let timer = 0;
  const view = new cm.EditorView({ doc: area.value, parent: root, root, extensions: extensions(cm, { schema, names, label: area.labels[0]?.textContent ?? "YAML", changed }) });
  area.labels[0]?.addEventListener("click", () => view.focus());
  // Once the caller has what this function returns.
  timer = setTimeout(rest);

  function changed(update) {
    if (update.docChanged) {
      area.value = update.state.doc.toString();
      area.dispatchEvent(new Event("input", { bubbles: true }));
      clearTimeout(timer);
      timer = setTimeout(rest, restMs);
    }
    if (update.docChanged || update.selectionSet) onKey(keyAt(schema, text(), view.state.selection.main.head));
  }

  function rest() {
    onRest(text());
  }

  function text() {
    return view.state.doc.toString();
  }

  return {
    text,
    // Only what differs is changed, so that the cursor and what can be undone stay.
    replace(after) {
      const change = leastChange(text(), after);
      if (change.from !== change.to || change.insert) view.dispatch({ changes: change, userEvent: "input" });
    },
    // Another text altogether, read from its first line.
    begin(text) {
      this.replace(text);
      view.dispatch({ selection: { anchor: 0 }, scrollIntoView: true });
      view.focus();
    },
    mark(findings) {
      view.dispatch(cm.setDiagnostics(view.state, placesOf(findings, text())));
    },
  };
}

function extensions(cm, { schema, names, label, changed }) {
  const complete = (context) => {
    const found = completionsAt(schema, context.state.doc.toString(), context.pos, names());
    return found && (context.explicit || context.matchBefore(/[\w:] ?/)) ? { ...found, validFor: /^[^\s:]*$/ } : null;
  };
  return [
    cm.lineNumbers(), cm.foldGutter(), cm.lintGutter(), cm.highlightActiveLine(), cm.highlightActiveLineGutter(), cm.highlightSpecialChars(),
    cm.history(), cm.drawSelection(), cm.indentOnInput(), cm.indentUnit.of("  "), cm.bracketMatching(), cm.closeBrackets(),
    cm.highlightSelectionMatches(), cm.search({ top: true }), cm.autocompletion({ override: [complete], icons: false }),
    cm.hoverTooltip((view, position) => help(schema, view.state.doc.toString(), position)),
    cm.EditorView.domEventHandlers({ beforeinput: (event, view) => typeOver(cm, event, view) }),
    // Tab leaves the editor, as it leaves every field.
    cm.keymap.of([{ key: "Enter", run: newLine }, ...cm.closeBracketsKeymap, ...cm.defaultKeymap, ...cm.searchKeymap, ...cm.historyKeymap, ...cm.foldKeymap, ...cm.completionKeymap, ...cm.lintKeymap]),
    cm.yaml(), cm.syntaxHighlighting(cm.HighlightStyle.define(colours(cm))), cm.EditorView.theme(STYLE),
    cm.EditorView.contentAttributes.of({ "aria-label": label }), cm.EditorView.updateListener.of(changed),
  ];
}

function newLine(view) {
  const { from, to } = view.state.selection.main;
  const line = view.state.doc.lineAt(from);
  const insert = `\n${" ".repeat(indentAfter(line.text.slice(0, from - line.from)))}`;
  view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, scrollIntoView: true, userEvent: "input" });
  return true;
}

// Chromium would carry the colour of what is typed over into an inline style, which the page's policy forbids.
function typeOver(cm, event, view) {
  const { main, ranges } = view.state.selection;
  if (event.inputType !== "insertText" || event.data === null || main.empty || ranges.length > 1 || view.composing) return false;
  event.preventDefault();
  const typed = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  const handlers = view.state.facet(cm.EditorView.inputHandler);
  if (!handlers.some((handler) => handler(view, main.from, main.to, event.data, typed))) view.dispatch(typed());
  return true;
}

function help(schema, text, position) {
  const key = keyAt(schema, text, position);
  if (!key || position < key.from || position > key.to) return null;
  return { pos: key.from, end: key.to, above: true, create: () => ({ dom: helpNode(key) }) };
}

export function helpNode(key) {
  const dom = document.createElement("div");
  dom.className = "cm-help";
  for (const words of [key.help, sentence(key)]) dom.append(Object.assign(document.createElement("p"), { textContent: words }));
  return dom;
}
