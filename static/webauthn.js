// Security keys and passkeys: a form asks the browser for one, and sends what it says.
// <form data-webauthn="create" or "get" data-options="JSON" hidden> holds
// [name=credential], a button, and [data-webauthn-problem] for what went wrong. It is
// shown where the browser can do it.
"use strict";

const CAN_WEBAUTHN =
  window.PublicKeyCredential && "parseCreationOptionsFromJSON" in PublicKeyCredential;

async function askKey(form) {
  const options = JSON.parse(form.dataset.options).publicKey;
  if (form.dataset.webauthn === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}

document.querySelectorAll("form[data-webauthn]").forEach((form) => {
  form.hidden = !CAN_WEBAUTHN;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = form.querySelector("[data-webauthn-problem]");
    problem.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify((await askKey(form)).toJSON());
    } catch {
      problem.hidden = false;
      return;
    }
    form.submit();
  });
});

document.querySelectorAll("[data-no-webauthn]").forEach((note) => {
  note.hidden = Boolean(CAN_WEBAUTHN);
});
