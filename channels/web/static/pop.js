// A call at the operator's own telephone: a panel over whatever page is open. Nothing is taken away from what he does; one
// key opens the call's page, and drafts are saved before it opens.
import { onKey } from "./keys.js";

const panel = document.getElementById("pop");
let ringing = "";

async function show(call) {
  if (!panel || document.querySelector(`[data-call="${CSS.escape(call)}"]`)) return;
  const answer = await fetch(`/desk/pop/${encodeURIComponent(call)}`, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  panel.innerHTML = await answer.text();
  ringing = call;
  document.title = document.title.replace(/^(☎ )?/, "☎ ");
}

function hide(call) {
  if (!panel || (call && call !== ringing)) return;
  ringing = "";
  panel.replaceChildren();
  document.title = document.title.replace(/^☎ /, "");
}

/** The state of one's own telephone, in the menu of every page. */
function tellLine(state) {
  const line = document.getElementById("line");
  const words = line?.getAttribute(`data-${state}`);
  if (!words) return;
  line.className = `line is-${state}`;
  line.querySelector("span").textContent = words;
  document.dispatchEvent(new CustomEvent("desk-line", { detail: { state } }));
}

document.addEventListener("desk-phone", ({ detail }) => {
  const call = String(detail.version);
  if (detail.step === "phone.ringing" || detail.step === "phone.answered") show(call);
  else if (detail.step === "phone.line") tellLine(detail.state);
  else if (detail.step === "phone.ended" && panel?.querySelector("[data-answered]") === null) hide(call);
});

if (panel) {
  onKey("F9", "打开来电", () => {
    const form = panel.querySelector("form");
    if (!form) return false;
    form.requestSubmit();
    return true;
  });
  // What rang while no page was open.
  fetch("/desk/pop", { headers: { Accept: "text/html" } }).then(async (answer) => {
    if (answer.status === 200 && !ringing) panel.innerHTML = await answer.text();
  }).catch(() => undefined);
}
