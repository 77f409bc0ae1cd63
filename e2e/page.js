// What the steps of a test ask a page. Controls are found as people find them:
// by the words on them or beside them.
(() => {
  const squeeze = (text) => (text ?? "").replace(/\s+/g, " ").trim();
  const shown = (el) => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0;
  const texts = (elements) => [...elements].map((el) => said(el) || el.textContent);

  // said is what a screen reader says of an element: one line a block, and
  // nothing of what is hidden from it.
  function said(el) {
    if (el.nodeType === Node.TEXT_NODE) return el.data.replace(/\s+/g, " ");
    if (el.nodeType !== Node.ELEMENT_NODE || el.getAttribute("aria-hidden") === "true" || !el.checkVisibility()) return "";
    const inside = [...el.childNodes].map(said).join("");
    return getComputedStyle(el).display.startsWith("inline") ? inside : `\n${inside}\n`;
  }

  // words are the accessible name of a control, by the rules that matter here.
  function words(el) {
    const ids = el.getAttribute("aria-labelledby");
    if (ids) return texts(ids.split(" ").map((id) => document.getElementById(id)).filter(Boolean)).join(" ");
    if (el.hasAttribute("aria-label")) return el.getAttribute("aria-label");
    if (el.labels?.length) return texts(el.labels).join(" ");
    return el.tagName === "INPUT" ? el.value : said(el);
  }

  const firstLine = (text) => text.split("\n").map(squeeze).find(Boolean);

  // one finds the only shown element with this name; else it says why not. A
  // hint or a count may follow the name.
  function one(selector, name, scope) {
    const root = scope ? document.querySelector(scope) : document;
    if (!root) return { fault: `there is no ${scope}` };
    const all = [...root.querySelectorAll(selector)].filter(shown);
    let hits = all.filter((el) => squeeze(words(el)) === name);
    if (!hits.length) hits = all.filter((el) => firstLine(words(el)) === name);
    if (!hits.length) hits = all.filter((el) => squeeze(words(el)).replace(/ [\d,]+$/, "") === name);
    if (hits.length === 1) return { el: hits[0] };
    if (hits.length) return { fault: `${hits.length} controls are called “${name}”` };
    return { fault: `nothing is called “${name}”; there is: ${all.map((el) => `“${squeeze(words(el)).slice(0, 60)}”`).join(", ")}` };
  }

  // point is where to click an element, if nothing lies over it.
  function point(el) {
    if (el.disabled) return { fault: "it is disabled" };
    el.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const box = el.getClientRects()[0];
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    const top = document.elementFromPoint(x, y);
    if (!top || !(el.contains(top) || top.contains(el) || [...(el.labels ?? [])].some((l) => l.contains(top)))) {
      return { fault: `it is covered by <${top?.tagName.toLowerCase()} class="${top?.className}">` };
    }
    return { x, y };
  }

  const buttons = "button, a[href], summary, input[type=submit], input[type=button]";
  const fields = "input:not([type=hidden]):not([type=submit]):not([type=button]), select, textarea";

  return {
    button(name, scope) {
      const { el, fault } = one(buttons, name, scope);
      return fault ? { fault } : point(el);
    },
    // field focuses a field and selects what is in it, ready to be typed over.
    field(name, scope) {
      const { el, fault } = one(fields, name, scope);
      if (fault) return { fault };
      if (el.disabled) return { fault: "it is disabled" };
      el.scrollIntoView({ block: "center", behavior: "instant" });
      el.focus();
      el.select?.();
      return { filled: el.value !== "" };
    },
    value(name, scope) {
      const { el, fault } = one(fields, name, scope);
      if (fault) return { fault };
      return { value: el.type === "checkbox" || el.type === "radio" ? String(el.checked) : el.tagName === "SELECT" ? squeeze(el.selectedOptions[0]?.text) : el.value };
    },
    choose(name, option, scope) {
      const { el, fault } = one("select", name, scope);
      if (fault) return { fault };
      const hit = [...el.options].find((o) => squeeze(o.text) === option);
      if (!hit) return { fault: `“${name}” has no option “${option}”; it has: ${[...el.options].map((o) => squeeze(o.text)).join(", ")}` };
      el.value = hit.value;
      el.dispatchEvent(new Event("input", { bubbles: true }));
      el.dispatchEvent(new Event("change", { bubbles: true }));
      return {};
    },
    // box is where to click a checkbox that is not yet as wanted.
    box(name, on, scope) {
      const { el, fault } = one("input[type=checkbox], input[type=radio]", name, scope);
      if (fault) return { fault };
      return el.checked === on ? { done: true } : point(el);
    },
    text(scope) {
      const root = scope ? document.querySelector(scope) : document.body;
      return squeeze(root?.innerText);
    },
    // sideways is how far the page scrolls sideways, and what sticks out.
    sideways() {
      const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      if (wide <= 0) return "";
      const right = document.documentElement.clientWidth + 1;
      const out = [...document.body.querySelectorAll("*")].filter((el) => shown(el) && el.getBoundingClientRect().right > right);
      return `${wide} px too wide: ` + out.slice(0, 5).map((el) => `<${el.tagName.toLowerCase()} class="${el.getAttribute("class") ?? ""}" id="${el.id}">`).join(" ");
    },
    focused() {
      const el = document.activeElement;
      return el.id || el.tagName;
    },
  };
})()
