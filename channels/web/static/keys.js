// Keys for everything. A key is written beside what it does, as data-key on a link, button or field; scripts add others.
// No key ever fires while an input method composes, with a modifier held, or while somebody types.

const added = new Map();

/** Have a key do something. `always`: also while typing (function keys only). */
export function onKey(key, words, run, { always = false } = {}) {
  added.set(key, { words, run, always });
}

/** True while an input method is at work: its keys are not ours (keyCode 229 is how older browsers say so). */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

function isTyping(node) {
  if (!(node instanceof HTMLElement)) return false;
  if (node.isContentEditable || node.tagName === "TEXTAREA" || node.tagName === "SELECT") return true;
  return node.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes(node.type);
}

function isShown(node) {
  return node.getClientRects().length > 0 && !node.closest("[inert]");
}

function keyed(key) {
  return [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key && isShown(node));
}

function use(node) {
  const field = node.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
  if (field) {
    node.focus();
    node.select?.();
  } else if (node.matches("summary")) {
    node.parentElement.open = !node.parentElement.open;
    node.focus();
  } else {
    node.focus();
    node.click();
  }
}

function open(node) {
  const folded = node.closest("details:not([open])");
  if (folded && !node.matches("summary")) folded.open = true;
}

export function press(event) {
  if (event.defaultPrevented || isComposing(event)) return;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const typing = isTyping(event.target);
  if (event.key === "Escape" && typing && !event.target.closest("dialog")) {
    event.target.blur();
    return;
  }
  const own = added.get(event.key);
  const isFunction = /^F\d+$/.test(event.key);
  if (typing && !isFunction) return;
  if (own) {
    if (own.run(event) !== false) event.preventDefault();
    return;
  }
  const folded = [...document.querySelectorAll("details:not([open]) [data-key]")].find((n) => n.dataset.key === event.key);
  const node = keyed(event.key) ?? folded;
  if (!node) return;
  open(node);
  event.preventDefault();
  use(node);
}

/** Every key that works on this page now, as [key, words]. */
export function listed() {
  const found = new Map();
  for (const node of document.querySelectorAll("[data-key]")) {
    const words = node.dataset.keyWords || node.getAttribute("aria-label") || node.textContent.trim().slice(0, 20);
    if (!found.has(node.dataset.key)) found.set(node.dataset.key, words);
  }
  for (const [key, { words }] of added) if (words) found.set(key, words);
  return [...found];
}

const NAMES = { Enter: "回车", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", " ": "空格" };

export function showKeys() {
  document.getElementById("keys")?.remove();
  const dialog = document.createElement("dialog");
  dialog.id = "keys";
  dialog.setAttribute("aria-labelledby", "keys-title");
  const title = document.createElement("h2");
  title.id = "keys-title";
  title.textContent = "键盘操作";
  const list = document.createElement("dl");
  for (const [key, words] of [...listed(), ["Esc", "离开输入框，之后单键才起作用"]]) {
    const term = document.createElement("dt");
    const cap = document.createElement("kbd");
    cap.textContent = NAMES[key] ?? key;
    term.append(cap);
    const told = document.createElement("dd");
    told.textContent = words;
    list.append(term, told);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button plain";
  close.textContent = "关闭";
  close.addEventListener("click", () => dialog.close());
  dialog.append(title, list, close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

onKey("?", "显示全部按键", showKeys);
document.addEventListener("keydown", press);
