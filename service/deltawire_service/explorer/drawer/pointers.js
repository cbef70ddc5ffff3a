// Writes JSON for people to read, and finds the line of a JSON pointer or of an error in it.

// Keeps numbers and short values on one line.
export function written(value, indent = "") {
  const short = JSON.stringify(value);
  if (value === null || typeof value !== "object" || short.length + indent.length <= 88) return spaced(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) return `[\n${value.map((one) => inner + written(one, inner)).join(",\n")}\n${indent}]`;
  const members = Object.entries(value).map(([key, one]) => `${inner}${JSON.stringify(key)}: ${written(one, inner)}`);
  return `{\n${members.join(",\n")}\n${indent}}`;
}

function spaced(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${spaced(one)}`).join(", ")}}`;
}

// Returns the line, from 1, where the value at a JSON pointer begins; where it is missing, the line of the nearest parent.
export function lineOf(text, pointer) {
  const target = pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  let at = 0, best = { depth: -1, at: 0 };
  const skip = () => { while (/\s/.test(text[at])) at += 1; };
  const string = () => {
    const start = at;
    at += 1;
    while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    at += 1;
    return JSON.parse(text.slice(start, at));
  };
  const value = (path) => {
    skip();
    const leads = path.length <= target.length && path.every((part, i) => part === target[i]);
    if (leads && path.length > best.depth) best = { depth: path.length, at };
    if (text[at] === "{" || text[at] === "[") {
      const object = text[at] === "{";
      at += 1; skip();
      for (let i = 0; text[at] !== "}" && text[at] !== "]"; i += 1) {
        let key = String(i);
        if (object) { key = string(); skip(); at += 1; }
        value([...path, key]);
        skip();
        if (text[at] === ",") { at += 1; skip(); }
      }
      at += 1;
    } else if (text[at] === '"') string();
    else while (at < text.length && !/[\s,\]}]/.test(text[at])) at += 1;
  };
  value([]);
  return text.slice(0, best.at).split("\n").length;
}

// Returns the line, from 1, of an error of JSON.parse; browsers word it differently.
export function lineOfError(text, error) {
  const line = /line (\d+)/.exec(error.message);
  if (line) return Number(line[1]);
  const position = /position (\d+)/.exec(error.message);
  return position ? text.slice(0, Number(position[1])).split("\n").length : text.split("\n").length;
}
