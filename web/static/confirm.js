// <form data-confirm="acme:intercom">: its button waits until the name is typed
// into the control called "confirm". The server asks the same.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  const button = form.querySelector("button[type=submit]");
  const input = form.elements.confirm;
  const check = () => { button.disabled = input.value.trim() !== form.dataset.confirm; };
  input.addEventListener("input", check);
  check();
}

// A form is sent once: its buttons rest until the answer is there. They are
// switched off after the browser has read which one was pressed. Whoever comes
// back to the page, or waits in vain, may send it again.
const patience = 10_000; // milliseconds
const resting = new Map(); // form → its buttons

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (event.submitter?.formTarget === "_blank") return; // the answer is for another tab
  if (resting.has(form)) {
    event.preventDefault();
    return;
  }
  const buttons = [...form.querySelectorAll("[type=submit]:enabled")];
  resting.set(form, buttons);
  setTimeout(() => {
    for (const button of buttons) button.disabled = true;
  });
  setTimeout(() => wake(form), patience);
});

addEventListener("pageshow", () => {
  for (const form of resting.keys()) wake(form);
});

function wake(form) {
  for (const button of resting.get(form) ?? []) button.disabled = false;
  resting.delete(form);
}
