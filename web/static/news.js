// <div id="news" data-news="…">: a list that goes on by itself, of notifications or
// of what data-one and data-many name.
// Each server-sent event has the list as it is now, so that nothing is missed.
// What is in the way of reading does not happen: while somebody uses the rows, or
// something below them, new ones wait behind a button. Where events do not come
// through, the list is asked for again and again.
import { say } from "./live.js";

const still = 3000; // milliseconds after which a resting pointer is in nobody's way
const quiet = 8000; // between two messages to a screen reader
const first = 5000; // within which the first event has to be here
const pause = 5000; // between two questions for the list, where no event comes

const news = document.querySelector("[data-news]");
const one = news?.dataset.one ?? "notification";
const many = news?.dataset.many ?? "notifications";
if (news) follow();

// alike reports whether two elements have the same content.
const alike = (a, b) => a.childNodes.length === b.childNodes.length && [...a.childNodes].every((n, i) => n.isEqualNode(b.childNodes[i]));

function follow() {
  let source, fresh, moved = 0, told = 0, untold = [], timer, watchdog, polling = false;

  const take = (text) => {
    fresh = new DOMParser().parseFromString(text, "text/html");
    update();
  };
  const over = () => {
    close();
    polling = false;
    say("This list does not go on by itself any more: open the page again");
  };
  const close = () => {
    source?.close();
    clearTimeout(watchdog);
  };
  const open = () => {
    close();
    if (polling) return (watchdog = setTimeout(ask, 0));
    source = new EventSource(news.dataset.news);
    source.addEventListener("news", (event) => {
      clearTimeout(watchdog);
      take(event.data);
    });
    // The session is another one, or over: whoever may still listen is let in again.
    source.addEventListener("over", open);
    // The browser tries again by itself, unless the answer was a refusal.
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && over());
    watchdog = setTimeout(() => {
      polling = true;
      open();
    }, first);
  };
  const ask = async () => {
    try {
      const answer = await fetch(news.dataset.news, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return over();
      take(await answer.text());
    } catch {
      // The network is away for a moment.
    }
    if (!document.hidden) watchdog = setTimeout(ask, pause);
  };

  const more = document.createElement("button");
  more.type = "button";
  more.className = "btn news-more";
  more.hidden = true;
  more.addEventListener("click", () => {
    place();
    news.querySelector("tbody a")?.focus();
    news.scrollIntoView({ block: "nearest" });
  });
  news.before(more);

  // waits is what the page does not show yet.
  const waits = () => [...fresh.querySelectorAll("[data-row]")].filter((row) => !find(row.dataset.row));
  const find = (id) => news.querySelector(`[data-row="${CSS.escape(id)}"]`);

  const below = (element) => news.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
  const inUse = () =>
    news.contains(document.activeElement) ||
    below(document.activeElement) ||
    (news.matches(":hover") && performance.now() - moved < still) ||
    (!getSelection().isCollapsed && getSelection().containsNode(news, true)) ||
    news.getBoundingClientRect().top < 0;

  function update() {
    for (const row of fresh.querySelectorAll("[data-row]")) {
      const old = find(row.dataset.row);
      if (old && !old.contains(document.activeElement) && !old.isEqualNode(row)) old.replaceChildren(...row.cloneNode(true).childNodes);
    }
    parts(below(document.activeElement) ? "#news-showing, [data-part]" : "#news-showing, [data-part], #hook-state");
    const waiting = waits();
    hear(waiting);
    if (waiting.length && inUse()) {
      more.textContent = waiting.length === 1 ? `Show 1 new ${one}` : `Show ${waiting.length} new ${many}`;
      more.hidden = false;
      clearTimeout(timer);
      timer = setTimeout(update, still);
    } else {
      place();
    }
  }

  // parts puts what stands outside of the list in the place of what is there.
  function parts(which) {
    for (const part of fresh.querySelectorAll(which)) {
      const old = document.getElementById(part.id);
      if (old && !alike(old, part)) old.replaceChildren(...part.cloneNode(true).childNodes);
    }
  }

  // place puts the list of now in the place of the old one, row by row: rows that
  // stay are the same elements, so what is done with them goes on.
  function place() {
    more.hidden = true;
    clearTimeout(timer);
    if (!fresh) return;
    parts("#hook-state");
    const list = fresh.querySelector("tbody tr[data-row]")?.parentElement;
    const body = news.querySelector("tbody");
    if (!list || !body) {
      const whole = fresh.querySelector("#news");
      if (!alike(news, whole)) news.replaceChildren(...whole.cloneNode(true).childNodes);
      return;
    }
    const rows = [...list.children].map((row) => find(row.dataset.row) ?? row.cloneNode(true));
    for (const [i, row] of rows.entries()) {
      if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
    }
    while (body.children.length > rows.length) body.lastElementChild.remove();
  }

  // hear says what is new, all of it at once, and not too often.
  const heard = new Set([...news.querySelectorAll("[data-row]")].map((row) => row.dataset.row));
  function hear(waiting) {
    const unheard = waiting.filter((row) => !heard.has(row.dataset.row));
    untold = [...unheard.map((row) => row.dataset.heard), ...untold];
    for (const row of unheard) heard.add(row.dataset.row);
    if (!untold.length || performance.now() - told < quiet && told) {
      if (untold.length) setTimeout(() => hear([]), quiet);
      return;
    }
    told = performance.now();
    document.getElementById("heard").textContent =
      untold.length === 1 ? `New ${one}: ${untold[0]}` : `${untold.length} new ${many}, the last: ${untold[0]}`;
    untold = [];
  }

  news.addEventListener("pointermove", () => (moved = performance.now()));
  // A page that nobody looks at does not listen: browsers open few connections.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  if (!document.hidden) open();
}
