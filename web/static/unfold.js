// A link to the evidence of a step unfolds its row. Browsers that know how do it
// by themselves.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const row = target && target.closest("details");
  if (!row || row.open) return;
  row.open = true;
  target.scrollIntoView();
}

addEventListener("hashchange", unfold);
unfold();
