// Everything that Millrace's pages do by script; each page works without it.
// Hooks: data-theme-choice, data-copy, data-dialog, data-close, data-autosubmit, data-checked-anew, data-filters, data-once, #modal, #messages.
"use strict";

const root = document.documentElement;
const messages = () => document.getElementById("messages");
const modal = () => document.getElementById("modal");

// --- Theme -------------------------------------------------------------------------------------

function showTheme() {
  const current = root.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
  }
}

function chooseTheme(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage is blocked: the choice lasts for this page.
  }
  showTheme();
}

// --- Shown once --------------------------------------------------------------------------------

// What a page shows only once is not there when somebody comes back to it.
addEventListener("pagehide", () => {
  for (const shown of document.querySelectorAll("[data-once]")) shown.remove();
});

// --- Messages ----------------------------------------------------------------------------------

// Texts of success go by themselves, unless someone is reading them; problems stay until dismissed.
const LINGER_MS = 8000;

function settle(toast) {
  if (!toast.matches(".tone-ok, .tone-info")) return;
  setTimeout(function leave() {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, LINGER_MS);
    else toast.remove();
  }, LINGER_MS);
}

function say(text, tone = "error") {
  const template = document.getElementById("toast-template");
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.classList.add(`tone-${tone}`);
  toast.querySelector(".toast-text").textContent = text;
  // A modal dialog makes the rest of the page inert, so its messages have to be inside it.
  const dialog = document.querySelector("dialog[open]");
  if (dialog) dialog.prepend(toast);
  else messages().append(toast);
  settle(toast);
}

// --- Copy --------------------------------------------------------------------------------------

async function copy(button) {
  const value = button.dataset.copy || document.getElementById(button.dataset.copyFrom).textContent;
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    say("The browser did not allow copying. Select the text and copy it by hand.", "warn");
    return;
  }
  button.dataset.copied = "";
  button.querySelector("[data-copy-word]").textContent = "Copied";
  setTimeout(() => {
    delete button.dataset.copied;
    button.querySelector("[data-copy-word]").textContent = button.dataset.copyLabel;
  }, 2000);
}

// --- Clicks: one listener, so that swapped-in fragments need no wiring ------------------------

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-theme-choice], [data-copy], [data-copy-from], [data-dialog], [data-close], dialog");
  if (!target) return;
  if (target.dataset.themeChoice) {
    chooseTheme(target.dataset.themeChoice);
  } else if ("copy" in target.dataset || "copyFrom" in target.dataset) {
    copy(target);
  } else if (target.dataset.dialog) {
    const dialog = document.getElementById(target.dataset.dialog);
    if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return; // the link leads to a page that does the same
    event.preventDefault();
    target.closest("[popover]")?.hidePopover();
    dialog.showModal();
  } else if ("close" in target.dataset) {
    const closing = target.closest("dialog, .toast, [popover]");
    if (!closing) return;
    event.preventDefault();
    if (closing.matches("dialog")) closing.close();
    else if (closing.matches("[popover]")) closing.hidePopover();
    else closing.remove();
  } else if (target === event.target && target.matches("dialog")) {
    target.close(); // a click on the backdrop
  }
});

// Choosing in a menu closes it; Escape and clicks outside are the browser's own doing.
document.addEventListener("click", (event) => {
  const item = event.target.closest(".menu a, .menu button.menu-item");
  if (item && !item.dataset.themeChoice) item.closest("[popover]")?.hidePopover();
});

document.addEventListener("change", (event) => {
  if (event.target.closest("form[data-autosubmit]")) event.target.form.requestSubmit();
});

// A field that the page checks anew when it changes says what was wrong with the value before no longer.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!field.matches("[data-checked-anew] [aria-invalid]")) return;
  field.removeAttribute("aria-invalid");
  field.closest("[data-checked-anew]").querySelector(".errorlist")?.replaceChildren();
  if (!field.form.querySelector("[aria-invalid]")) field.form.querySelector("[data-wrong-fields]")?.remove();
});

