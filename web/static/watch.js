// <section data-events="…">: a test under way. Its steps come as server-sent
// events, each with all that was done so far, so that nothing is missed and
// nothing comes twice. Where events do not come through, the page is asked for
// again and again, as without this script.
import { say } from "./live.js";

const first = 5000; // milliseconds within which the first event has to be here
const pause = 2000; // between two questions for the page

if (document.querySelector("[data-events]")) follow(document.querySelector("[data-events]").dataset.events);

function follow(address) {
  const source = new EventSource(address);
  const fall = () => {
    source.close();
    poll();
  };
  let watchdog = setTimeout(fall, first);
  source.addEventListener("steps", (event) => {
    clearTimeout(watchdog);
    show(new DOMParser().parseFromString(event.data, "text/html"));
  });
  source.addEventListener("done", () => {
    source.close();
    poll();
  });
  // The browser tries again by itself, unless the answer was a refusal.
  source.addEventListener("error", () => {
    clearTimeout(watchdog);
    if (source.readyState === EventSource.CLOSED) poll();
    else watchdog = setTimeout(fall, first);
  });
}

// show adds the steps that are new, moves the bars of the others to the axis of
// now, and says what is new.
function show(fresh) {
  const list = document.querySelector("#live-steps ol");
  const steps = fresh.querySelectorAll("#live-steps ol > li");
  if (!list || !fresh.querySelector("#live-steps")) return;
  const news = [];
  for (const step of steps) {
    const old = list.querySelector(`[data-step="${step.dataset.step}"]`);
    if (old) {
      old.querySelector(".wf-bar").replaceWith(step.querySelector(".wf-bar"));
      continue;
    }
    news.push(words(step.querySelector(".wf-name")));
    list.append(step);
  }
  for (const part of ["#doing", ".wf-scale"]) {
    document.querySelector(`#live-steps ${part}`).replaceChildren(...fresh.querySelector(`#live-steps ${part}`).childNodes);
  }
  if (news.length) document.getElementById("heard").textContent = news.join(". ");
}

const words = (element) => element.textContent.replace(/\s+/g, " ").trim();

// poll asks for the page until it has the report, and puts that in its place.
async function poll() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector("[data-events]")) return finish(page);
    show(page);
  } catch {
    // The network is away for a moment.
  }
  setTimeout(poll, pause);
}

function finish(page) {
  const old = document.querySelector(".page");
  const open = [...old.querySelectorAll(".waterfall details[open] .evidence")].map((e) => e.id);
  const focus = old.contains(document.activeElement);
  document.title = page.title;
  old.replaceWith(page.querySelector(".page"));
  for (const id of open) document.getElementById(id)?.closest("details")?.setAttribute("open", "");
  if (focus) document.getElementById("main").focus({ preventScroll: true });
  const verdict = document.getElementById("verdict");
  if (verdict) say(words(verdict));
}
