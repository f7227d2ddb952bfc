// A command line as nodes: each option with its value is one piece, so that a line is not broken within it.
export function optionNodes(command, page = document) {
  return command.split(/ (?=--)/).flatMap((text, index) => {
    const piece = page.createElement("span");
    piece.textContent = text;
    return index ? [" ", piece] : [piece];
  });
}
