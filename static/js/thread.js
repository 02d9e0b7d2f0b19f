/* What parley.js brings to pages with a thread: quotes, the line about new replies, keys. */
export const begin = ({ byId, on, focus, say, put }) => {
  const own = (item) => item?.querySelector(":scope > article");
  const make = (tag, ...parts) => {
    const element = document.createElement(tag);
    element.append(...parts);
    return element;
  };

  /* Quotes: what was selected in the words that are answered */

  let selected = "";
  let around = null;
  let arrive = () => {};           // quotes into the form that is on its way

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

  on("click", ({ target }) => {
    const link = target.closest("a[id^=reply-]");
    if (!link) return;
    const words = chosen(link.closest("article").querySelector(".comment-body"));
    arrive = () => {
      const area = byId(link.id.replace("reply", "body"));
      if (area) arrive = () => {};
      quote(area, words);
    };
    arrive();
  });
  on("htmx:after:settle htmx:afterSettle", () => arrive());

  /* New while I read: asked for while the page is in view, given up after 6 failures */

  const news = byId("new-replies");
  const period = (news?.dataset.pollSeconds || 60) * 1000;
  let etag = "";
  let failures = 0;
  let asked = Date.now();

  const ask = async () => {
    if (!news || document.hidden || failures > 5) return;
    asked = Date.now();
    failures++;
    try {
      const answer = await fetch(news.dataset.poll, { headers: { "If-None-Match": etag } });
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

  setInterval(ask, period);
  on("visibilitychange", () => {
    failures = 0;
    if (Date.now() - asked >= period) ask();
  });

  /* Keys: they press what is there, or move the focus from comment to comment */

  const move = (article) => {
    if (!article) return;
    for (let branch; (branch = article.closest("details:not([open])")); ) branch.open = true;
    article.focus({ preventScroll: true });
    article.scrollIntoView({ block: "nearest" });
  };

  const step = (selector, back, what) => () => {
    const here = document.activeElement;
    const from = own(here.closest(".c")) || here;
    const side = back ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    const beyond = [...document.querySelectorAll(selector)].filter((e) => from.compareDocumentPosition(e) & side);
    if (beyond.length) move(beyond.at(back ? -1 : 0));
    else say(`That was the ${back ? "first" : "last"} ${what}.`);
  };

  const NEW = "article:has(> .mine > .new)";
  const THREAD = ".thread > li > article";
  const next = step(NEW, false, "new comment");

  const list = () => {
    const rows = Object.entries(KEYS).map(([key, [deed]]) => make("li", make("kbd", key), ` ${deed}`));
    const button = make("button", "Close");
    const dialog = make("dialog", make("h2", "Keys"), make("ul", ...rows), button);
    dialog.dataset.keysHelp = "";
    dialog.ariaLabel = "Keys";
    button.className = "btn";
    button.onclick = () => dialog.close();
    dialog.onclose = () => dialog.remove();
    document.body.append(dialog);
    dialog.showModal();
  };

  const KEYS = {
    n: ["Next new comment", () => {
      const elsewhere = document.querySelector(NEW) ? null : document.querySelector("a[aria-keyshortcuts=n]");
      elsewhere ? elsewhere.click() : next();
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
  /* a browser may keep nothing for us: then the switch holds for this page */
  try {
    off = localStorage.keys === "off";
  } catch {}
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
    const item = document.activeElement.closest(".c");
    meant[1](item, own(item)?.id.slice(8));
  });
};
