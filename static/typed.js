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
  // Beside what it speaks of, which gets the focus.
  form.before(box);
  putBack(form, typed);
  const list = box.querySelector("[data-kept-list]");
  if (list) list.remove();
  box.querySelector("[data-kept-filled]").hidden = false;
});

// Whether what was typed fits: what is hidden in a form tells it from others like it.
function isFormOf(form, to, typed, mayDiffer = "edition") {
  if (form.getAttribute("method") !== "post" || pathOf(form) !== to) return false;
  const fields = [...form.elements];
  return Object.entries(typed).every(([name, values]) => {
    // A script adds it as a form is sent.
    if (name === "comes_back") return true;
    const named = fields.filter((field) => field.name === name);
    if (!named.length) return false;
    const hidden = named.filter((field) => field.type === "hidden");
    if (name === mayDiffer || !hidden.length) return canHold(named, values);
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

// --- Back to a form that was left by a link --------------------------------------------
// A browser puts values back by their places, into the page as the server once sent it: rows
// that came since are lost, of a page that it may not keep everything, and whoever has
// signed in meanwhile finds them. So it is told to keep nothing (autocomplete), and what was
// typed and not sent stays in this tab for its person. It is put back into the same form.
// Where its rows differ (data-redraw), the server draws it as it was typed.
const LEFT_FORMS = "left-forms:";
const typedInto = new Set();
const person = () => document.querySelector(".user-name")?.textContent || "";
const leftHere = () => LEFT_FORMS + location.pathname + location.search;

// Not form.action: a field of that name stands before it.
function pathOf(form) {
  return new URL(form.getAttribute("action") || "", location.href).pathname;
}

function noteTyping(event) {
  const form = event.target.form;
  if (event.isTrusted && form && form.elements.typed_by) typedInto.add(pathOf(form));
}
function noteForms(root) {
  root.querySelectorAll("input[name=typed_by]").forEach((note) => typedInto.add(pathOf(note.form)));
}
document.addEventListener("input", noteTyping);
document.addEventListener("change", noteTyping);
// It came back, with errors or with more rows.
document.addEventListener("htmx:afterSwap", (event) => noteForms(event.detail.target.parentNode || document));
document.addEventListener("signed-out", () => noteForms(document));
document.addEventListener("submit", (event) => typedInto.delete(pathOf(event.target)));

function typedIn(form) {
  const typed = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== "string" || ["csrfmiddlewaretoken", "typed_by"].includes(name)) continue;
    (typed[name] ||= []).push(value);
  }
  return typed;
}

window.addEventListener("pagehide", () => {
  const left = [...document.forms]
    .filter((form) => form.elements.typed_by && typedInto.has(pathOf(form)))
    .map((form) => [pathOf(form), typedIn(form)]);
  if (left.length) sessionStorage.setItem(leftHere(), JSON.stringify([person(), left]));
  else sessionStorage.removeItem(leftHere());
});

function tellBrowser(root) {
  root.querySelectorAll("input[name=typed_by]").forEach((note) => {
    note.form.setAttribute("autocomplete", "off");
  });
}
document.addEventListener("DOMContentLoaded", () => tellBrowser(document));
document.addEventListener("htmx:load", () => tellBrowser(document));

// A page that the browser kept whole is somebody's, too.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && sessionStorage.getItem("person") !== person()) location.reload();
});

window.addEventListener("load", () => {
  sessionStorage.setItem("person", person());
  forgetOthers();
  const type = performance.getEntriesByType("navigation")[0]?.type;
  const kept = JSON.parse(sessionStorage.getItem(leftHere()));
  if (!kept || !["back_forward", "reload"].includes(type)) return;
  for (const [to, typed] of kept[1]) putBackWhatWasLeft(to, typed);
});

function forgetOthers() {
  for (const key of Object.keys(sessionStorage).filter((each) => each.startsWith(LEFT_FORMS))) {
    if (JSON.parse(sessionStorage.getItem(key))[0] !== person()) sessionStorage.removeItem(key);
  }
}

function putBackWhatWasLeft(to, typed) {
  const { token, ...rest } = typed;
  const redrawn = document.querySelector("form[data-redraw]");
  if (redrawn && pathOf(redrawn) === to) {
    const { token: another, ...now } = typedIn(redrawn);
    if (JSON.stringify(now) === JSON.stringify(rest)) return;
    const [target, select] = [`#${redrawn.id}`, `#${redrawn.id}`];
    typedInto.add(to);
    const csrfmiddlewaretoken = currentToken();
    htmx.ajax("POST", to, {
      source: "#main", target, select, swap: "outerHTML",
      values: { ...typed, do: "keep", csrfmiddlewaretoken },
    });
    return;
  }
  const form = [...document.forms].find((each) => isFormOf(each, to, rest, ""));
  if (!form) return;
  typedInto.add(to);
  putBack(form, rest);
}

// --- A form with a file ---------------------------------------------------------------
// The server could keep what was typed, but no file: where nobody is signed in any more the
// page stays as it is, and what was chosen with it.
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

document.addEventListener("signed-out", () => {
  sayOfPolling("stays");
  document.getElementById("form-stays").focus();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status !== 204) document.getElementById("form-stays").hidden = true;
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
