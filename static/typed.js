// Nothing typed is lost: what was kept while nobody was signed in, forms with a file, and
// rows that came by themselves.
"use strict";

// --- After signing in again --------------------------------------------------------
// <div id="kept-form" data-kept='["/to/", {"name": ["value"]}]'> is put into its form. Where
// that is not there any more, the page lists what was typed.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("kept-form");
  if (!box) return;
  const [to, typed] = JSON.parse(box.dataset.kept);
  const form = [...document.forms].find((each) => isFormOf(each, to, typed));
  if (!form) return;
  putBack(form, typed);
  const list = box.querySelector("[data-kept-list]");
  if (list) list.remove();
  box.querySelector("[data-kept-filled]").hidden = false;
});

// Whether what was typed fits: what is hidden in a form tells it from others like it.
function isFormOf(form, to, typed) {
  if (form.method !== "post" || new URL(form.action).pathname !== to) return false;
  const fields = [...form.elements];
  return Object.entries(typed).every(([name, values]) => {
    const named = fields.filter((field) => field.name === name);
    if (!named.length) return false;
    const hidden = named.filter((field) => field.type === "hidden");
    if (name === "edition" || !hidden.length) return canHold(named, values);
    return hidden.map((field) => field.value).join("\n") === values.join("\n");
  });
}

function canHold(named, values) {
  return named.some((field) => ["checkbox", "radio", "submit", "select-multiple"].includes(field.type))
    || named.length >= values.length;
}

function putBack(form, typed) {
  const next = {};
  for (const field of form.elements) {
    if (!field.name || ["hidden", "submit", "file"].includes(field.type)) continue;
    const values = typed[field.name] || [];
    if (["checkbox", "radio"].includes(field.type)) field.checked = values.includes(field.value);
    else {
      const place = next[field.name] || 0;
      next[field.name] = place + 1;
      if (place < values.length) field.value = values[place];
    }
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  const first = [...form.elements].find((field) => field.name in typed && field.type !== "hidden");
  if (first) first.focus();
}

// --- A form with a file ---------------------------------------------------------------
// The server could keep what was typed, but no file: where nobody is signed in any more the
// page stays (401), and what was chosen with it.
document.addEventListener("htmx:configRequest", (event) => {
  const form = event.detail.elt.closest("form");
  const files = form ? [...form.querySelectorAll("input[type=file]")] : [];
  if (files.some((field) => field.files.length)) event.detail.headers["X-Stays"] = "1";
  // In another tab somebody may have signed in anew, which makes another token.
  renewTokens();
  if (event.detail.parameters.csrfmiddlewaretoken) {
    event.detail.parameters.csrfmiddlewaretoken = currentToken() || event.detail.parameters.csrfmiddlewaretoken;
  }
});
document.addEventListener("submit", () => renewTokens(), true);

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status !== 401 || isPoll(event.detail.elt)) return;
  sayOfPolling("stays");
  const notice = document.getElementById("form-stays");
  if (notice) notice.focus();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const notice = document.getElementById("form-stays");
  if (notice && event.detail.xhr.status !== 401) notice.hidden = true;
});

// --- How many are ticked ------------------------------------------------------------
// <button data-counts="draft" data-one="Discard 1 draft" data-more="Discard # drafts"> says
// how many boxes of that name are ticked.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form) form.querySelectorAll("[data-counts]").forEach(sayCount);
});
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-counts]").forEach(sayCount));

function sayCount(button) {
  const ticked = button.form.querySelectorAll(`[name="${button.dataset.counts}"]:checked`).length;
  const words = button.querySelector("[data-count-words]");
  words.dataset.none ||= words.textContent;
  if (!ticked) words.textContent = words.dataset.none;
  else words.textContent = (ticked === 1 ? button.dataset.one : button.dataset.more).replace("#", ticked);
}
