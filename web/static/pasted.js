// The rules about the text of one value, without a page. The server has the same
// ones (internal/config/looks.go and clean.go) and decides; these say at once
// what it would say later. internal/config/testdata/pastes.json holds both to
// the same answers, word for word.

const invisible = new Map([
  [0x00ad, "soft hyphen"], [0x061c, "Arabic letter mark"], [0x180e, "Mongolian vowel separator"], [0x200b, "zero width space"],
  [0x200c, "zero width non-joiner"], [0x200d, "zero width joiner"], [0x200e, "left-to-right mark"], [0x200f, "right-to-left mark"],
  [0x202a, "left-to-right embedding"], [0x202b, "right-to-left embedding"], [0x202c, "pop directional formatting"],
  [0x202d, "left-to-right override"], [0x202e, "right-to-left override"], [0x2060, "word joiner"], [0x2066, "left-to-right isolate"],
  [0x2067, "right-to-left isolate"], [0x2068, "first strong isolate"], [0x2069, "pop directional isolate"], [0xfeff, "byte order mark"],
]);

const codePoint = (c) => `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

// clean is the text as saving keeps it, with what was taken off.
export function clean(text) {
  const removed = new Set();
  const seen = [...text].filter((c) => {
    const name = invisible.get(c.codePointAt(0));
    if (name) removed.add(`${codePoint(c)} ${name}`);
    return !name;
  });
  const isSpace = (c) => /\p{White_Space}/u.test(c);
  let from = 0;
  let to = seen.length;
  while (from < to && isSpace(seen[from])) from++;
  while (to > from && isSpace(seen[to - 1])) to--;
  return { text: seen.slice(from, to).join(""), trimmed: seen.length - (to - from), removed: [...removed] };
}

// said is a cleaning in sentences.
export function said({ trimmed, removed }) {
  const out = [];
  if (trimmed === 1) out.push("1 white-space character was trimmed off its ends.");
  if (trimmed > 1) out.push(`${trimmed} white-space characters were trimmed off its ends.`);
  if (removed.length) out.push(`Invisible characters were removed: ${removed.join(", ")}.`);
  return out.join(" ");
}

const withLabel = /^(?:(?:bearer|basic)[ :]+[^ ]|(?:export )?["'{ ]*(?:[a-z0-9]+[_ .-])*(?:oauth|client|consumer|app|application|api|access|refresh|secret)?[_ -]?(?:id|key|secret|token)["' ]*[:=] *[^ =])/i;
const address = /^https?:\/\/|^www\.|[?&](?:client_id|client_secret|redirect_uri|state|code)=/i;
const placeholders = [
  /^[[<{($%# ]*(?:your[a-z _-]*|(?:insert|enter|replace|paste)[ _-][a-z _-]*)(?:id|key|secret|token|value|password|credentials|here)[\]>})$%# ]*$/i,
  /^[[<{($%# ]*(?:(?:oauth|app|application|api|client|consumer)[ _-]?)?(?:id|key|secret|token|value|password)[\]>})$%# ]*$/i,
  /^[[<{($%# ]*(?:change[ _-]?(?:me|it|this)|place[ _-]?holder|to[ _-]?do|tbd|tba|fix[ _-]?me|redacted|hidden|undefined|null|none|nil|n\/a|example|dummy)[\]>})$%# ]*$/i,
  /^[x._-]*xxx[x._-]*$/i,
  /^0[0-]{7,}$/,
  /^(?:<[^<>]*>|\{\{[^{}]*\}\}|\$\{[^{}]*\}|\[[^[\]]*\])$/,
];
const masked = /[*•●∙⋅·▪■]{3}/;
const shortened = /(?:…|\.\.\.)$/;
const percent = /^(?:[A-Za-z0-9_.~!*'()+-]|%[0-9A-Fa-f]{2})*$/;
const base64 = /^[A-Za-z0-9+/_-]{16,}={0,2}$/;
const quotes = "\"'`“”„‟‘’‚‛«»‹›";
const dashes = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uFE58\uFE63\uFF0D";
const lineBreak = /[\n\r\v\f\u0085\u2028\u2029]/;
const copyAgain = "Copy it again, alone, from the provider's page.";

const doubt = (kind, found, remedy) => ({ kind, found, remedy });

