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

// --- Values of one line -------------------------------------------------------
// <textarea data-one-line>: Enter submits, as in any field of one line, and leaves no line
// end in the value. Shift+Enter makes one, where it is meant.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (!event.target.matches("textarea[data-one-line]")) return;
  event.preventDefault();
  // A click, since htmx sends the name of the button that was clicked last.
  event.target.form.querySelector("button:not([type=button])").click();
});

// --- Back to a form -------------------------------------------------------------
// The page as it was first loaded lacks the rows that came since: Back asks for the draft
// that the form became.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const form = event.detail.xhr.getResponseHeader("X-Back-To");
  if (form) history.replaceState(history.state, "", form);
});

// --- Ticking all ----------------------------------------------------------------
// <button data-tick-all="draft" hidden> ticks every box of that name, or none.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tick-all]");
  if (!button) return;
  const boxes = [...button.form.querySelectorAll(`[name="${button.dataset.tickAll}"]`)];
  const all = boxes.every((box) => box.checked);
  boxes.forEach((box) => { box.checked = !all; });
  button.dispatchEvent(new Event("change", { bubbles: true }));
});

// --- Choices that depend on a choice ----------------------------------------
// <select data-depends-on="id_project"> keeps only the options whose data-parent is the
// value chosen there. Without this script all options stay, grouped by their parent.
function keepOptionsInStep(select) {
  const parent = document.getElementById(select.dataset.dependsOn);
  if (!parent) return;
  const all = [...select.querySelectorAll("option")].map((option) => option.cloneNode(true));
  // Where nothing is chosen above, what is chosen here decides that, too.
  const grouped = [...select.children].map((child) => child.cloneNode(true));
  select.addEventListener("change", () => {
    const above = select.selectedOptions[0]?.dataset.parent;
    if (parent.value || !above) return;
    const wanted = select.value;
    parent.value = above;
    parent.dispatchEvent(new Event("change", { bubbles: true }));
    select.value = wanted;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  const refresh = () => {
    const chosen = select.value;
    if (!parent.value && parent.options.length > 1) {
      select.replaceChildren(...grouped.map((child) => child.cloneNode(true)));
      select.value = "";
      select.dispatchEvent(new Event("change", { bubbles: true }));
      return;
    }
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

// <select data-allowed-by="id_project" data-allowed-in="actions"> keeps only the options
// that the chosen one there names in its data-actions.
function keepActionsInStep(select) {
  const parent = document.getElementById(select.dataset.allowedBy);
  if (!parent) return;
  const all = [...select.querySelectorAll("option")].map((option) => option.cloneNode(true));
  const refresh = () => {
    const chosen = select.value;
    const actions = parent.selectedOptions[0]?.dataset[select.dataset.allowedIn]?.split(" ");
    const fitting = actions ? all.filter((option) => actions.includes(option.value)) : all;
    select.replaceChildren(...fitting.map((option) => option.cloneNode(true)));
    if (fitting.some((option) => option.value === chosen)) select.value = chosen;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  parent.addEventListener("change", refresh);
  refresh();
}

function enhance(root) {
  root.querySelectorAll("[data-click-on]").forEach((button) => {
    button.dataset.chosen ??= controlsOf(button).map(drawnValue).join(" ");
  });
  root.querySelectorAll("select[data-allowed-by]").forEach((select) => {
    if (select.dataset.enhanced) return;
    select.dataset.enhanced = "yes";
    keepActionsInStep(select);
  });
  root.querySelectorAll("select[data-depends-on]").forEach((select) => {
    if (select.dataset.enhanced) return;
    select.dataset.enhanced = "yes";
    keepOptionsInStep(select);
  });
  root.querySelectorAll("[data-show-when]").forEach(showWhenChosen);
  root.querySelectorAll("[data-tick-all]").forEach((button) => { button.hidden = false; });
}

// <div data-show-when="id_action" data-value="update delete"> is shown for these choices.
function showWhenChosen(element) {
  if (element.dataset.enhanced) return;
  element.dataset.enhanced = "yes";
  const control = document.getElementById(element.dataset.showWhen);
  if (!control) return;
  const values = element.dataset.value.split(" ");
  const refresh = () => { element.hidden = !values.includes(control.value); };
  control.addEventListener("change", refresh);
  refresh();
}

// <button data-click-on="id_object id_group"> is pressed once there are other choices than
// those the page was drawn for, as soon as the first of them has a value.
function controlsOf(button) {
  return button.dataset.clickOn.split(" ").map((id) => document.getElementById(id));
}

function drawnValue(control) {
  if (!control?.options) return control?.defaultValue || "";
  const drawn = [...control.options].find((option) => option.defaultSelected);
  return (drawn || control.options[0])?.value || "";
}

document.addEventListener("change", (event) => {
  document.querySelectorAll("[data-click-on]").forEach((button) => {
    const controls = controlsOf(button);
    if (!controls.includes(event.target)) return;
    clearTimeout(button.pressing);
    button.pressing = setTimeout(() => {
      const chosen = controls.map((control) => control?.value || "").join(" ");
      if (!controls[0].value || button.dataset.chosen === chosen) return;
      button.dataset.chosen = chosen;
      button.click();
    }, 50);
  });
});

// What is typed while the answer is on its way is not replaced by it.
function fieldsBehind(button) {
  const part = document.querySelector(button.getAttribute("hx-target"));
  return JSON.stringify([...part.querySelectorAll("input, select, textarea")].map((control) => control.value));
}
document.addEventListener("htmx:beforeRequest", (event) => {
  const button = event.detail.elt;
  if (button.matches("[data-click-on]")) button.typed = fieldsBehind(button);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const button = event.detail.requestConfig.elt;
  if (!button.matches("[data-click-on]")) return;
  if (button.typed !== fieldsBehind(button)) event.detail.shouldSwap = false;
});

document.addEventListener("DOMContentLoaded", () => enhance(document));
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));

// --- After a change -------------------------------------------------------------
// What was sent leads to the same page once more, which then is as it was left: scrolled
// and unfolded, with the focus on what was changed or comes after it. Or it leads to
// another page, whose heading gets the focus.
const LEFT = "left";

// What a <details> is called on the page before and on the one after it.
function foldKey(fold) {
  const summary = fold.querySelector(":scope > summary");
  if (fold.id || summary.id) return fold.id || summary.id;
  const named = fold.querySelectorAll(":scope > form > :is([name=rule], [name=column])");
  const words = summary.textContent.replace(/[\d,.\s]+/g, " ").trim();
  return [...named].map((input) => input.value).join(" in ") || words;
}

function foldsIn(root) {
  return [...root.querySelectorAll("details")].map((fold) => [foldKey(fold), fold.open]);
}

function unfold(root, folds) {
  const states = new Map(folds);
  root.querySelectorAll("details").forEach((fold) => {
    const key = foldKey(fold);
    if (states.has(key)) fold.open = states.get(key);
  });
}

function leaveBy(form) {
  const section = form.closest("section[aria-labelledby]");
  const around = form.closest("details");
  const follows = (fold) =>
    form.compareDocumentPosition(fold) & Node.DOCUMENT_POSITION_FOLLOWING;
  const next = section && (around || section.id === "findings")
    ? [...section.querySelectorAll("details")].filter((f) => f === around || follows(f))
    : [];
  sessionStorage.setItem(LEFT, JSON.stringify({
    path: location.pathname,
    top: window.scrollY,
    folds: foldsIn(document.querySelector("main")),
    next: next.map(foldKey),
    heading: section && section.getAttribute("aria-labelledby"),
  }));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "post" && form.closest("main:not(.alone)") && !event.defaultPrevented) leaveBy(form);
});
// The page of a file need not lead back to a place on it: that would move the focus after
// this did.
document.addEventListener("formdata", (event) => {
  if (event.target.elements.edition) event.formData.set("comes_back", "1");
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { elt, xhr } = event.detail;
  if (elt.matches("form") && xhr.getResponseHeader("HX-Redirect")) leaveBy(elt);
});

document.addEventListener("DOMContentLoaded", () => {
  const left = JSON.parse(sessionStorage.getItem(LEFT));
  // A file that is being checked is shown again once that is done.
  const isBusy = document.querySelector("#file-work[data-poll]");
  if (isBusy) return;
  sessionStorage.removeItem(LEFT);
  if (!left) return;
  const isSame = left.path === location.pathname;
  const main = document.querySelector("main");
  if (isSame) {
    unfold(main, left.folds);
    window.scrollTo({ top: left.top, behavior: "instant" });
  }
  if (!main.querySelector("[autofocus]")) focusOn((isSame && placeIn(main, left)) || main.querySelector("h1"));
});

function placeIn(main, left) {
  const folds = new Map([...main.querySelectorAll("details")].map((f) => [foldKey(f), f]));
  const next = left.next.find((key) => folds.has(key));
  if (next) return folds.get(next).querySelector("summary");
  const heading = left.heading && document.getElementById(left.heading);
  return heading || document.getElementById("verdict-heading");
}

function focusOn(element) {
  if (!element) return;
  if (!element.matches("a, button, input, summary")) element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest", behavior: "instant" });
}

// News come into a page in the same way: what was unfolded stays so.
let foldsBefore = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  foldsBefore = foldsIn(event.detail.target);
});
document.addEventListener("htmx:afterSwap", (event) => {
  const id = event.detail.target.id;
  unfold((id && document.getElementById(id)) || event.detail.elt, foldsBefore);
});

