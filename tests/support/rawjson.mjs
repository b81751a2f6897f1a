// JSON as text: numbers and strings as they are written, members in order.

// Without the blanks between tokens.
export function minify(text) {
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_, string) => string ?? '');
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

// The parts of a minified container, cut at its commas.
function parts(text) {
  const out = [];
  let depth = 0, from = 1;
  if (text.length <= 2) return out;
  TOKEN.lastIndex = 0;
  for (let m; (m = TOKEN.exec(text));) {
    const c = m[0];
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === ',' && depth === 1) {
      out.push(text.slice(from, m.index));
      from = m.index + 1;
    }
  }
  out.push(text.slice(from, -1));
  return out;
}

// [[name, value], ...], both as written; the name without its quotes.
export function members(text) {
  return parts(text).map((part) => {
    const name = /^"((?:[^"\\]|\\.)*)":/.exec(part);
    return [name[1], part.slice(name[0].length)];
  });
}

export const elements = parts;
