// Whether everything that is said can be seen without scrolling sideways.

/** What sticks out to the side, or is cut off. */
export function layoutFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    const width = document.documentElement.clientWidth;
    const tell = (element) => element.outerHTML.slice(0, 120).replace(/\s+/g, " ");
    if (document.scrollingElement.scrollWidth > width) {
      faults.push(`scrolls sideways: ${document.scrollingElement.scrollWidth} of ${width} pixels`);
    }
    /** Two-dimensional things, such as tables, may scroll by themselves. */
    const scrolls = (element) => {
      for (let one = element; one && one !== document.body; one = one.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(one).overflowX)) return true;
      }
      return false;
    };
    for (const element of document.body.querySelectorAll("*")) {
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      // What is there for screen readers alone is a pixel large.
      if (box.width <= 1 || box.height <= 1 || style.visibility === "hidden") continue;
      if (box.right > width + 1 && box.left < width + 1 && !scrolls(element)) faults.push(`sticks out: ${tell(element)}`);
      const cuts = /hidden|clip/.test(style.overflowX + style.overflowY);
      const larger = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
      if (cuts && larger && element.innerText?.trim()) faults.push(`is cut off: ${tell(element)}`);
    }
    return faults;
  });
}

/** The same with the spacing of text that readers may set (WCAG 1.4.12). */
export async function spacingFaults(page) {
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
      p { margin-bottom: 2em !important }`);
    document.adoptedStyleSheets = [sheet];
  });
  const faults = await layoutFaults(page);
  await page.evaluate(() => { document.adoptedStyleSheets = []; });
  return faults;
}
