// One connection for live news. Words that arrive are handed on as events of the document: desk-change, desk-presence,
// desk-phone. A browser opens six connections to a host at most, so of several hidden pages only one keeps its own.

const hint = document.getElementById("live");
const shown = document.querySelector("[data-case]");
const channel = "BroadcastChannel" in window ? new BroadcastChannel("desk-live") : null;
let last = hint?.dataset.after ?? "";
let news = null;
let waiting = 0;

function hand(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

function listen() {
  if (news || !hint) return;
  const asked = new URLSearchParams({ after: last });
  if (shown) asked.set("case", shown.dataset.case);
  news = new EventSource(`/desk/live?${asked}`);
  news.addEventListener("open", () => hand("desk-online", {}));
  news.addEventListener("error", () => hand("desk-offline", {}));
  news.addEventListener("change", (event) => {
    last = event.lastEventId || last;
    const data = JSON.parse(event.data);
    hand(data.step.startsWith("phone.") ? "desk-phone" : "desk-change", data);
  });
  for (const name of ["presence", "abuse", "ask"]) {
    news.addEventListener(name, (event) => hand(`desk-${name}`, JSON.parse(event.data)));
  }
}

function rest() {
  news?.close();
  news = null;
}

/** A hidden page goes on listening unless another page of this browser does. */
function askOthers() {
  clearTimeout(waiting);
  if (!channel || !document.hidden) return;
  let answered = false;
  const hear = (event) => {
    answered ||= event.data === "listening";
  };
  channel.addEventListener("message", hear);
  channel.postMessage("who");
  waiting = setTimeout(() => {
    channel.removeEventListener("message", hear);
    if (document.hidden) answered ? rest() : listen();
  }, 200 + Math.random() * 400);
}

channel?.addEventListener("message", (event) => {
  if (event.data === "who" && news && !document.hidden) channel.postMessage("listening");
  if (event.data === "gone" && document.hidden) askOthers();
});
document.addEventListener("visibilitychange", () => (document.hidden ? askOthers() : listen()));
window.addEventListener("pagehide", () => {
  channel?.postMessage("gone");
  rest();
});
window.addEventListener("pageshow", (event) => event.persisted && listen());
if ("EventSource" in window) listen();
