// axe-core: WCAG 2.2 A and AA, and what it calls best practice.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];
/** Rules that are off unless they are asked for. */
const ON = ["target-size", "label-content-name-mismatch"];
/** axe can't run in a frame that runs no script; what such a frame shows is judged as a mail, by itself. */
const OFF = ["frame-tested"];
/** A mail is shown within the page of a mail program, which has landmarks of its own. */
const OFF_IN_MAILS = ["landmark-one-main", "region"];

/** Brings axe into the page, once; the policy of the page does not hold for a debugger. */
export async function bringAxe(page) {
  if (!await page.evaluate(() => "axe" in window)) await page.evaluate(AXE);
}

/** What axe finds, and what it could not decide, as the page looks now; by every rule, or by some `only`. */
export async function axeFaults(page, kind, only) {
  await bringAxe(page);
  const rules = Object.fromEntries(ON.map((rule) => [rule, { enabled: true }]));
  for (const rule of OFF) rules[rule] = { enabled: false };
  if (kind === "mail") for (const rule of OFF_IN_MAILS) rules[rule] = { enabled: false };
  const runOnly = only ? { type: "rule", values: only } : { type: "tag", values: TAGS };
  const options = { runOnly, rules: only ? {} : rules, resultTypes: ["violations", "incomplete"], elementRef: false };
  const { violations, incomplete } = await page.evaluate((given) => axe.run(document, given), options);
  const tell = (results, how) => results.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `axe ${id}${how} (${help}): ${html}: ${failureSummary.replace(/\s+/g, " ")}`));
  return [...tell(violations, ""), ...tell(incomplete, ", undecided")];
}
