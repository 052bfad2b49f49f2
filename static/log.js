// The log of an operation: it keeps its end in view, and is shown as the reader likes.
"use strict";

// --- Following --------------------------------------------------------------------
// New entries come below. Who reads the last one keeps seeing the last one; who reads
// anything else is left there.
let isAtEnd = false;

function endOfLog() {
  return document.getElementById("log-end");
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "operation-log") return;
  const end = endOfLog()?.getBoundingClientRect();
  const isPolled = event.detail.requestConfig.elt.hasAttribute("data-poll");
  isAtEnd = isPolled && Boolean(end) && end.top >= 0 && end.top <= window.innerHeight;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "operation-log" || !isAtEnd) return;
  isAtEnd = false;
  endOfLog()?.scrollIntoView({ block: "end", behavior: "instant" });
});

// --- Back to what is shown now -------------------------------------------------------
// The address may be another one than that of the page as it came.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-back-here]")) return;
  event.target.elements.next.value = `${location.pathname}${location.search}#log`;
});
