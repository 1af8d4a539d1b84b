// Opens the dashboard's page in Debian's chromium as a reader would, and looks at what a reader would see.
//
//   node page.mjs URL SCREENSHOT
//
// Prints a line per check and "N passed, N failed, 0 skipped" at the end; exit status 1 where one failed.
// The driver script (run) has put hostile text into the database before.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {chromium} from 'playwright-core';

const [url, screenshot] = process.argv.slice(2);
if (!url || !screenshot) {
  console.error('usage: node page.mjs URL SCREENSHOT');
  process.exit(2);
}

const kLoadMs = 15_000;
// Shown as text, whatever it would mean elsewhere. The page replaces ESC with something visible, so only what follows it is looked for.
const kHostile = {
  'a service named like a script': '<script>alert(1)</script>',
  'a message that a terminal would obey': '[2Jgone',
  'a message that a spreadsheet would run': "=cmd|' /C calc'!A0",
};

let passed = 0;
let failed = 0;
function check(what, good, detail = '') {
  if (good) {
    passed += 1;
  } else {
    failed += 1;
  }
  console.log(`${good ? 'passed' : 'FAILED'}: ${what}${good || !detail ? '' : `: ${detail}`}`);
}

// Everything that a page should not do while it is open.
function watch(page) {
  const seen = {dialogs: [], errors: [], foreign: []};
  page.on('dialog', async (dialog) => {
    seen.dialogs.push(dialog.message());
    await dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error') seen.errors.push(message.text());
  });
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith('http') && asked.host !== new URL(url).host) seen.foreign.push(request.url());
  });
  return seen;
}

async function rows(page, table) {
  return page.locator(`table#${table} tbody tr`).count();
}

async function read(page) {
  const seen = watch(page);
  const response = await page.goto(url, {waitUntil: 'networkidle', timeout: kLoadMs});
  check('the page loads with status 200', response.status() === 200, `status ${response.status()}`);
  const policy = response.headers()['content-security-policy'] ?? '';
  check('the page has a content security policy', policy.includes('default-src'), policy);

  check('the table of services by vantage has rows', (await rows(page, 'summary')) > 0);
  check('the table of the latest runs has rows', (await rows(page, 'runs')) > 0);

  const text = await page.locator('body').innerText();
  for (const [what, hostile] of Object.entries(kHostile)) {
    check(`${what} is text to read`, text.includes(hostile));
  }
  check('no control character is on the page', !/[\x00-\x08\x0b-\x1f\x7f]/.test(text));
  const scripts = await page.evaluate(
      () => [...document.scripts].map((s) => s.textContent).filter((t) => t.includes('alert(1)')));
  check('hostile text made no script element', scripts.length === 0, scripts.join());
  const handlers = await page.evaluate(
      () => [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) => /^on/i.test(a.name)).length);
  check('no element has an inline handler', handlers === 0, `${handlers}`);

  await page.setViewportSize({width: 390, height: 844});
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth + 1);
  check('a narrow screen needs no sideways scrolling of the page', !wide);
  await page.setViewportSize({width: 1280, height: 900});
  await page.screenshot({path: screenshot, fullPage: true});

  check('no dialog opened', seen.dialogs.length === 0, seen.dialogs.join());
  check('no error on the console', seen.errors.length === 0, seen.errors.join('; '));
  check('nothing was asked of another host', seen.foreign.length === 0, seen.foreign.join());
}

const profile = mkdtempSync(join(tmpdir(), 'parallax-browser-'));
try {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    timeout: 60_000,
    viewport: {width: 1280, height: 900},
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
  try {
    await read(await context.newPage());
  } finally {
    await context.close();
  }
} catch (error) {
  check('the browser opens the page', false, String(error));
} finally {
  rmSync(profile, {recursive: true, force: true, maxRetries: 5});
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
