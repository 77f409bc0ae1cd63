// [data-passkey]: a button that asks the browser for a passkey, puts the answer into
// the form's field "passkey" and sends the form. "get" asks for one that is there:
// data-begin says where the question comes from. "create" makes one, and
// data-question is the question. A password field of the same form is left out.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (list = []) => list.map((c) => ({ ...c, id: bytes(c.id) }));

// The question as the browser takes it. Older browsers do not read JSON.
function toCreate(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  return { ...json, challenge: bytes(json.challenge), user: { ...json.user, id: bytes(json.user.id) }, excludeCredentials: listed(json.excludeCredentials) };
}

function toGet(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: bytes(json.challenge), allowCredentials: listed(json.allowCredentials) };
}

// The answer as the server takes it.
function toText(credential) {
  if (credential.toJSON) return JSON.stringify(credential.toJSON());
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  const transports = credential.response.getTransports?.();
  if (transports) response.transports = transports;
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: {}, response });
}

// A Refusal has words for the person.
class Refusal extends Error {}

async function question(box) {
  if (box.dataset.question) return JSON.parse(box.dataset.question);
  const ticket = box.closest("form").elements.ticket?.value ?? "";
  const answer = await fetch(box.dataset.begin, { method: "POST", body: new URLSearchParams({ ticket }) });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(json.error ?? "The server did not answer as expected. Reload the page and try again.");
  return json;
}

async function ask(box) {
  const { publicKey } = await question(box);
  if (box.dataset.passkey === "create") return navigator.credentials.create({ publicKey: toCreate(publicKey) });
  return navigator.credentials.get({ publicKey: toGet(publicKey) });
}

// What browsers report, in words (WebAuthn, sections 5.1.3 and 5.1.4).
const words = {
  NotAllowedError: "Nothing was sent: it was cancelled, took too long, or there is no passkey for this address here.",
  InvalidStateError: "There is a passkey of yours on this device already.",
  SecurityError: "Passkeys work only at the public address of this instance. Open it there.",
  NotSupportedError: "This device can make no passkey of the kind that is needed.",
};

// A form whose other fields are not filled in is not sent: the browser says which.
function ready(form) {
  const passwords = [...form.querySelectorAll("input[type=password]")];
  for (const p of passwords) p.disabled = true;
  const valid = form.reportValidity();
  for (const p of passwords) p.disabled = false;
  return valid;
}

for (const box of document.querySelectorAll("[data-passkey]")) {
  const form = box.closest("form");
  const button = box.querySelector("button");
  const fault = box.querySelector("[role=alert]");
  const say = (sentence) => {
    fault.textContent = sentence;
    fault.hidden = sentence === "";
  };
  if (!window.PublicKeyCredential) {
    button.disabled = true;
    say("This browser cannot use passkeys here.");
    continue;
  }
  button.addEventListener("click", async () => {
    if (!ready(form)) return;
    say("");
    button.disabled = true;
    try {
      form.elements.passkey.value = toText(await ask(box));
      for (const p of form.querySelectorAll("input[type=password]")) p.disabled = true;
      form.requestSubmit();
    } catch (err) {
      say(err instanceof Refusal ? err.message : words[err.name] ?? "The browser could not use a passkey. Reload the page and try again.");
      button.disabled = false;
    }
  });
}

// Who comes back to the page may try again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const box of document.querySelectorAll("[data-passkey]")) {
    box.querySelector("button").disabled = !window.PublicKeyCredential;
    for (const p of box.closest("form").querySelectorAll("input[type=password]")) p.disabled = false;
  }
});