// look is what is odd about a text. use is what it is for: "id", "secret",
// "field", or "own" for a key of which nothing is known.
export function look(text, use) {
  if (text === "") return [];
  const c = clean(text);
  const out = [];
  if (c.removed.length) out.push(doubt("invisible-character", `It holds invisible characters: ${c.removed.join(", ")}.`, "Nothing is removed from a key of your own: type the value again if they do not belong to it."));
  if (c.trimmed) out.push(doubt("space-around", "It begins or ends with white space.", "Nothing is removed from a key of your own: type the value again if that does not belong to it."));
  if (use === "own") return out;
  const other = another(c.text, use);
  return out.concat(other ?? odd(c.text, use));
}

function another(text, use) {
  if (masked.test(text)) return doubt("placeholder", "It holds asterisks or bullets, as a page shows in place of a value.", "Have the provider's page show the value first, then copy it.");
  if (shortened.test(text)) return doubt("placeholder", "It ends in dots, as a shortened value does.", "Have the provider's page show the whole value, then copy it.");
  if (placeholders.some((p) => p.test(text))) return doubt("placeholder", "It is a placeholder of a guide or an example.", "Put in the value that the provider's page shows for your app.");
  if (use === "field") return null;
  if (address.test(text)) return doubt("web-address", "It is a web address, or a part of one.", "Copy the value alone. If this provider's values are addresses, leave it.");
  if (withLabel.test(text)) return doubt("label-along", "It begins with a name, or with a word like Bearer.", "Copy only what stands after that.");
  return null;
}

function odd(text, use) {
  const out = [];
  if (lineBreak.test(text)) out.push(doubt("line-break", "There is a line break inside.", "Copy it again as one line: perhaps only the first line belongs to it."));
  if (use !== "field") out.push(...space(text));
  const bare = text.replace(/[,;]+$/, "");
  const chars = [...bare];
  if (chars.length && (quotes.includes(chars[0]) || quotes.includes(chars.at(-1)))) {
    out.push(doubt("quotation-mark", "There is a quotation mark at its beginning or end.", "It comes from code or a document. Copy what stands between the marks."));
  }
  if (bare !== text) out.push(doubt("trailing-punctuation", "It ends in a comma or a semicolon.", "That is left over from a list or from code. Copy the value without it."));
  if (use === "field") return out;
  return out.concat(encoded(text, use), beyondASCII(bare));
}

function space(text) {
  const c = [...text].find((c) => /\p{White_Space}/u.test(c) && !lineBreak.test(c));
  if (!c) return [];
  const named = { " ": "There is a space inside.", "\t": "There is a tab inside." };
  return [doubt("space-inside", named[c] ?? `There is an unusual space inside: ${codePoint(c)}.`, `Ids and secrets have none. ${copyAgain}`)];
}

function encoded(text, use) {
  const out = [];
  if (text.includes("%") && percent.test(text)) out.push(doubt("percent-encoded", "It is percent-encoded, as values are in an address.", "Copy it from the provider's page, not from an address bar or a log."));
  if (use === "secret" && base64.test(text) && decodesToText(text)) {
    out.push(doubt("base64-encoded", "It is text in base64, as in a header or a Kubernetes secret.", "Decode it first, or copy it from the provider's page."));
  }
  return out;
}

function decodesToText(text) {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/").replaceAll("=", "");
  if (plain.length % 4 === 1) return false;
  return /^[ -~]{12,}$/.test(atob(plain));
}

function beyondASCII(bare) {
  const chars = [...bare];
  while (chars.length && quotes.includes(chars[0])) chars.shift();
  while (chars.length && quotes.includes(chars.at(-1))) chars.pop();
  const odd = chars.filter((c) => !/[ -~]|\p{White_Space}/u.test(c));
  const dash = odd.find((c) => dashes.includes(c));
  const other = odd.find((c) => !dashes.includes(c));
  const out = [];
  if (dash) out.push(doubt("dash-for-hyphen", `A dash stands where a hyphen should be: ${codePoint(dash)}.`, "Text programs turn hyphens into dashes. Copy it from the provider's page instead."));
  if (other) out.push(doubt("not-ascii", `There is a character beyond plain ASCII: ${codePoint(other)}${script(other)}.`, "Ids and secrets are plain ASCII, and other letters can look the same. Copy it again instead of typing it."));
  return out;
}

function script(c) {
  if (/\p{Script=Cyrillic}/u.test(c)) return ", a Cyrillic letter";
  if (/\p{Script=Greek}/u.test(c)) return ", a Greek letter";
  if (c >= "\uFF01" && c <= "\uFF5E") return ", a full-width character";
  return "";
}
