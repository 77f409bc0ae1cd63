// <input data-trim>: takes off a paste what saving takes off too, and says so
// beside the control. <input data-paste="id|secret|field|own"> also says what is
// doubtful of it. The server says the same of what it receives.
import { say } from "./live.js";
import { clean, look, said } from "./pasted.js";

// notes puts what was taken off and the doubts under the control, instead of what
// was said there before, and has the first of it read out: the others describe
// the control. With nothing to say it takes the place away.
function notes(input, cleaned, doubts) {
  const lines = cleaned ? [cleaned, ...doubts] : doubts;
  const stored = document.getElementById(`${input.id}-doubts`);
  if (stored) stored.hidden = input.value !== input.defaultValue; // it is about what was there before
  const id = `${input.id}-pasted`;
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((other) => other && other !== id);
  let list = document.getElementById(id);
  if (!lines.length) {
    list?.remove();
    describe(input, others);
    return;
  }
  if (!list) {
    list = document.createElement("ul");
    list.id = id;
    list.className = "doubts";
    input.insertAdjacentElement("afterend", list);
  }
  list.replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.className = line === cleaned ? "hint" : "field-warn";
    item.append(...(line === cleaned ? [] : [icon()]), line);
    return item;
  }));
  describe(input, [...others, id]);
  say(lines.length > 1 ? `${lines[0]} More is said beside the field.` : lines[0]);
}

// icon is a copy of one of the page's, with another picture.
function icon() {
  const svg = document.querySelector("svg.icon").cloneNode(true);
  svg.firstElementChild.setAttribute("href", `${new URL("icons.svg", import.meta.url).pathname}#triangle-alert`);
  return svg;
}

function describe(input, ids) {
  if (ids.length) input.setAttribute("aria-describedby", ids.join(" "));
  else input.removeAttribute("aria-describedby");
}

// doubts are sentences about what stands in the control. A paste is looked at as
// it was copied: the control itself swallows line breaks.
function doubts(input, text) {
  if (!input.dataset.paste) return [];
  return [...look(text, input.dataset.paste), ...pair(input)].map((d) => `${d.found} ${d.remedy}`);
}

// pair holds the client secret against the client id of the same form.
function pair(input) {
  const secret = input.form?.querySelector("[data-pair]");
  const id = input.form?.querySelector('[data-paste="id"]');
  if (!secret?.value || !id || (input !== secret && input !== id)) return [];
  const label = (control) => control.labels[0].textContent.trim();
  if (secret.value === id.value) {
    return [{ found: `${label(id)} and ${label(secret)} are the same.`, remedy: "Copy each of the two from its own field of the provider's page." }];
  }
  if (id.defaultValue && secret.value === id.defaultValue) {
    return [{ found: `The stored ${label(id)} stands in the place of ${label(secret)}.`, remedy: `Copy the ${label(secret)}, and put it here.` }];
  }
  return [];
}

// judged has what stood in a control when its paste was judged.
const judged = new WeakMap();

document.addEventListener("paste", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !("trim" in input.dataset || input.dataset.paste)) return;
  const pasted = event.clipboardData?.getData("text") ?? "";
  const c = "trim" in input.dataset ? clean(pasted) : { text: pasted, trimmed: 0, removed: [] };
  const judge = () => {
    const alone = input.value === c.text.replace(/[\n\r]/g, "");
    notes(input, said(c), doubts(input, alone ? c.text : input.value));
    judged.set(input, input.value);
  };
  if (c.text === pasted) {
    setTimeout(judge); // once the browser has pasted it
    return;
  }
  event.preventDefault();
  input.setRangeText(c.text, input.selectionStart, input.selectionEnd, "end");
  input.dispatchEvent(new Event("input", { bubbles: true }));
  judge();
});

// What is typed is looked at when the control is left; what was said of a paste
// stays until it changes.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.dataset.paste || judged.get(input) === input.value) return;
  judged.delete(input);
  notes(input, "", doubts(input, input.value));
});