// So do the parts of a page that come along with the news of another one.
const foldsOfParts = new Map();
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target } = event.detail;
  if (target) foldsOfParts.set(target.id, foldsIn(target));
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const part = document.getElementById(event.detail.target.id);
  if (part) unfold(part, foldsOfParts.get(part.id) || []);
});

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
// <div data-poll hx-trigger="every 2s"> asks for news again and again. Nobody looks at a
// hidden page, but its title should tell of the end: it asks once a minute. So does one
// that gets no answer, at last; when there is one again it goes on as if nothing was. All
// that time only its first part asks, the one that names the state.
const HIDDEN_PAUSE = 60_000;
const SIGNED_OUT_PAUSE = 30_000;
const LONGEST_PAUSE = 60_000;
const POLL_TIMEOUT = 30_000;
const polling = { askedAt: new Map(), failures: 0, signedOut: false };

function isPoll(element) {
  return element instanceof Element && element.hasAttribute("data-poll");
}

function pollPause() {
  if (document.hidden) return HIDDEN_PAUSE;
  if (polling.signedOut) return SIGNED_OUT_PAUSE;
  return polling.failures ? Math.min(LONGEST_PAUSE, 1_000 * 2 ** polling.failures) : 0;
}

function isFirstPoll(element) {
  return element === document.querySelector("[data-poll]");
}

