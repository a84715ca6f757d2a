// Names, as those need them who speak to their computer or hear a list of links.

import { bringAxe } from "./axe.mjs";

/** Links and buttons that cannot be told apart, and labels that are not in the name. */
export async function nameFaults(page) {
  await bringAxe(page);
  return page.evaluate(() => {
    axe.setup(document);
    const plain = (text) => (text ?? "").replace(/\s+/g, " ").trim().toLowerCase();
    const nameOf = (element) => plain(axe.commons.text.accessibleText(element));
    const tell = (element) => element.outerHTML.slice(0, 160).replace(/\s+/g, " ");
    const shown = (element) => element.checkVisibility({ visibilityProperty: true });
    const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
    const faults = [];

    /** What happens when it is used: the same name may stand twice for the same. */
    const effect = (element) => {
      if (element.href) return element.href;
      const form = element.form;
      if (!form) return tell(element);
      const data = new FormData(form, element);
      return JSON.stringify([element.formMethod || form.method, element.formAction || form.action, [...data]]);
    };
    const seen = new Map();
    for (const element of all("a[href], button, input[type=submit], summary")) {
      const name = nameOf(element);
      if (!name) faults.push(`no name: ${tell(element)}`);
      const label = plain(element.innerText || (element.type === "submit" && element.value));
      if (!name.includes(label)) faults.push(`the visible label ${JSON.stringify(label)} is not in the name ${JSON.stringify(name)}: ${tell(element)}`);
      const other = seen.get(name);
      if (other !== undefined && other !== effect(element)) {
        faults.push(`the name ${JSON.stringify(name)} stands for two things: ${tell(element)} leads to ${effect(element)}, another one to ${other}`);
      }
      seen.set(name, effect(element));
    }

    const fields = new Set();
    for (const element of all("input:not([type=hidden], [type=submit], [type=button]), select, textarea")) {
      const name = nameOf(element);
      if (!element.labels?.length) faults.push(`no visible label: ${tell(element)}`);
      for (const label of element.labels ?? []) {
        const text = plain([...label.childNodes]
          .filter((node) => node !== element)
          .map((node) => node.innerText ?? node.textContent)
          .join(" "));
        if (!name.includes(text)) faults.push(`the visible label ${JSON.stringify(text)} is not in the name ${JSON.stringify(name)}: ${tell(element)}`);
      }
      if (fields.has(name)) faults.push(`two controls are named ${JSON.stringify(name)}: ${tell(element)}`);
      fields.add(name);
    }
    axe.teardown();
    return faults;
  });
}
