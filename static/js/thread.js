/* For pages with a thread; parley.js brings it in. */
export const begin = ({ byId, on, focus, say, put }) => {
  const own = (item) => item?.querySelector(":scope > article");
  const make = (tag, ...parts) => {
    const element = document.createElement(tag);
    element.append(...parts);
    return element;
  };

  /* Quotes: what was selected of the words that are answered */

  let selected = "";
  let around = null;
  let coming = {};       // words for a form on its way

  /* before the press takes the selection away */
  on("pointerdown keydown", () => {
    const selection = getSelection();
    selected = selection.isCollapsed ? "" : selection.toString().trim();
    around = selected && selection.getRangeAt(0).commonAncestorContainer;
  });

  const chosen = (words) => (around && words?.contains(around) ? selected : "");

  const quote = (area, words) => {
    if (!area || !words) return;
    const { value, dataset: { by } } = area;
    const text = `${value.trim() && "\n\n"}${by ? `${by}\n\n` : ""}${words.replace(/^/gm, "> ")}\n\n`;
    const end = value.length + text.length;
    put(area, value.length, value.length, text, end, end);
  };

  const arrive = () => {
    const back = document.querySelector("[data-back]");
    const form = back && byId(back.dataset.back);
    if (form && !form.value) form.value = back.textContent;     // never over something newer
    back?.remove();
    const area = byId(coming.id);
    if (!area) return;
    quote(area, coming.words);
    coming = {};
  };

  /* the whole comment, without what it quotes itself */
  on("click", (event) => {
    const link = event.target.closest("[data-quote]");
    const words = link && document.querySelector(`#comment-${link.dataset.quote} .comment-body`);
    if (!words) return;
    event.preventDefault();
    quote(byId(`body-${link.dataset.quote}`), [...words.children].filter((e) => !e.matches("blockquote")).map((e) => e.innerText).join("\n\n"));
  });

  on("click", ({ target }) => {
    const link = target.closest("a[id^=reply-]");
    if (!link) return;
    coming = { id: link.id.replace("reply", "body"), words: chosen(link.closest("article").querySelector(".comment-body")) };
    arrive();
  });
  on("htmx:after:settle htmx:afterSettle", arrive);

  /* New while I read: asked for while the page is seen, given up after 6 failures */

  const news = byId("new-replies");
  let etag = "";
  let failures = 0;

  const ask = async () => {
    if (document.hidden || failures++ > 5) return;
    try {
      const answer = await fetch(`${news.dataset.poll}&own=${document.querySelectorAll(".fresh").length}`, { headers: { "If-None-Match": etag } });
      if (answer.status > 399 || !answer.headers.get("X-Parley")) return;
      failures = 0;
      if (answer.status !== 200) return;
      etag = answer.headers.get("ETag");
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const { origin, href, textContent } = page.querySelector("a");
      if (origin !== location.origin || textContent === news.textContent) return;
      const link = make("a", textContent);
      link.href = href;
      news.replaceChildren(link);
    } catch {}
  };

  if (news) setInterval(ask, (news.dataset.pollSeconds || 60) * 1000);
  on("visibilitychange", () => (failures = 0));

  /* Keys press what is there, or move the focus from comment to comment */

  const current = () => document.activeElement.closest(".c");

  const move = (article) => {
    if (!article) return;
    for (let branch; (branch = article.closest("details:not([open])")); ) branch.open = true;
    article.focus({ preventScroll: true });
    article.scrollIntoView({ block: "nearest" });
  };

  const step = (selector, back, what) => () => {
    const from = own(current()) || document.activeElement;
    const side = back ? 2 : 4;     // before it, after it
    const beyond = [...document.querySelectorAll(selector)].filter((e) => from.compareDocumentPosition(e) & side);
    const elsewhere = back || selector !== NEW ? null : [...document.querySelectorAll(".mine > .new:not([href^='#'])")].at(-1);
    if (beyond.length) move(beyond.at(back ? -1 : 0));
    else if (elsewhere) elsewhere.click();
    else say(`That was the ${back ? "first" : "last"} ${what}.`);
  };

  const NEW = "article:has(> .mine > .new)";
  const THREAD = ".thread > li > article";
  const next = step(NEW, false, "new comment");

  const list = () => {
    const rows = Object.entries(KEYS).map(([key, [deed]]) => make("li", make("kbd", key), ` ${deed}`));
    const dialog = make("dialog", make("h2", "Keys"), make("ul", ...rows));
    dialog.dataset.keysHelp = "";
    dialog.ariaLabel = "Keys";
    dialog.onclose = () => dialog.remove();
    document.body.append(dialog);
    dialog.showModal();
  };

  const KEYS = {
    n: ["Next new comment", () => {
      const away = document.querySelector("a[aria-keyshortcuts=n]:not([href^='#'])");
      away ? away.click() : next();
    }],
    p: ["Previous new comment", step(NEW, true, "new comment")],
    j: ["Next thread", step(THREAD, false, "thread here")],
    k: ["Previous thread", step(THREAD, true, "thread here")],
    u: ["The comment answered", (item) => move(own(item?.parentNode.closest(".c")))],
    c: ["Fold or unfold replies", (item) => {
      const branch = item?.querySelector(":scope > details") || item?.closest("details");
      if (!branch) return;
      branch.open = !branch.open;
      if (!branch.open) move(own(branch.parentNode));
      say(`Replies ${branch.open ? "shown" : "hidden"}.`);
    }],
    r: ["Reply", (item, id) => {
      if (item) return byId(`reply-${id}`)?.click();
      const write = byId("write");
      const area = write?.querySelector("textarea");
      focus(area || write);
      quote(area, chosen(document.querySelector(".post-body")));
    }],
    t: ["Thank", (item, id) => byId(`thank-${id}`)?.click()],
    "?": ["This list", list],
  };

  const toggle = document.querySelector("[data-keys]");
  let off = false;
  const show = () => (toggle.textContent = `Keyboard: ${off ? "off" : "on"}`);

  if (!toggle) return;
  show();
  toggle.hidden = false;
  toggle.onclick = () => {
    off = !off;
    show();
    localStorage.keys = off ? "off" : "on";
  };
  on("keydown", (event) => {
    const { key, target } = event;
    const meant = event.repeat || event.ctrlKey || event.metaKey || event.altKey ? null : KEYS[key];
    if (off || !meant || target.closest("input, textarea, select, [contenteditable], dialog")) return;
    event.preventDefault();
    meant[1](current(), own(current())?.id.slice(8));
  });
  /* throws where nothing may be stored: then the switch holds for the page */
  off = localStorage.keys === "off";
  show();
};
