// <div data-chart>: events over time. Dragging over the picture chooses a time, and
// so do the two sliders, from the keyboard; the table has the times of the bars.
for (const chart of document.querySelectorAll("[data-chart]")) brush(chart);

function brush(chart) {
  const svg = chart.querySelector(":scope > svg");
  const form = chart.querySelector("form");
  const [first, last] = [form.querySelector("[data-first]"), form.querySelector("[data-last]")];
  const rows = [...chart.querySelectorAll("tbody tr")];
  const bars = [...svg.querySelectorAll(".bar")];
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const box = document.createElementNS(svg.namespaceURI, "rect");
  box.setAttribute("class", "brush");
  box.setAttribute("y", 0);
  box.setAttribute("height", height);
  svg.append(box);

  const clock = (text) => text.replace("T", " ");
  const show = () => {
    const [a, b] = [Number(first.value), Number(last.value)].sort((x, y) => x - y);
    box.setAttribute("x", (a * width) / rows.length);
    box.setAttribute("width", ((b - a + 1) * width) / rows.length);
    bars.forEach((bar, i) => bar.classList.toggle("is-in", i >= a && i <= b));
    form.elements.from.value = rows[a].dataset.from;
    form.elements.to.value = rows[b].dataset.to;
    form.querySelector("output").textContent = `${clock(rows[a].dataset.from)} to ${clock(rows[b].dataset.to)}`;
    for (const slider of [first, last]) slider.setAttribute("aria-valuetext", clock(rows[slider.value].dataset[slider === first ? "from" : "to"]));
  };
  const at = (event) => {
    const r = svg.getBoundingClientRect();
    return Math.min(rows.length - 1, Math.max(0, Math.floor(((event.clientX - r.left) / r.width) * rows.length)));
  };

  let from = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = at(event);
    svg.setPointerCapture(event.pointerId);
    first.value = last.value = from;
    show();
    event.preventDefault(); // no text is selected on the way
  });
  svg.addEventListener("pointermove", (event) => {
    if (from === null) return;
    first.value = Math.min(from, at(event));
    last.value = Math.max(from, at(event));
    show();
  });
  svg.addEventListener("pointerup", () => {
    if (from === null) return;
    from = null;
    form.requestSubmit();
  });
  svg.addEventListener("pointercancel", () => (from = null));
  for (const slider of [first, last]) slider.addEventListener("input", show);
  show();
}
