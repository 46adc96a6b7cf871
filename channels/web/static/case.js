// The case page: the length of a reply while it is typed, the first field of an opened step, keys to its parts.
import { onKey } from "./keys.js";

const SINGLE = 70;
const PART = 67;

/** Short messages a text takes: one of 70 UCS-2 units, or parts of 67 (3GPP TS 23.040). The server counts the same way. */
export function partsOf(text) {
  return text.length <= SINGLE ? 1 : Math.ceil(text.length / PART);
}

for (const hint of document.querySelectorAll("[data-length-of]")) {
  const field = document.getElementById(hint.dataset.lengthOf);
  const count = () => {
    const parts = partsOf(field.value);
    hint.textContent = `${field.value.length} 字，${parts === 1 ? "一条短信" : `${parts} 条短信`}${parts > 3 ? "，最多 3 条，请缩短" : ""}。`;
    hint.classList.toggle("fault", parts > 3);
  };
  field?.addEventListener("input", count);
}

// A step opened on purpose begins in its first field that still asks for something; Esc leads out of it. Only after the
// page is loaded: going to the fragment moves the focus too.
function beginStep() {
  const fields = [...document.querySelectorAll(".step-form :is(input:not([type=hidden]), select, textarea)")];
  (fields.find((field) => field.required && !field.value) ?? fields[0])?.focus({ preventScroll: true });
}
if (location.hash === "#step" && !document.getElementById("problem")) {
  if (document.readyState === "complete") beginStep();
  else window.addEventListener("load", () => setTimeout(beginStep));
}

const go = (id, words) => (document.getElementById(id) ? [words, () => document.getElementById(id).scrollIntoView({ block: "start" })] : null);
for (const [key, id, words] of [["e", "debts", "看回复"], ["k", "course", "看办理经过"], ["s", "step", "到办理"]]) {
  const found = go(id, words);
  if (found) onKey(key, ...found);
}
