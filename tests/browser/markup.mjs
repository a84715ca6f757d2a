// html-validate: the markup as it was sent, before a browser mended it.

import { HtmlValidate, StaticConfigLoader } from "html-validate";

const STRICT = ["html-validate:standard", "html-validate:a11y", "html-validate:document"];

/** Nothing is loaded from elsewhere, so that there is no one to guard against. */
const OWN_SERVER = { "require-sri": ["error", { target: "crossorigin" }] };
const validator = (rules) => new HtmlValidate(new StaticConfigLoader({ root: true, extends: STRICT, rules }));

const pages = validator(OWN_SERVER);
/** Mail programs drop elements that came with HTML 5, so that a role stands in for `article`. */
const mails = validator({ ...OWN_SERVER, "prefer-native-element": ["error", { exclude: ["article"] }] });
/** Outlook lays out with Word's engine, which goes by these attributes of old and knows no style for them. */
const FOR_OUTLOOK = /^Attribute "(align|cellpadding|cellspacing|width)" is deprecated on <(table|td)> element$/;

async function faults(checker, source) {
  const { results } = await checker.validateString(source);
  return results.flatMap(({ messages }) => messages);
}

const tell = ({ ruleId, message, line, column }) => `${ruleId}: ${message} (line ${line}, column ${column})`;

/** What is wrong with the markup of a page. */
export async function pageMarkupFaults(source) {
  return (await faults(pages, source)).map(tell);
}

/** What is wrong with the markup of a mail. */
export async function mailMarkupFaults(source) {
  return (await faults(mails, source)).filter(({ message }) => !FOR_OUTLOOK.test(message)).map(tell);
}
