// Browser notifications: the page that asks for news tells of them while nobody looks.
"use strict";

// --- Asking the browser: by a button alone ------------------------------------
// <p data-notify hidden> holds [data-notify-ask] and, where its answer is said,
// [data-notify-state]. It is shown where the browser has something to say.
const NOTIFY_WORDS = {
  granted: "Notifications are allowed in this browser.",
  denied: "This browser does not allow notifications of this site. Its settings can change that.",
};

function showNotify() {
  if (!("Notification" in window) || !window.isSecureContext) return;
  const answer = Notification.permission;
  document.querySelectorAll("[data-notify]").forEach((box) => {
    const state = box.querySelector("[data-notify-state]");
    box.querySelector("[data-notify-ask]").hidden = answer !== "default";
    if (state && NOTIFY_WORDS[answer]) state.textContent = NOTIFY_WORDS[answer];
    box.hidden = answer !== "default" && !state;
  });
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-notify-ask]")) return;
  await Notification.requestPermission();
  showNotify();
});

showNotify();

// --- Telling ---------------------------------------------------------------------
// The title begins with "…" while something goes on: what takes its place is news. It
// names no customer and no value.
const GOES_ON = "…";
let titleBefore = document.title;

function tellOfTitle() {
  const before = titleBefore;
  titleBefore = document.title;
  const isNews = before.startsWith(GOES_ON) && !titleBefore.startsWith(GOES_ON);
  if (!isNews || !document.hidden || !("Notification" in window)) return;
  if (Notification.permission !== "granted") return;
  // One for each page: the next one takes its place.
  const told = new Notification(titleBefore, { tag: location.pathname });
  told.addEventListener("click", () => { window.focus(); told.close(); });
}

new MutationObserver(tellOfTitle).observe(document.head, {
  childList: true, characterData: true, subtree: true,
});
