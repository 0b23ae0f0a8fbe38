// Drives Visual Studio Code (code-server in Chromium) as a user would: look at the folder in Restricted Mode, trust it, read
// the finding, hover, lens, quick fix, mend the line, save; then lose the server and find it again.
//
//   node vscode_drive.mjs URL SCENARIO.json
//
// The scenario is the one of nvim_e2e.lua, and names the folder of playwright-core, a folder for screenshots and the
// settings file of the machine.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

const [url, path] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(path, 'utf8'));
const { chromium } = createRequire(join(scenario.modules, '/'))('playwright-core');
mkdirSync(scenario.screenshots, { recursive: true });

const started = Date.now();
const say = text => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);
const expect = (what, condition) => { if (!condition) throw new Error(what); say(what); };

const browser = await chromium.launch({
  executablePath: scenario.chromium,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 960 } });
page.setDefaultTimeout(scenario.seconds * 1000);
const elsewhere = new Set(); // requests that would leave this machine
page.on('request', request => {
  const { protocol, hostname } = new URL(request.url());
  if (/^(https?|wss?):$/.test(protocol) && hostname !== '127.0.0.1') elsewhere.add(request.url().slice(0, 100));
});

const squiggles = page.locator('.monaco-editor .squiggly-error');
const status = page.locator('.statusbar-item[id*="pixel-lsp"]');
const lens = page.locator('.codelens-decoration a');
const shot = name => page.screenshot({ path: join(scenario.screenshots, `${name}.png`) });
const squigglesBecome = count => page.waitForFunction(
  wanted => (document.querySelectorAll('.monaco-editor .squiggly-error').length > 0) === (wanted > 0), count);
// Click the row: Enter races with the list being filled.
const run = async title => {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input.input');
  await input.waitFor();
  await input.fill('>' + title);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().click();
};
const statusSays = async (icon, what) => { await status.locator(`.codicon-${icon}`).waitFor(); say(what); };
const goToLine = async column => {
  await page.keyboard.press('Control+g');
  const input = page.locator('.quick-input-widget input.input');
  await input.waitFor();
  await input.fill(`:${scenario.line}:${column}`);
  await page.keyboard.press('Enter');
  await input.waitFor({ state: 'hidden' });
};
// On a busy machine the key may come before the editor has the focus back.
const showQuickFixes = async () => {
  const row = page.locator('.action-widget .monaco-list-row').first();
  for (let left = 6; left > 0; left--) {
    await page.keyboard.press('Control+.');
    const shown = row.waitFor({ timeout: scenario.seconds * 1000 / 6 });
    if (await shown.then(() => true, error => { if (left === 1) throw error; })) return;
  }
};
const replaceLine = async text => {
  await goToLine(1);
  await page.keyboard.press('Home');
  await page.keyboard.press('Home'); // the first stops at the indentation
  await page.keyboard.press('Shift+End');
  await page.keyboard.insertText(text);
  await page.keyboard.press('Control+s');
};

// Squiggles go with the first keystroke, so only the lens tells what the new text came to.
const verdict = async (sign, what) => { await lens.filter({ hasText: new RegExp(`^${sign}(?!.*before the last edit)`) }).first().waitFor(); say(what); };