// A list of choices that opens below its button: the button says what is chosen; a click on a choice closes the list,
// and so does Enter, which would send the form.
document.addEventListener("change", ({ target }) => {
  if (!target.matches(".chooser [data-label]")) return;
  const button = document.querySelector(`[popovertarget="${target.closest(".chooser").id}"]`);
  button.querySelector("[data-chosen]").textContent = target.dataset.label;
});
document.addEventListener("click", (event) => {
  // Arrow keys make clicks, too, without a detail.
  if (event.detail && event.target.closest(".chooser-choice")) setTimeout(() => event.target.closest(".chooser")?.hidePopover());
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches(".chooser input")) return;
  event.preventDefault();
  if (event.target.matches("[data-label]")) event.target.closest(".chooser").hidePopover();
});

// Where the browser cannot anchor a popover to its button, place it by hand.
if (!CSS.supports("position-area: block-end")) {
  document.addEventListener("toggle", (event) => {
    if (event.newState !== "open" || !event.target.matches(".menu[popover]")) return;
    const button = document.querySelector(`[popovertarget="${event.target.id}"]`);
    const anchor = button.getBoundingClientRect();
    const menu = event.target.getBoundingClientRect();
    const left = event.target.matches(".menu-start") ? anchor.left : anchor.right - menu.width;
    const below = anchor.bottom + menu.height < innerHeight || anchor.top < menu.height;
    event.target.style.left = `${Math.max(8, Math.min(left, innerWidth - menu.width - 8))}px`;
    event.target.style.top = `${below ? anchor.bottom : anchor.top - menu.height - 8}px`;
  }, true);
}

// --- Not in step with git ----------------------------------------------------------------------

// The details open on hover and on keyboard focus as well; opening and closing them by a click is the browser's doing.
const LEAVE_MS = 250;
let leaving;

const stateOf = (event) => event.target.closest?.(".git-state");
const detailsOf = (state) => state.querySelector("[popover]");

function openState(state) {
  clearTimeout(leaving);
  const other = document.querySelector("[popover]:popover-open:not(.git-state-details)");
  if (!other && !detailsOf(state).matches(":popover-open")) detailsOf(state).showPopover();
}

document.addEventListener("pointerover", (event) => {
  const state = stateOf(event);
  if (state && event.pointerType === "mouse") openState(state);
});
document.addEventListener("pointerout", (event) => {
  const state = stateOf(event);
  if (!state || event.pointerType !== "mouse" || state.contains(event.relatedTarget)) return;
  clearTimeout(leaving);
  leaving = setTimeout(() => detailsOf(state).hidePopover(), LEAVE_MS); // time to reach the details
});
document.addEventListener("focusin", (event) => {
  const state = stateOf(event);
  if (state && event.target.matches(":focus-visible")) openState(state);
});
document.addEventListener("focusout", (event) => {
  const state = stateOf(event);
  if (state && !state.contains(event.relatedTarget)) detailsOf(state).hidePopover();
});
document.addEventListener("click", (event) => {
  // The mouse has opened it by coming here: its click does not close it again.
  const sign = event.pointerType === "mouse" && event.target.closest(".git-state-sign");
  if (sign && detailsOf(sign.parentElement).matches(":popover-open")) event.preventDefault();
});

// --- Many things to choose from ----------------------------------------------------------------

