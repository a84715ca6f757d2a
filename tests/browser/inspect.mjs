// What is asked of every page and of every mail. Each answer is a list of faults in words.

import { axeFaults } from "./axe.mjs";
import { keyboardFaults } from "./keyboard.mjs";
import { layoutFaults, spacingFaults } from "./layout.mjs";
import { mailMarkupFaults, pageMarkupFaults } from "./markup.mjs";
import { nameFaults } from "./names.mjs";

/** What colours alone can break. */
const COLOURS = ["color-contrast", "link-in-text-block"];
/** How a document is looked at: the colours that the reader prefers, the width in CSS pixels, and at what; all of
    it where the width is new. */
const LOOKS = [
  { scheme: "light", width: 1280 },
  { scheme: "dark", width: 1280, only: COLOURS },
  { scheme: "dark", width: 320 },
  { scheme: "light", width: 320, only: COLOURS },
];
/** The width that is left of 1280 pixels at 200 % zoom. */
const ZOOMED = 640;

async function look(page, { scheme, width }) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize({ width, height: 800 });
}

const at = (place, faults) => faults.map((fault) => `${place}: ${fault}`);

async function axeInEveryLook(page, kind) {
  const faults = [];
  for (const one of LOOKS) {
    await look(page, one);
    faults.push(...at(`${one.scheme}, ${one.width} px`, await axeFaults(page, kind, one.only)));
  }
  return faults;
}

/** The faults of the page that is shown; `source` is what the server sent. */
export async function inspectPage(page, source) {
  const faults = at("markup", await pageMarkupFaults(source));
  faults.push(...await axeInEveryLook(page, "page"));
  faults.push(...at("at 320 px", await layoutFaults(page)));
  faults.push(...at("at 320 px with wide spacing", await spacingFaults(page)));
  await look(page, { scheme: "light", width: ZOOMED });
  faults.push(...at("at 200 % zoom", await layoutFaults(page)));
  await look(page, { scheme: "light", width: 1280 });
  faults.push(...at("names", await nameFaults(page)));
  faults.push(...at("keyboard", await keyboardFaults(page)));
  return faults;
}

/** The faults of a mail's HTML that is shown. */
export async function inspectMail(page, source) {
  const faults = at("markup", await mailMarkupFaults(source));
  faults.push(...await axeInEveryLook(page, "mail"));
  faults.push(...at("at 320 px", await layoutFaults(page)));
  await look(page, { scheme: "light", width: ZOOMED });
  faults.push(...at("at 200 % zoom", await layoutFaults(page)));
  await look(page, { scheme: "light", width: 1280 });
  faults.push(...at("names", await nameFaults(page)));
  return faults;
}

/** What a page lacks for a reader whose browser runs no script. */
export async function withoutScript(shown, plain) {
  const [with_, without] = await Promise.all([shown, plain].map((page) => page.locator("body").innerText()));
  return with_ === without ? [] : [`without script it reads differently: ${JSON.stringify(without)}`];
}
