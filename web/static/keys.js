// Keyboard: / searches, g and then c, w, a or o goes somewhere, ? lists the
// shortcuts, Esc closes what is open. None of them while somebody types.
const places = { o: "/", c: "/config", w: "/webhooks", a: "/audit" };
let afterG = 0;

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") !== null;
}

// open reports whether the menu leads to the place: what a person may not open is
// not there.
function open(place) {
  return place !== undefined && document.querySelector(`#nav a[href="${place}"]`) !== null;
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu === except) continue;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return closeMenus();
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const second = event.timeStamp - afterG < 1500;
  afterG = 0;
  if (second && open(places[event.key])) {
    location.assign(places[event.key]);
  } else if (event.key === "g") {
    afterG = event.timeStamp;
  } else if (event.key === "/") {
    const search = document.getElementById("search");
    if (!search) return;
    event.preventDefault();
    search.focus();
  } else if (event.key === "?") {
    document.getElementById("shortcuts")?.togglePopover();
  }
});

// A menu closes when somebody goes on elsewhere.
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
