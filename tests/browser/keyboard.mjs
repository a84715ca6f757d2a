// Whether the keyboard alone is enough: everything is reached by Tab, and one sees where one is.

/** Runs in the page: notes what receives the focus, and how that looks. */
function watch() {
  const INTERACTIVE = "a[href], area[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable]";
  const LOOK = ["outlineStyle", "outlineWidth", "outlineColor", "outlineOffset", "boxShadow", "backgroundColor", "color",
    "borderTopColor", "borderTopWidth", "borderTopStyle", "textDecorationLine", "textDecorationThickness"];
  const look = (element) => {
    const style = getComputedStyle(element);
    const values = LOOK.map((name) => style[name]);
    // An outline that is not drawn may change its colour unseen.
    if (style.outlineStyle === "none" || style.outlineWidth === "0px") values.splice(0, 4);
    return values.join("; ");
  };
  const tell = (element) => element.outerHTML.slice(0, 160).replace(/\s+/g, " ");
  document.activeElement?.blur();
  const wanted = [...document.querySelectorAll(INTERACTIVE)].filter((element) =>
    element.checkVisibility({ visibilityProperty: true })
      && !element.matches(":disabled")
      // A field that is kept from everybody but robots; and a place that links lead to.
      && !element.closest("[aria-hidden=true], [inert]")
      && !(element.tabIndex < 0 && !element.matches("a, area, button, input, select, textarea, summary")));
  const before = new Map(wanted.map((element) => [element, look(element)]));
  const reached = new Set();
  const faults = [];
  document.addEventListener("focusin", ({ target }) => {
    if (reached.has(target)) return;
    reached.add(target);
    const box = target.getBoundingClientRect();
    if (box.bottom <= 0 || box.top >= innerHeight) faults.push(`the focus is out of sight: ${tell(target)}`);
    if (before.get(target) === look(target)) faults.push(`the focus cannot be seen: ${tell(target)}`);
  });
  window.afterTabbing = () => ({
    reached: reached.size,
    faults,
    missed: wanted.filter((element) => {
      // Of a group of radio buttons Tab reaches one, and arrows the others.
      const group = element.type === "radio" && wanted.filter((one) => one.name === element.name && one.form === element.form);
      return !(group ? group.some((one) => reached.has(one)) : reached.has(element));
    }).map((element) => `Tab does not reach it: ${tell(element)}`),
  });
  return wanted.length;
}

/** What the keyboard does not reach, or reaches unseen. */
export async function keyboardFaults(page) {
  const count = await page.evaluate(watch);
  // The way leads through frames as well: their links, and what of them can be scrolled.
  const frames = [];
  let within = 0;
  for (const element of await page.locator("iframe").elementHandles()) {
    // A frame that is kept apart has a process of its own, which may come later than the page.
    const frame = await element.contentFrame();
    await frame.locator("body:not(:empty)").waitFor();
    await frame.waitForLoadState("load");
    within += 1 + await frame.locator("a[href]").count();
    frames.push(frame);
  }
  // A key that comes while the focus is on its way to another process is lost, so one round may not be
  // enough where there are frames. What a whole round more brings no nearer is out of reach.
  for (let before = -1; ;) {
    for (let n = 0; n < count + within + 1; n += 1) await page.keyboard.press("Tab");
    for (const frame of frames) await frame.evaluate(() => document.hasFocus());
    const { reached, faults, missed } = await page.evaluate(() => window.afterTabbing());
    if (missed.length === 0 || reached === before) return [...faults, ...missed];
    before = reached;
  }
}