function mayPoll(element) {
  const pause = pollPause();
  if (!pause) return true;
  const last = polling.askedAt.get(element.id);
  const isTime = last === undefined || performance.now() - last >= pause;
  return isTime && isFirstPoll(element);
}

document.addEventListener("htmx:configRequest", (event) => {
  if (!isPoll(event.detail.elt)) return;
  // By this the console knows that nobody did anything: it keeps no session alive.
  event.detail.headers["X-Poll"] = "1";
  event.detail.timeout = POLL_TIMEOUT;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const element = event.detail.elt;
  if (!isPoll(element)) return;
  if (mayPoll(element)) polling.askedAt.set(element.id, performance.now());
  else event.preventDefault();
});

document.addEventListener("htmx:afterRequest", (event) => {
  // With news the part itself is gone by now: the event comes from what is around it.
  if (isPoll(event.detail.requestConfig.elt) && event.detail.successful) pollAnswered();
});

for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    if (isFirstPoll(event.detail.elt)) pollFailed(event.detail.xhr.status);
  });
}

function pollAnswered() {
  if (polling.signedOut) renewTokens();
  polling.failures = 0;
  polling.signedOut = false;
  sayOfPolling("");
}

function pollFailed(status) {
  polling.failures += 1;
  polling.signedOut = status === 401;
  if (polling.signedOut) sayOfPolling("signed-out");
  else if (status >= 400 && status < 500) sayOfPolling("refused");
  // One answer that was lost is no news.
  else if (polling.failures > 1) sayOfPolling("unreachable");
}

function sayOfPolling(what) {
  document.querySelectorAll("[data-about-polling]").forEach((notice) => {
    notice.hidden = notice.dataset.aboutPolling !== what;
  });
  const link = document.getElementById("sign-in-again");
  if (link) link.search = `?next=${encodeURIComponent(location.pathname + location.search)}`;
}

// Signing in again made a new token; the forms of this page hold the one before.
function renewTokens() {
  const token = currentToken();
  if (!token) return;
  document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => {
    input.value = token;
  });
}

function currentToken() {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return token && token[1];
}

function pollNow() {
  polling.askedAt.clear();
  document.querySelectorAll("[data-poll]").forEach((element) => {
    htmx.ajax("GET", element.getAttribute("hx-get"), { source: element });
  });
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) pollNow(); });
window.addEventListener("online", pollNow);

// --- A request that failed on the way ------------------------------------------
// What the page of an error says of the data; nothing where a proxy answered instead.
function toldByPage(html) {
  const text = new DOMParser().parseFromString(html, "text/html").querySelector("[data-error]");
  return text && text.textContent.trim();
}

// A form that comes back with 413 is shown; the page of an error holds nothing of it.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status !== 413 || !toldByPage(xhr.responseText)) return;
  event.detail.shouldSwap = false;
  event.detail.isError = true;
});

for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    if (isPoll(event.detail.elt)) return;
    const box = document.getElementById("page-problem");
    if (!box) return;
    const status = event.detail.xhr && event.detail.xhr.status;
    const told = [413, 503].includes(status) && toldByPage(event.detail.xhr.responseText);
    if (told) box.textContent = `${told} What you typed is still here.`;
    else box.textContent = status
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

// --- Back to a list --------------------------------------------------------------
// The way back above a page leads to the list as it was narrowed last in this tab.
(() => {
  const kept = (path) => `list ${path}`;
  try {
    if (document.querySelector("main > form.filters[method=get]")) {
      sessionStorage.setItem(kept(location.pathname), location.search);
    }
    for (const link of document.querySelectorAll(".crumbs a")) {
      const query = sessionStorage.getItem(kept(link.pathname));
      if (!query || link.search) continue;
      link.search = query;
      link.append(", filtered");
    }
  } catch {
    // A browser that keeps nothing leads to the whole list.
  }
})();
