// <form data-confirm="acme:intercom">: its button waits until the name is typed
// into the control called "confirm". The server asks the same.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  const button = form.querySelector("button[type=submit]");
  const input = form.elements.confirm;
  const check = () => { button.disabled = input.value.trim() !== form.dataset.confirm; };
  input.addEventListener("input", check);
  check();
}
