// The call screen: what is typed is kept as a draft without being asked; suggestions are taken up by a key, never by
// themselves; the map is drawn when somebody opens it.
import { isComposing } from "./keys.js";
import { openMap } from "./map.js";

const form = document.getElementById("call");
const saved = document.getElementById("saved");
const field = (name) => form.elements.namedItem(name);
const SAVE_AFTER_MS = 700;
const TRY_AGAIN_MS = 3000;
let timer = 0;
let busy = null;
let dirty = false;
let stale = false;

function tell(words, bad = false) {
  saved.textContent = words;
  saved.classList.toggle("bad", bad);
}

/** Keep the draft now; resolves when it is kept or cannot be. */
async function save() {
  clearTimeout(timer);
  if (busy) await busy;
  if (!dirty || stale) return;
  dirty = false;
  busy = send().finally(() => {
    busy = null;
  });
  await busy;
}

async function send() {
  let answer = null;
  try {
    answer = await fetch(form.getAttribute("action"), {
      method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)), keepalive: true,
    });
  } catch {
    answer = null;
  }
  if (answer?.ok && answer.headers.get("Content-Type")?.includes("json")) {
    const told = await answer.json();
    field("version").value = told.version;
    tell(told.words);
  } else if (answer?.status === 409) {
    stale = true;
    tell("这份草稿已在另一个窗口里修改；本页内容没有丢失，点“保存草稿”可另存一份。", true);
  } else {
    dirty = true;
    tell("暂时没有存上，正在重试；内容仍在本页。", true);
    timer = setTimeout(save, TRY_AGAIN_MS);
  }
}

function changed() {
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_AFTER_MS);
}

form.addEventListener("input", changed);
form.addEventListener("change", changed);
document.addEventListener("visibilitychange", () => document.hidden && save());
window.addEventListener("pagehide", save);

// Enter in a field must not send the form half-way; Ctrl+Enter ends the call from anywhere.
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || isComposing(event)) return;
  const end = form.querySelector("[data-key=F8]");
  if (event.ctrlKey) {
    event.preventDefault();
    form.requestSubmit(end);
  } else if (event.target.matches("input:not([type=checkbox]):not([type=radio])")) {
    event.preventDefault();
    event.target.closest(".field")?.querySelector(".suggestion")?.click();
  }
});

// A form that goes away first has what is typed kept, so that its version is the last one.
form.addEventListener("submit", (event) => {
  if (!dirty && !busy) return;
  event.preventDefault();
  // Nobody else must take this for the sending itself.
  event.stopPropagation();
  const by = event.submitter;
  // Not before this event is over: a form does not submit while it is submitting.
  save().then(() => setTimeout(() => {
    dirty = false;
    form.requestSubmit(by ?? undefined);
  }));
}, { capture: true });

function ask(name, node) {
  window.htmx?.trigger(node, name);
}

function pickClass(button) {
  const chosen = field("subclass");
  chosen.value = button.dataset.pickClass;
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
  document.getElementById("p-classes").replaceChildren();
  field("class_query").value = "";
}

function pickPlace(button) {
  field("place").value = button.dataset.pickPlace;
  field("picked").value = button.dataset.name;
  field("lon").value = button.dataset.lon;
  field("lat").value = button.dataset.lat;
  placed();
  field("place").focus();
}

/** The place is settled: grid, spot, unit and limits follow it. */
function placed() {
  changed();
  ask("picked", field("place"));
  for (const [panel, target] of [["spot", "p-spot"], ["outlook", "p-outlook"]]) {
    window.htmx?.ajax("POST", `${form.getAttribute("action")}/panel/${panel}`, { source: form, target: `#${target}` });
  }
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.pickClass) {
    event.preventDefault();
    pickClass(button);
  } else if (button.dataset.pickPlace !== undefined) {
    event.preventDefault();
    pickPlace(button);
  } else if (button.dataset.answered) {
    field("article").value = button.dataset.answered;
    form.querySelector("input[name=outcome][value=enquiry]").checked = true;
    changed();
    form.querySelector("[data-key=F8]").focus();
  } else if ("drop" in button.dataset && !window.confirm("删除这份草稿？")) {
    event.preventDefault();
  }
});

// In the empty look-up field 1, 2 and 3 take the suggestions, so that no hand leaves the keys. No code begins with them.
field("class_query").addEventListener("keydown", (event) => {
  if (isComposing(event) || field("class_query").value) return;
  const button = form.querySelector(`#p-suggest [data-key="${CSS.escape(event.key)}"]`);
  if (!button) return;
  event.preventDefault();
  pickClass(button);
});

// Arrows walk from a field into its list and back.
form.addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || isComposing(event)) return;
  const box = event.target.closest(".field");
  const all = [...(box?.querySelectorAll(".suggestion") ?? [])];
  const at = all.indexOf(event.target.closest(".suggestion"));
  if (!all.length || event.target.matches("select, textarea, [type=radio]")) return;
  event.preventDefault();
  const next = at + (event.key === "ArrowDown" ? 1 : -1);
  (all[next] ?? (next < 0 ? box.querySelector("input") : all.at(-1))).focus();
});

const box = form.querySelector(".map-box");
box?.addEventListener("toggle", () => {
  if (!box.open) return;
  openMap(document.getElementById("map"), {
    at: () => [field("lon").value, field("lat").value].map(Number),
    take: (lon, lat) => {
      field("lon").value = lon.toFixed(6);
      field("lat").value = lat.toFixed(6);
      field("picked").value = "";
      placed();
    },
  });
});

// Where open cases wait, the keys do; otherwise the first word may be typed at once.
if (!form.querySelector(".past.open") && !document.getElementById("problem") && !location.hash) field("what").focus();
if (location.hash) document.querySelector(location.hash)?.focus();
