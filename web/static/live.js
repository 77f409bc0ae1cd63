// One place where short messages are seen and heard: the status region at the
// end of every page.
const region = document.getElementById("live");
let timer;

// say shows text as a toast. Screen readers speak it, since the region was
// there before its content.
export function say(text) {
  if (!region) return;
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  show(toast);
}

function show(toast) {
  region.replaceChildren(toast);
  fade(toast.querySelector("a") ? 20000 : 8000);
}

// fade takes the toast away after a while, but not from under somebody who is on it.
function fade(after) {
  clearTimeout(timer);
  timer = setTimeout(() => (region.matches(":hover, :focus-within") ? fade(3000) : region.replaceChildren()), after);
}

// A toast that came with the page is put in again, so that it is heard as well,
// unless something newer was said by then.
const first = region?.firstElementChild;
if (first) {
  region.replaceChildren();
  setTimeout(() => {
    if (!region.firstElementChild) show(first);
  }, 150);
}
