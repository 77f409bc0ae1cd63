// Further keys: adds and removes rows without a round trip. Without this the
// button Add posts the form, and an emptied key is removed by saving.
let made = 0;

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add-row]");
  if (add) {
    const row = document.getElementById(add.dataset.addRow).content.firstElementChild.cloneNode(true);
    number(row, `n${++made}`);
    document.getElementById("rows").append(row);
    row.querySelector("input").focus();
    event.preventDefault();
    return;
  }
  const remove = event.target.closest("[data-remove-row]");
  if (!remove) return;
  const row = remove.closest(".key-row");
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  (next?.querySelector("input") ?? document.querySelector("[data-add-row]")).focus();
});

// number gives the copy of a row ids of its own.
function number(row, n) {
  for (const element of row.querySelectorAll("[id], [for], [aria-describedby]")) {
    for (const name of ["id", "for", "aria-describedby"]) {
      const old = element.getAttribute(name);
      if (old) element.setAttribute(name, old.replaceAll("-new", `-${n}`));
    }
  }
}