try {
  await page.goto(url);
  await page.locator('.explorer-folders-view .monaco-list-row', { hasText: basename(scenario.file) }).dblclick();
  await page.waitForSelector('.monaco-editor .view-line'); say('the file is open');
  await statusSays('shield', 'Restricted Mode: the server runs, and knows that kernels must not');
  await goToLine(1);
  await lens.first().waitFor();
  await page.waitForTimeout(2000);
  expect('nothing was executed: no squiggle', (await squiggles.count()) === 0);
  expect('the server that the folder names was not started', !existsSync(scenario.foreignServerRan));
  await shot('1-restricted');

  await run('Workspaces: Manage Workspace Trust');
  await page.locator('.workspace-trust-editor .monaco-button', { hasText: /^\s*Trust\s*$/ }).first().click();
  await statusSays('check', 'trusted, without a restart');
  await page.keyboard.press('Control+w');
  await squigglesBecome(1); say('the kernel was run: its wrong line has a squiggle');
  await goToLine(1);

  await lens.first().waitFor();
  const lenses = await lens.allInnerTexts();
  expect(`lens: ${lenses.join(' | ')}`, lenses.length > 0);
  await page.waitForTimeout(300);
  await squiggles.first().scrollIntoViewIfNeeded().catch(() => undefined);
  // The squiggle starts after the emoji and the accent, at the store.
  const wavy = await squiggles.first().boundingBox();
  const word = await page.locator('.view-line', { hasText: '😀é' }).first().locator('span span', { hasText: /^c$/ }).first().boundingBox();
  expect(`the squiggle starts where the store starts (${wavy?.x}, ${word?.x})`, Math.abs(wavy.x - word.x) < 2);

  await page.mouse.move(wavy.x + 40, wavy.y + 4);
  const hover = page.locator('.monaco-hover:not(.hidden) .hover-contents');
  await hover.filter({ hasText: '10 failed of 10 cases' }).first().waitFor();
  const hovered = (await hover.allInnerTexts()).join('\n');
  expect('hover shows the finding once, and the report', hovered.split('is wrong in').length === 2);
  await shot('2-hover');
  await page.keyboard.press('Escape');
  await page.mouse.move(600, 60);

  await goToLine(scenario.column);
  await showQuickFixes();
  const actions = (await page.locator('.action-widget .monaco-list-row').allInnerTexts()).map(text => text.trim()).filter(Boolean);
  expect(`quick fixes: ${actions.join(' | ')}`, actions.some(title => title.startsWith('Re-run the failing case only')));
  await shot('3-quick-fix');
  await page.locator('.action-widget .monaco-list-row', { hasText: 'Re-run the failing case only' }).click();
  await verdict('✗', 'the case was run again, and is still wrong');

  await replaceLine(scenario.mended);
  await verdict('✓', 'the mended line is saved and proved right');
  await squigglesBecome(0);
  const saved = readFileSync(scenario.file, 'utf8').split('\n')[scenario.line - 1];
  expect(`the file holds it: ${saved.trim()}`, saved === scenario.mended);
  await shot('4-mended');
  await replaceLine(scenario.broken);
  await verdict('✗', 'the mistake is back');
  await squigglesBecome(1);
  await replaceLine(scenario.mended);
  await verdict('✓', 'and gone again');
  await squigglesBecome(0);

  await lens.filter({ hasText: '✓' }).first().click();
  await page.locator('.view-line', { hasText: '"kernels"' }).first().waitFor(); say('a click on the verdict shows the report');
  await page.keyboard.press('Control+w');
  await lens.filter({ hasText: 'Check' }).first().click();
  await verdict('✓', 'a click on the lens checks again');

  writeFileSync(scenario.machineSettings, JSON.stringify({ 'pixelLsp.serverCommand': ['no-such-server'] }));
  await page.locator('.notification-list-item-message', { hasText: "'no-such-server' is neither a program on PATH" }).first().waitFor();
  await statusSays('error', 'a server that is not there is named, and how to install it');
  await shot('5-no-server');
  writeFileSync(scenario.machineSettings, '{}');
  await statusSays('check', 'with the right command it runs again');
  await run('pixel-lsp: Restart the Server');
  await page.waitForTimeout(500);
  await statusSays('check', 'and after a restart');
  await replaceLine(scenario.broken);
  await verdict('✗', 'the new server finds the mistake');
  await squigglesBecome(1);
  expect('nor was the one that the folder names, trusted or not', !existsSync(scenario.foreignServerRan));
  expect(`no request left this machine ${[...elsewhere]}`, elsewhere.size === 0);
  console.log('PASS vscode');
} catch (error) {
  console.log('FAIL', String(error).slice(0, 800));
  await shot('fail');
  process.exitCode = 1;
}
await browser.close();
