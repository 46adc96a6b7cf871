// What every page of the desk does: keys, live news, a hint on the open case, conditions that follow the chosen class.
import "./keys.js";
import "./live.js";
import "./pop.js";
import { onKey } from "./keys.js";

const live = document.getElementById("live");
const shown = document.querySelector("[data-case]");
const isQueue = document.getElementById("queue") !== null;

document.addEventListener("desk-change", ({ detail }) => {
  // The queue renews itself; a case page tells of its own case only; other pages stay quiet.
  if (!live || isQueue || !shown || detail.case_no !== shown.dataset.case) return;
  live.hidden = false;
});

document.addEventListener("desk-presence", ({ detail }) => {
  for (const node of document.querySelectorAll(`[data-watchers="${CSS.escape(detail.case_no)}"]`)) {
    const others = detail.people.filter(([user]) => user !== document.body.dataset.me).map(([, name]) => name);
    node.textContent = others.length ? `${others.join("、")} 正在看` : "";
  }
});

// An operator asks for the shift leader: said once, over whatever page he has open.
document.addEventListener("desk-abuse", ({ detail }) => {
  const words = document.createElement("p");
  words.className = "flash bad";
  words.setAttribute("role", "alert");
  words.textContent = `${detail.who} 报告来电辱骂、骚扰，请协助。`;
  document.getElementById("pop")?.before(words);
});

for (const button of document.querySelectorAll("button[data-refresh]")) {
  const chosen = button.form.elements.namedItem("subclass");
  if (chosen && button.form.elements.namedItem("condition")) {
    chosen.addEventListener("change", () => button.form.requestSubmit(button));
  }
}

document.getElementById("problem")?.focus();

const go = (href) => () => {
  location.href = href;
};
for (const [key, id] of [["c", "new-call"], ["l", "late-entry"]]) {
  onKey(key, document.getElementById(id) ? document.getElementById(id).textContent.trim() : "", () => {
    const form = document.getElementById(id)?.closest("form");
    if (!form) return false;
    form.requestSubmit();
    return true;
  });
}
onKey("q", "回到队列", go("/desk"));
