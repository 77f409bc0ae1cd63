// <input data-limit="40">: says below the control, while one types, how many of
// its characters there are, and what the other side will not like about them.
// People count code points, as the server does. What was typed is spoken once
// typing has paused: a number after each key would only disturb.
const quiet = 1200;
let timer;

function count(input) {
  const limit = Number(input.dataset.limit);
  const length = [...input.value.trim()].length;
  const over = length - limit;
  const line = document.getElementById(`${input.id}-count`);
  line.textContent = `${length} of ${limit} characters` + (over > 0 ? `, ${over} too many` : "");
  line.classList.toggle("is-over", over > 0);
  const text = input.value.trim();
  const banned = input.dataset.without.toLowerCase();
  const without = document.getElementById(`${input.id}-without`);
  if (without) without.hidden = !text.toLowerCase().includes(banned);
  const stop = document.getElementById(`${input.id}-stop`);
  if (stop) stop.hidden = !text.endsWith(".");
  return [line, without, stop].filter((p) => p && !p.hidden).map((p) => p.textContent.trim()).join(". ");
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-limit]")) return;
  const words = count(event.target);
  clearTimeout(timer);
  timer = setTimeout(() => speak(words), quiet);
});

// speak tells a screen reader, without the toast that everybody sees. The region
// is there before its content, so that it is heard.
const voice = document.querySelector("[data-limit]") && document.createElement("p");
if (voice) {
  voice.className = "visually-hidden";
  voice.setAttribute("aria-live", "polite");
  document.querySelector("main").append(voice);
}

function speak(words) {
  if (voice) voice.textContent = words;
}