document.addEventListener("input", ({ target }) => {
  if (!target.dataset?.filters) return;
  const words = target.value.trim().toLowerCase();
  const has = (element) => element.textContent.toLowerCase().includes(words);
  const within = document.getElementById(target.dataset.filters);
  for (const group of within.children) {
    const name = group.querySelector(".pick-group-name");
    const whole = name !== null && has(name);
    for (const pick of group.querySelectorAll(".pick")) pick.hidden = !whole && !has(pick);
    for (const part of group.querySelectorAll("fieldset")) part.hidden = !part.querySelector(".pick:not([hidden])");
    group.hidden = !group.querySelector(".pick:not([hidden])");
    if (words && !group.hidden) group.open = true;
  }
  document.getElementById(`${within.id}-none`).hidden = Boolean(within.querySelector(":scope > :not([hidden])"));
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.dataset?.filters) event.preventDefault(); // it would send the form
});
document.addEventListener("change", ({ target }) => {
  const group = target.closest(".pick-group");
  if (group) group.querySelector("[data-chosen]").textContent = group.querySelectorAll(":checked").length;
});

// --- htmx --------------------------------------------------------------------------------------

const BY_STATUS = {
  401: "You are signed out. Reload the page and sign in again.",
  403: "You may not do this. Ask an administrator of your organisation.",
  404: "This is no longer here. Reload the page to see what is.",
  409: "Someone else changed this in the meantime. Reload the page and try again.",
  413: "This is too large for the server.",
  429: "Too many requests. Wait a moment and try again.",
};

// What the server itself says about a failed request: the sentence of an error page and its messages, or plain text.
function* saidBy(xhr) {
  const type = xhr.getResponseHeader("Content-Type") ?? "";
  if (type.startsWith("text/plain") && xhr.responseText.length <= 300) yield [xhr.responseText.trim(), "error"];
  if (!type.startsWith("text/html")) return;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const sentence = page.querySelector("[data-error-message]");
  if (sentence) yield [sentence.textContent.trim(), "error"];
  for (const toast of page.querySelectorAll("#messages .toast")) {
    const tone = toast.className.match(/tone-(\w+)/)?.[1];
    yield [toast.querySelector(".toast-text").textContent.trim(), tone];
  }
}

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const said = [...saidBy(xhr)].filter(([text]) => text);
  const fallback = BY_STATUS[xhr.status] ?? "The server could not do this. Try again; if it goes on, look at the server's log.";
  for (const [text, tone] of said.length ? said : [[fallback, "error"]]) say(text, tone);
});
document.addEventListener("htmx:sendError", () => say("The server could not be reached. Check the connection and try again."));
document.addEventListener("htmx:timeout", () => say("The server took too long to answer. Try again."));
document.addEventListener("htmx:swapError", () => say("The answer could not be shown. Reload the page."));

// Where a button is disabled until the answer comes, or the answer replaces what has the focus, the focus would be
// nowhere: it goes to what has the same id then, or to all that is new.
const focused = new WeakMap();
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const had = document.activeElement;
  if (had !== document.body && (had.matches("button") || detail.target.contains(had))) focused.set(detail.xhr, had);
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const had = focused.get(detail.xhr);
  if (!had || document.activeElement !== document.body) return;
  const place = had.isConnected ? had : document.getElementById(had.id) ?? document.getElementById(detail.target.id);
  place?.focus({ preventScroll: true });
  if (!place || document.activeElement === place) return;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
});

// Fragments that land in #modal open it; HX-Trigger: closeModal closes it.
document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = modal();
  if (event.detail.target !== dialog) return;
  if (dialog.childElementCount === 0) dialog.close();
  else if (!dialog.open) dialog.showModal();
});
document.addEventListener("closeModal", () => modal().close());

// New messages, wherever they came from.
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) if (node.matches?.(".toast")) settle(node);
  }
}).observe(messages(), { childList: true });

// Where a bar of links does not fit, the current one is in sight.
for (const current of document.querySelectorAll(":is(.main-nav, .tabs) [aria-current]")) {
  const bar = current.closest(".main-nav, .tabs");
  const [inside, outside] = [current.getBoundingClientRect(), bar.getBoundingClientRect()];
  bar.scrollLeft += inside.left - outside.left - (outside.width - inside.width) / 2;
}

messages().querySelectorAll(".toast").forEach(settle);
showTheme();
