/* For pages of things to decide (#queue > .case > article); parley.js brings it in. Keys press what stands there. */
export const begin = ({ byId, on, focus, say }) => {
  const queue = byId("queue");
  const waiting = () => [...queue.querySelectorAll(".case > article")];
  const current = () => document.activeElement.closest(".case");

  /* who takes the focus when a case is gone: the next one that still waits, else the one before, else the way on */
  const heirs = () => {
    const cases = waiting();
    cases.forEach((article, at) => {
      const heir = cases[at + 1] || byId("queue-more") || cases[at - 1];
      article.parentNode.dataset.heir = heir ? heir.id : "queue-h";
    });
  };

  on("htmx:after:settle htmx:afterSettle", heirs);
  heirs();

  const move = (article) => {
    focus(article);
    article.scrollIntoView({ block: "nearest" });
  };

  const step = (back) => {
    const from = current()?.querySelector("article") || document.activeElement;
    const beyond = waiting().filter((e) => from.compareDocumentPosition(e) & (back ? 2 : 4) && !e.contains(from));
    if (beyond.length) move(beyond.at(back ? -1 : 0));
    else if (!back && byId("queue-more")) focus(byId("queue-more"));
    else say(`That was the ${back ? "first" : "last"} here.`);
  };

  /* h, d, w, a, x: the control of this case that says so; the first case's where none has the focus */
  const press = (key) => {
    const item = current() || waiting()[0]?.parentNode;
    const control = item?.querySelector(`[aria-keyshortcuts="${key}"]`);
    if (control) control.click();
    else say(item ? "Not for this one." : "Nothing waits here.");
  };

  const undo = () => {
    const button = document.querySelector("#flash .undo button");
    if (button) button.click();
    else say("There is nothing to take back any more.");
  };

  const KEYS = { j: () => step(false), k: () => step(true), u: undo };
  for (const key of "hdwax") KEYS[key] = () => press(key);

  const toggle = document.querySelector("[data-keys]");
  let off = false;
  const show = () => (toggle.textContent = `Keyboard: ${off ? "off" : "on"}`);

  if (!toggle) return;
  toggle.hidden = false;
  toggle.onclick = () => {
    off = !off;
    show();
    localStorage.keys = off ? "off" : "on";
  };
  on("keydown", (event) => {
    const { key, target } = event;
    const meant = event.repeat || event.ctrlKey || event.metaKey || event.altKey ? null : KEYS[key];
    if (off || !meant || target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog")) return;
    event.preventDefault();
    meant();
  });
  show();
  /* throws where nothing may be stored: then the switch holds for the page */
  off = localStorage.keys === "off";
  show();
};
