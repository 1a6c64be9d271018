// portal.js: small comforts. Every page works without it. No framework, no inline handlers, no eval.
(() => {
  const all = (selector, root = document) => root.querySelectorAll(selector);

  // A refused form: its summary takes the focus.
  document.querySelector("[data-summary]")?.focus();

  // A link or button with data-dialog="id" opens that <dialog>; without script its href leads to the same form as a page.
  for (const opener of all("[data-dialog]")) {
    opener.addEventListener("click", (event) => {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (!dialog?.showModal) return;
      event.preventDefault();
      dialog.showModal();
    });
  }
  for (const closer of all("dialog [data-close]")) {
    closer.addEventListener("click", (event) => { event.preventDefault(); closer.closest("dialog").close(); });
  }

  // Menus made of <details> close on Escape and on a click elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // On a phone the navigation is a strip: bring the current page into sight.
  document.querySelector(".strip [aria-current=page], .tabs [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // data-copy="#id" copies the text of that element; the button then says what its data-copied says.
  for (const button of navigator.clipboard ? all("[data-copy]") : []) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
      const label = button.querySelector("[data-label]") ?? button;
      const before = label.textContent;
      label.textContent = button.dataset.copied ?? "Copied";
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }

  // data-countdown="30" holds a button back for that many seconds. Without script the server answers "one moment" instead.
  for (const button of all("[data-countdown]")) {
    let left = Number(button.dataset.countdown);
    const clock = button.querySelector("[data-seconds]");
    button.setAttribute("aria-disabled", "true");
    const tick = setInterval(() => {
      left -= 1;
      if (clock) clock.textContent = left > 0 ? ` (${left})` : "";
      if (left <= 0) { clearInterval(tick); button.removeAttribute("aria-disabled"); }
    }, 1000);
    button.addEventListener("click", (event) => { if (left > 0) event.preventDefault(); });
  }

  // Show or hide a password.
  for (const button of all("[data-reveal]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.reveal);
      const show = field.type === "password";
      field.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", String(show));
    });
  }

  // data-picks="id" is a colour picker beside a text field; each follows the other.
  for (const picker of all("[data-picks]")) {
    const field = document.getElementById(picker.dataset.picks);
    const follow = () => { if (/^#[0-9a-f]{6}$/i.test(field.value)) picker.value = field.value; };
    follow();
    picker.hidden = false;
    field.addEventListener("input", follow);
    picker.addEventListener("input", () => { field.value = picker.value; });
  }

  // A submitted form says that it is working, so that nobody presses twice.
  const busy = new Map();
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button?.dataset.busy) return;
    if (!busy.has(button)) busy.set(button, [...button.childNodes]);
    setTimeout(() => { button.setAttribute("aria-disabled", "true"); button.textContent = button.dataset.busy; });
  });
  // Coming back with the browser's Back button shows the page as it was left: its buttons work again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const [button, content] of busy) { button.replaceChildren(...content); button.removeAttribute("aria-disabled"); }
    busy.clear();
  });

  // A passkey that was not used, or a browser that has none: say so instead of nothing.
  document.addEventListener("allauth.error", (event) => {
    const problem = document.querySelector("[data-passkey-problem]");
    if (!problem) return;
    event.preventDefault();
    problem.hidden = false;
    problem.focus();
  });

  // When htmx brings a <main> that says something new, the polite live region reads its heading.
  const main = document.querySelector("main[data-state]");
  const region = document.getElementById("announce");
  if (main && region) {
    const said = () => {
      const current = document.getElementById("main");
      return { state: current?.dataset.state, title: current?.querySelector("h1")?.textContent.trim() ?? "" };
    };
    let before = said();
    new MutationObserver(() => {
      const now = said();
      if (now.state !== before.state || now.title !== before.title) region.textContent = now.title;
      before = now;
    }).observe(main.parentNode, { childList: true });
  }
})();
