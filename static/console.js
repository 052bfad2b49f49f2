// Comfort on top of pages that work without it.
"use strict";

// --- Copy buttons: <button data-copy="text"> -------------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom;
  const text = source ? document.querySelector(source).textContent : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    announce(button, "Copied");
  } catch {
    announce(button, "Press Ctrl+C");
  }
});

function announce(button, word) {
  const label = button.querySelector("[data-copy-label]") || button;
  const before = label.dataset.before || label.textContent;
  label.dataset.before = before;
  label.textContent = word;
  setTimeout(() => { label.textContent = before; }, 1500);
}

// --- Choices that depend on a choice ----------------------------------------
// <select data-depends-on="id_project"> keeps only the options whose data-parent is the
// value chosen there. Without this script all options stay, grouped by their parent.
function keepOptionsInStep(select) {
  const parent = document.getElementById(select.dataset.dependsOn);
  if (!parent) return;
  const all = [...select.querySelectorAll("option")].map((option) => option.cloneNode(true));
  const refresh = () => {
    const chosen = select.value;
    const fitting = all.filter((o) => !o.value || o.dataset.parent === parent.value);
    select.replaceChildren(...fitting.map((option) => option.cloneNode(true)));
    const real = fitting.filter((option) => option.value);
    select.value = fitting.some((option) => option.value === chosen) ? chosen : "";
    if (!select.value && real.length === 1) select.value = real[0].value;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  parent.addEventListener("change", refresh);
  refresh();
}

function enhance(root) {
  root.querySelectorAll("select[data-depends-on]").forEach((select) => {
    if (select.dataset.enhanced) return;
    select.dataset.enhanced = "yes";
    keepOptionsInStep(select);
  });
  root.querySelectorAll("[data-show-when]").forEach(showWhenChosen);
}

// <div data-show-when="id_action" data-value="update"> is shown for that choice only.
function showWhenChosen(element) {
  if (element.dataset.enhanced) return;
  element.dataset.enhanced = "yes";
  const control = document.getElementById(element.dataset.showWhen);
  if (!control) return;
  const refresh = () => { element.hidden = control.value !== element.dataset.value; };
  control.addEventListener("change", refresh);
  refresh();
}

document.addEventListener("DOMContentLoaded", () => enhance(document));
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));

// --- Upload progress ----------------------------------------------------------
document.addEventListener("htmx:xhr:progress", (event) => {
  const form = event.target.closest("form[data-upload]");
  if (!form || !event.detail.lengthComputable) return;
  const box = form.querySelector("[data-progress]");
  const percent = Math.round((event.detail.loaded / event.detail.total) * 100);
  box.hidden = false;
  box.querySelector("progress").value = percent;
  box.querySelector("[data-progress-text]").textContent =
    percent < 100 ? `Uploading… ${percent} %` : "Uploaded. Checking every row…";
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest && event.target.closest("form[data-upload]");
  const box = form && form.querySelector("[data-progress]");
  if (box) box.hidden = true;
});

// --- Polling ------------------------------------------------------------------
// A page that nobody looks at does not ask: a poll has no event that triggered it.
document.addEventListener("htmx:beforeRequest", (event) => {
  const polling = !event.detail.requestConfig.triggeringEvent;
  if (polling && document.hidden && event.detail.elt.hasAttribute("data-poll")) {
    event.preventDefault();
  }
});

// What was unfolded stays so when a part of the page is replaced by its newer self.
document.addEventListener("htmx:beforeSwap", (event) => {
  const open = [...event.detail.target.querySelectorAll("details[open][id]")].map((d) => d.id);
  if (!open.length) return;
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  }, { once: true });
});

// --- A request that failed on the way ------------------------------------------
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    if (event.detail.elt.hasAttribute && event.detail.elt.hasAttribute("data-poll")) return;
    const box = document.getElementById("page-problem");
    if (!box) return;
    const status = event.detail.xhr && event.detail.xhr.status;
    box.textContent = status
      ? `The console answered with an error (${status}). What you typed is still here. Look in Operations before you send again.`
      : "The console could not be reached. What you typed is still here. Look in Operations before you send again.";
    box.hidden = false;
    box.focus();
  });
}

// --- Filters --------------------------------------------------------------------
// <form data-lean> leaves out what is empty, so that its address can be read.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("form[data-lean]")) return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});
