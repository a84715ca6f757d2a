// A browser that is led by lines of JSON: one command a line on standard input, one answer a line on
// standard output. `browser.rs` is the other side. It ends when its input does.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { inspectMail, inspectPage, withoutScript } from "./inspect.mjs";

const [base, program] = process.argv.slice(2);
/** How long an action may take, in milliseconds. */
const LONGEST = 15_000;
/** How long a command may take, which may be about many pages. */
const LONGEST_OF_ALL = 300_000;
/** Where a document is shown that does not come from the server. */
const GIVEN = `${base}/a-document-of-the-test`;

const browser = await chromium.launch({
  executablePath: program,
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  ],
});

/** Requests that were tried to anybody but the server under test. */
let foreign = [];
/** What `newPage` gave each reader, by name. */
const readers = new Map();

/** A page of its own context, and what it last saw. */
async function newPage(options = {}) {
  const context = await browser.newContext({
    reducedMotion: "reduce",
    viewport: { width: 1280, height: 800 },
    javaScriptEnabled: options.script ?? true,
  });
  const seen = { answer: null, given: "" };
  context.setDefaultTimeout(LONGEST);
  await context.route("**/*", async (route) => {
    const url = route.request().url();
    if (url === GIVEN) return route.fulfill({ contentType: "text/html; charset=utf-8", body: seen.given });
    if (url.startsWith(`${base}/`)) return route.continue();
    foreign.push(`${route.request().method()} ${url}`);
    return route.abort();
  });
  const page = await context.newPage();
  page.on("response", (response) => {
    const request = response.request();
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) seen.answer = response;
  });
  return { context, page, seen };
}

function readerOf(command) {
  const reader = readers.get(command.reader);
  if (!reader) throw new Error(`there is no reader ${command.reader}`);
  return reader;
}

/** What a reader has before them. */
async function view({ page, seen }) {
  await page.waitForLoadState("load");
  return {
    url: page.url(),
    status: seen.answer?.status() ?? null,
    title: await page.title(),
    text: await page.locator("body").innerText(),
    headings: await page.getByRole("heading").allInnerTexts(),
  };
}

/** The one element with this role and name; the error tells what there is instead. */
async function the(page, role, name) {
  const found = page.getByRole(role, { name, exact: true });
  const count = await found.count();
  if (count === 1) return found;
  const all = await page.getByRole(role).evaluateAll((elements) =>
    elements.map((element) => element.getAttribute("aria-label") ?? element.innerText));
  throw new Error(`${count} times a ${role} named ${JSON.stringify(name)} at ${page.url()}; there are ${JSON.stringify(all)}`);
}

/** The one control with this label; the error tells what there is instead. */
async function control(page, label) {
  const found = page.getByLabel(label, { exact: true });
  const count = await found.count();
  if (count === 1) return found;
  const all = await page.locator("label, legend").allInnerTexts();
  throw new Error(`${count} controls labelled ${JSON.stringify(label)} at ${page.url()}; the labels are ${JSON.stringify(all)}`);
}

/** Activates an element and waits for the page that this leads to. */
async function leave(reader, locator) {
  await Promise.all([reader.page.waitForEvent("framenavigated"), locator.click()]);
  return view(reader);
}

/** Several documents, two at a time: the machines of most of us have two processors. */
async function inspectAll(stops, inspect) {
  const results = new Array(stops.length);
  let next = 0;
  const work = async () => {
    const [shown, plain] = [await newPage(), await newPage({ script: false })];
    while (next < stops.length) {
      const index = next++;
      results[index] = await inspectOne(stops[index], shown, plain, inspect);
    }
    await Promise.all([shown.context.close(), plain.context.close()]);
  };
  await Promise.all([work(), work()]);
  return results;
}

/** Lets the browser hold one cookie, such as `name=value`, or none. */
async function hold(context, cookie) {
  await context.clearCookies();
  if (!cookie) return;
  const [name, value] = cookie.split("=");
  await context.addCookies([{ name, value, url: base }]);
}

