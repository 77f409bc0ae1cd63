// <button data-copy="id">: copies the value of the control with that id, or
// its text, exactly as it stands there.
import { say } from "./live.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    say("Copied");
  } catch {
    // No clipboard without https: what is selected can be copied by hand.
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    say("Selected: copy it with Ctrl+C");
  }
});
