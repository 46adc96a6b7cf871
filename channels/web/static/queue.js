// The live queue: renewed when something happened, never more often than every three seconds and at a moment of its own,
// so that two hundred consoles do not all ask at once. Rows are walked by j and k; the focus itself is the mark.
import { onKey } from "./keys.js";

const queue = document.getElementById("queue");
const LEAST_MS = 3000;
let timer = 0;
let renewedAt = 0;

function renew() {
  if (document.hidden) {
    timer = -1;
    return;
  }
  timer = 0;
  renewedAt = Date.now();
  if (window.htmx) {
    window.htmx.trigger(queue, "desk-refresh");
  } else {
    document.getElementById("live").hidden = false;
  }
}

function soon() {
  if (timer > 0) return;
  const rest = Math.max(0, LEAST_MS - (Date.now() - renewedAt));
  timer = setTimeout(renew, rest + 300 + Math.random() * 900);
}

document.addEventListener("desk-change", soon);
document.addEventListener("visibilitychange", () => !document.hidden && timer === -1 && renew());
onKey("r", "刷新队列", renew);

const links = () => [...queue.querySelectorAll("tr[data-row] th a")];
const current = () => document.activeElement?.closest?.("tr[data-row]");

function move(step) {
  const all = links();
  if (!all.length) return;
  const at = all.findIndex((link) => link.closest("tr") === current());
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function inRow(selector, what) {
  return () => {
    const row = current() ?? queue.querySelector("tr[data-row]");
    const found = row?.querySelector(selector);
    if (!found) return false;
    what(found);
    return true;
  };
}

onKey("j", "下一件", () => move(1));
onKey("k", "上一件", () => move(-1));
onKey("o", "打开所选案件", inRow("th a", (link) => link.click()));
onKey("t", "接单", inRow("form.take", (form) => form.requestSubmit()));
onKey("h", "移交或指派", inRow("a.hand", (link) => link.click()));

// A renewed row takes the place of the one that had the focus.
let held = "";
queue.addEventListener("htmx:beforeSwap", () => {
  held = document.activeElement?.closest?.("#queue [id]")?.id ?? "";
});
queue.addEventListener("htmx:afterSettle", () => {
  if (held && document.activeElement === document.body) document.getElementById(held)?.focus({ preventScroll: true });
});