/** The faults of what is at an address, or of a document that the test gives. */
async function inspectOne({ path, status, cookie, document }, shown, plain, inspect) {
  const url = document === undefined ? base + path : GIVEN;
  await Promise.all([hold(shown.context, cookie), hold(plain.context, cookie)]);
  shown.seen.given = plain.seen.given = document;
  await shown.page.goto(url);
  const faults = await inspect(shown.page, await shown.seen.answer.text());
  const given = shown.seen.answer.status();
  if (given !== status) faults.push(`answer: ${given}, not ${status}`);
  await plain.page.goto(url);
  faults.push(...await withoutScript(shown.page, plain.page));
  return faults;
}

const commands = {
  async enter({ reader, script }) {
    readers.set(reader, await newPage({ script }));
  },
  async hold({ reader, cookie }) {
    await hold(readerOf({ reader }).context, cookie);
  },
  async open(command) {
    const reader = readerOf(command);
    await reader.page.goto(new URL(command.url, `${base}/`).href);
    return view(reader);
  },
  async show(command) {
    const reader = readerOf(command);
    reader.seen.given = command.document;
    await reader.page.goto(GIVEN);
    return view(reader);
  },
  async view(command) {
    return view(readerOf(command));
  },
  async reload(command) {
    const reader = readerOf(command);
    await reader.page.reload();
    return view(reader);
  },
  async await({ reader }) {
    await readerOf({ reader }).page.waitForEvent("framenavigated");
    return view(readerOf({ reader }));
  },
  async frame({ reader, title }) {
    const frame = readerOf({ reader }).page.frameLocator(`iframe[title=${JSON.stringify(title)}]`);
    return frame.locator("body").innerText();
  },
  async fill(command) {
    await (await control(readerOf(command).page, command.label)).fill(command.value);
  },
  async tick(command) {
    await (await control(readerOf(command).page, command.label)).setChecked(command.on);
  },
  async choose(command) {
    await (await control(readerOf(command).page, command.label)).selectOption({ label: command.value });
  },
  async value(command) {
    const field = await control(readerOf(command).page, command.label);
    return field.evaluate((element) => (/^(checkbox|radio)$/.test(element.type) ? element.checked : element.value));
  },
  async press(command) {
    const reader = readerOf(command);
    const button = await the(reader.page, "button", command.name);
    // The browser's own checks keep the server's from being seen.
    if (command.unchecked) await button.evaluate((element) => { element.form.noValidate = true; });
    return leave(reader, button);
  },
  async follow(command) {
    const reader = readerOf(command);
    return leave(reader, await the(reader.page, "link", command.name));
  },
  async inspect(command) {
    const { page, seen } = readerOf(command);
    return inspectPage(page, await seen.answer.text());
  },
  async screenshot(command) {
    const { page } = readerOf(command);
    await page.emulateMedia({ colorScheme: command.scheme });
    await page.setViewportSize({ width: command.width, height: 800 });
    await page.screenshot({ path: command.file, fullPage: true });
  },
  pages: ({ stops }) => inspectAll(stops, inspectPage),
  mails: ({ stops }) => inspectAll(stops, inspectMail),
};

/** Does a command; one that never ends fails. */
async function obey(command) {
  let clock;
  const late = new Promise((_, fail) => {
    clock = setTimeout(() => fail(new Error(`not done after ${LONGEST_OF_ALL / 1000} seconds`)), LONGEST_OF_ALL);
  });
  try {
    return await Promise.race([commands[command.do](command), late]);
  } finally {
    clearTimeout(clock);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { done: (await obey(command)) ?? null };
  } catch (error) {
    answer = { failed: error.message };
  }
  process.stdout.write(`${JSON.stringify({ ...answer, foreign })}\n`);
  foreign = [];
}
await browser.close();
