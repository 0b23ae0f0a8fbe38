// Drives the coach in Visual Studio Code (code-server in Chromium) as a user would: run the task of a lens, open its candidate beside the
// file, reject it with a reason, take one hunk all the same, then accept the rest from the title of the diff.
//
//   node vscode_coach.mjs URL SCENARIO.json
//
// The scenario names the file and what it holds before, with one hunk, and after; the folder of playwright-core; one for screenshots.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

const [url, path] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(path, 'utf8'));
const { chromium } = createRequire(join(scenario.modules, '/'))('playwright-core');
mkdirSync(scenario.screenshots, { recursive: true });

const started = Date.now();
const say = text => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);
const expect = (what, condition) => { if (!condition) throw new Error(what); say(what); };
const onDisk = () => readFileSync(scenario.file, 'utf8');
const becomes = async (what, text) => {
  for (let left = scenario.seconds * 5; onDisk() !== text; left--) {
    if (left === 0) throw new Error(`${what}: it is\n${onDisk()}`);
    await page.waitForTimeout(200);
  }
  say(what);
};

const browser = await chromium.launch({
  executablePath: scenario.chromium,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
page.setDefaultTimeout(scenario.seconds * 1000);
const shot = name => page.screenshot({ path: join(scenario.screenshots, `${name}.png`) });
const lens = text => page.locator('.codelens-decoration a', { hasText: text }).first();
const diff = page.locator('.monaco-diff-editor');
const titleButton = name => page.locator(`.editor-actions .action-label[aria-label*="${name}"]`).first();
const saveFile = async () => {
  await page.locator('.monaco-editor .view-line').first().click();
  await page.keyboard.press('Control+s');
};

try {
  await page.goto(url);
  await page.locator('.explorer-folders-view .monaco-list-row', { hasText: basename(scenario.file) }).dblclick();
  await page.waitForSelector('.monaco-editor .view-line'); say('the file is open');
  await lens('▶ Coach: task 1').waitFor(); say('a lens offers the task');
  await lens('▶ Coach: task 1').click();
  await page.locator('.statusbar-item', { hasText: 'tokens/s' }).first().waitFor(); say('progress shows the speed of the model');
  await shot('coach-1-progress');
  const toast = page.locator('.notification-toast', { hasText: 'awaits your acceptance: proved; scored 8/10' });
  await toast.waitFor(); say('a notification says that it awaits acceptance');
  expect('nothing is written yet', onDisk() === scenario.before);
  await toast.locator('.monaco-button', { hasText: 'Show' }).click();
  await diff.first().waitFor();
  await diff.locator('.line-insert').first().waitFor(); say('the candidate is beside the file');
  await page.waitForTimeout(500);
  await shot('coach-2-diff');

  await titleButton('Reject the Candidate').click();
  const input = page.locator('.quick-input-widget input.input');
  await input.waitFor();
  await input.fill('too clever');
  await page.keyboard.press('Enter');
  await diff.first().waitFor({ state: 'detached' }); say('rejected, the diff is closed');
  expect('and nothing is written', onDisk() === scenario.before);

  await lens('Accept hunk 3 of 3').waitFor();
  await shot('coach-3-hunks');
  await lens('Accept hunk 3 of 3').click();
  await lens('Accept hunk 3 of 3').waitFor({ state: 'detached' });
  expect('a hunk that is taken is in the editor alone', onDisk() === scenario.before);
  await saveFile();
  await becomes('saved, the file is exactly so', scenario.oneHunk);

  await lens('Coach: task 1').click();
  await diff.first().waitFor();
  await diff.locator('.line-insert').first().waitFor(); say('the candidate is shown again, beside the file as it is now');
  await titleButton('Accept the Candidate').click();
  await becomes('accepted, the file is the candidate', scenario.after);
  await diff.first().waitFor({ state: 'detached' }); say('the diff is closed');
  await lens('Coach').waitFor({ state: 'detached' }); say('and the task is done');
  await shot('coach-4-accepted');
  console.log('PASS vscode coach');
} catch (error) {
  console.log('FAIL', String(error).slice(0, 800));
  await shot('coach-fail');
  process.exitCode = 1;
}
await browser.close();
