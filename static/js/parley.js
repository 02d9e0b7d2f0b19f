/*
 * Comforts: each page works without them. It reads data-* and never writes markup. It hears htmx 4 (htmx:after:settle,
 * detail.ctx) and htmx 2 (htmx:afterSettle, detail.xhr), named side by side.
 */
(() => {
  "use strict";

  const NOT_OURS = "The server did not answer properly. Your text is still here; try again.";
  const NO_ANSWER = "The server can't be reached. Your text is still here; try again.";

  const byId = (id) => document.getElementById(id);
  const on = (names, deed) => names.split(" ").forEach((name) => document.addEventListener(name, deed));

  /* Focus and speech */

  let told = null;       // our own message, gone with the next request
  let held = null;       // what had the focus when the request began
  let heir = null;       // the id that takes it over if that vanishes

  const focus = (element) => {
    if (!element) return;
    if (element.tabIndex < 0 && !element.hasAttribute("tabindex")) element.tabIndex = -1;
    element.focus();
    if (element.matches("textarea")) element.setSelectionRange(element.value.length, element.value.length);
  };

  /* a new message is on top for a while (css: unpin) */
  const pin = () => byId("flash")?.getAnimations?.().forEach((animation) => animation.play());

  const flash = (sentence, kind) => {
    const line = document.createElement("p");
    line.className = kind;
    line.textContent = sentence;
    byId("flash")?.replaceChildren(line);
    pin();
    return line;
  };

  const complain = (sentence) => {
    told = flash(sentence, "flash stop");
  };

  const say = (sentence) => {
    const said = byId("said");
    if (said) said.textContent = sentence;
    else flash(sentence, "flash");
  };

  const settle = (target) => {
    const spoken = document.querySelector("[data-said]");
    if (spoken) {
      say(spoken.dataset.said);
      spoken.removeAttribute("data-said");
    }
    if (target.id === "flash") pin();
    bringBack();
    resume();
    const marked = document.querySelector("[data-focus]");
    if (marked) {
      marked.removeAttribute("data-focus");
      focus(marked);
    } else if (held && !held.isConnected && (document.activeElement || document.body) === document.body) {
      focus(byId(heir) || target.closest?.("[tabindex]") || byId("main"));
    }
  };

  on("htmx:after:settle htmx:afterSettle", (event) => settle(event.target));
  on("DOMContentLoaded", () => settle(document));

  /* Requests */

  const busy = new WeakMap();      // request -> elements that wait for it

  on("htmx:before:request htmx:beforeRequest", (event) => {
    const source = event.target;
    if (opened(source)) {
      event.preventDefault();
      return;
    }
    told?.remove();
    held = document.activeElement === document.body ? source : document.activeElement;
    heir = source.closest("[data-heir]")?.dataset.heir.replace("#", "");
    const form = source.closest("form");
    const waiting = source.matches("button") ? [source] : [];
    if (form) waiting.push(form, ...form.querySelectorAll("button:not([type=button])"));
    waiting.forEach((e) => e.setAttribute(e === form ? "aria-busy" : "aria-disabled", "true"));
    busy.set(event.detail.ctx || event.detail.xhr, waiting);
    posting(form);
  });

  on("htmx:finally:request htmx:afterRequest", ({ detail }) => {
    busy.get(detail.ctx || detail.xhr)?.forEach((element) => {
      element.removeAttribute("aria-busy");
      element.removeAttribute("aria-disabled");
    });
    resume();
  });

  /* without our marker it is a proxy's page: nothing of it goes into ours */
  on("htmx:after:request htmx:beforeOnLoad", (event) => {
    const { ctx, xhr } = event.detail;
    if (ctx ? ctx.response.headers.get("X-Parley") : xhr.getResponseHeader("X-Parley")) return;
    event.preventDefault();
    complain(NOT_OURS);
  });

  on("htmx:error", ({ detail }) => {
    if (detail.ctx) complain(detail.ctx.response ? NOT_OURS : NO_ANSWER);
  });
  on("htmx:sendError htmx:timeout", () => complain(NO_ANSWER));

  /* Forms that a link opens in its slot */

  const openers = new Map();       // slot's id -> address of the link that opened it
  const kept = new Map();          // address -> what was typed into its form when it was closed

  const fields = (form) => [...form.elements].filter((field) => field.name && !/hidden|submit/.test(field.type));

  const keep = (slot) => {
    const form = slot.querySelector("form");
    if (form) kept.set(openers.get(slot.id), fields(form).map((f) => [f.name, f.value, f.checked]));
  };

  const bringBack = () => {
    for (const [id, address] of openers) {
      const form = byId(id)?.querySelector("form");
      const values = form && kept.get(address);
      if (!values) continue;
      kept.delete(address);
      fields(form).forEach((field, at) => {
        const [name, value, checked] = values[at] || [];
        if (name !== field.name) return;
        field.value = value;
        field.checked = checked;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
  };

  /* whether the link's form stands there already: then it has the focus now */
  const opened = (link) => {
    const address = link.getAttribute("hx-get");
    const target = link.getAttribute("hx-target") || "";
    const slot = address && target.startsWith("#slot-") && byId(target.slice(1));
    if (!slot) return false;
    const form = slot.querySelector("form");
    if (form && (openers.get(slot.id) || address) === address) {
      focus(form.querySelector("textarea, input:not([type=hidden])") || form);
      return true;
    }
    if (form) keep(slot);
    openers.set(slot.id, address);
    return false;
  };

  const close = (form) => {
    const slot = form?.closest("[id^=slot-]");
    const address = slot && openers.get(slot.id);
    if (!address || form.matches("[aria-busy]")) return false;
    keep(slot);
    flush();
    openers.delete(slot.id);
    slot.replaceChildren();
    focus(document.querySelector(`[hx-get="${CSS.escape(address)}"]`) || slot.closest("[tabindex]") || byId("main"));
    return true;
  };

  on("click", (event) => {
    const cancel = event.target.closest("a[data-cancel]");
    if (cancel && close(cancel.closest("form"))) event.preventDefault();
  });

  on("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    const form = event.target.form || event.target.closest?.("form");
    if (event.key === "Escape" && close(form)) event.preventDefault();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea") && form) {
      event.preventDefault();
      form.querySelector(".btn.main")?.click();     // a click, so that htmx 2 too sends the button's name and value
    }
  });

  /* Drafts: what is typed goes to the server every 5 seconds, at first after 1.5 */

  const drafts = new Map();        // address -> form, its text on the server and on the way there

  const text = (form, of = "value") => fields(form).map((field) => field[of]).join("\n");

  const send = async (draft, now) => {
    const { form, target } = draft;
    draft.timer = clearTimeout(draft.timer);
    if (draft.posted || !form) return;
    const typed = text(form);
    if (typed === (draft.going ?? draft.kept) || (draft.going != null && !now)) return;
    draft.going = typed;
    draft.at = Date.now();
    draft.stop = new AbortController();
    let sentence = "Not kept yet; it stays in this page";
    try {
      const body = new URLSearchParams(new FormData(form));
      body.set("target", target);
      const keepalive = `${body}`.length < 6e4;     // more is not sent for a page that is gone
      const answer = await fetch("/drafts", { method: "POST", body, keepalive, redirect: "manual", signal: draft.stop.signal });
      if (answer.ok && answer.headers.get("X-Parley")) {
        sentence = await answer.text();
        draft.kept = typed;
      }
    } catch {}
    if (draft.going === typed) draft.going = null;
    if (draft.posted) return;
    const line = form.querySelector("[data-draft-line]");
    if (line && line.textContent !== sentence) line.textContent = sentence;
    if (text(form) !== typed) later(draft);
  };

  const later = (draft) => {
    draft.posted = false;
    draft.timer ||= setTimeout(send, Math.max(1500, draft.at + 5000 - Date.now()), draft);
  };

  const flush = () => drafts.forEach((draft) => send(draft, true));

  /* no late draft brings back what was posted */
  const posting = (form) => {
    const draft = drafts.get(form?.dataset.draft);
    if (!draft) return;
    draft.posted = true;
    draft.stop?.abort();
  };

  /* the form is still there, or came back filled: a preview, a refusal */
  const resume = () => drafts.forEach((draft, target) => {
    if (!draft.posted || draft.form.matches("body [aria-busy]")) return;
    const form = draft.form.isConnected ? draft.form : document.querySelector(`[data-draft="${CSS.escape(target)}"]`);
    if (form && text(form).trim()) later(Object.assign(draft, { form }));
    else drafts.delete(target);
  });

  on("input", ({ target: { form } }) => {
    const target = form?.dataset.draft;
    if (!target || !byId("acts") || form.matches("[aria-busy]")) return;
    if (drafts.get(target)?.form !== form) drafts.set(target, { form, target, at: 0, kept: text(form, "defaultValue") });
    later(drafts.get(target));
  });
  on("submit", (event) => event.defaultPrevented || posting(event.target));
  on("visibilitychange", () => document.hidden && flush());
  addEventListener("pagehide", flush);
  addEventListener("online", flush);

  /* Counts, mirrors, Markdown */

  on("input", ({ target }) => {
    const { count, mirror } = target.dataset;
    if (count && byId(count)) byId(count).textContent = `${target.value.length} of ${target.maxLength}`;
    if (!mirror || (target.type === "radio" && !target.checked)) return;
    const text = target.type === "radio" ? target.dataset.text || target.labels[0].textContent.trim() : target.value;
    mirror.split(" ").forEach((id) => byId(id)?.replaceChildren(text));
  });

  /* insertText, not .value: the browser's own undo keeps working */
  const put = (area, from, to, text, start, end) => {
    area.focus();
    area.setSelectionRange(from, to);
    if (!document.execCommand(text ? "insertText" : "delete", false, text)) area.setRangeText(text, from, to, "end");
    area.setSelectionRange(start, end);
  };

  const AROUND = { bold: "**", italic: "*" };
  const BEFORE = { quote: "> ", list: "- ", heading: "## " };

  const mark = (area, kind) => {
    let { value, selectionStart: from, selectionEnd: to } = area;
    const chosen = value.slice(from, to);
    const sign = AROUND[kind];
    if (sign) {
      put(area, from, to, sign + chosen + sign, from + sign.length, to + sign.length);
    } else if (kind === "link") {
      const at = from + chosen.length + 3;
      put(area, from, to, `[${chosen}](https://)`, chosen ? at : from + 1, chosen ? at + 8 : from + 1);
    } else if (BEFORE[kind]) {
      from = value.slice(0, from).lastIndexOf("\n") + 1;
      const lines = value.slice(from, to).replace(/^/gm, BEFORE[kind]);
      put(area, from, to, lines, from + lines.length, from + lines.length);
    }
  };

  on("click", ({ target }) => {
    const button = target.closest("[data-md], [data-fill]");
    const area = button && byId(button.dataset.for);
    if (!area) return;
    const { md, fill } = button.dataset;
    if (md) mark(area, md);
    else put(area, 0, area.value.length, fill, fill.length, fill.length);
  });

  for (const name of ["thread", "queue"]) if (byId(name)) import(`./${name}.js`).then(({ begin }) => begin({ byId, on, focus, say, put }));
})();
