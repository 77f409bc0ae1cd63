// <input data-trim>: cuts white space off the ends of what is pasted and says
// so beside the control. The server does the same for what it receives.
import { say } from "./live.js";

function note(input, text) {
  const id = `${input.id}-trimmed`;
  let p = document.getElementById(id);
  if (!p) {
    p = document.createElement("p");
    p.id = id;
    p.className = "field-warn";
    input.insertAdjacentElement("afterend", p);
    const ids = input.getAttribute("aria-describedby");
    input.setAttribute("aria-describedby", ids ? `${ids} ${id}` : id);
  }
  p.textContent = text;
  say(text);
}

document.addEventListener("paste", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !("trim" in input.dataset)) return;
  const pasted = event.clipboardData?.getData("text") ?? "";
  const trimmed = pasted.trim();
  if (trimmed === pasted) return;
  event.preventDefault();
  input.setRangeText(trimmed, input.selectionStart, input.selectionEnd, "end");
  input.dispatchEvent(new Event("input", { bubbles: true }));
  note(input, "White space at the ends of your paste was cut off.");
});
