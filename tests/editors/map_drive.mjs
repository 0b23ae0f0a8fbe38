// Drives the map of a model in Chromium as a user would: look at it, click on a tensor, read its figures, search, zoom to single weights by
// wheel and keys, measure the layers, switch to the light colours.
//
//   node map_drive.mjs SCENARIO.json
//
// The scenario names the address, the tensors to find and what is told of them, the folder of playwright-core, Chromium, and a folder for
// screenshots.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const scenario = JSON.parse(readFileSync(process.argv[2], 'utf8'));
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
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
page.setDefaultTimeout(scenario.seconds * 1000);
const complaints = [], foreign = [];
page.on('console', message => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
page.on('pageerror', error => complaints.push(String(error)));
page.on('request', request => { if (new URL(request.url()).origin !== new URL(scenario.url).origin) foreign.push(request.url()); });

const shot = name => page.screenshot({ path: join(scenario.screenshots, `${name}.png`) });
const drawn = () => page.locator('#map[data-state=ready]').waitFor();
const figures = () => page.$$eval('#tensor dt', names => Object.fromEntries(names.map(one => [one.textContent, one.nextElementSibling.textContent])));
const background = () => page.$eval('body', body => getComputedStyle(body).backgroundColor);

try {
  await page.goto(scenario.url);
  await drawn(); say('the map is drawn');
  expect('the code has left the address', !page.url().includes('#'));
  expect('it is the model', (await page.textContent('#title')) === scenario.name);
  await shot('map-1-begin');
  await page.click('#fit');
  await drawn();
  await shot('map-1-whole');

  await page.fill('#search', scenario.searched);
  expect('the search finds one tensor', (await page.locator('#found button').allTextContents()).join() === scenario.tensor);
  await page.locator('#found button').click();
  await page.locator('#tensor[data-state=ready]').waitFor();
  await drawn();
  const found = await figures();
  for (const [name, value] of Object.entries(scenario.figures)) expect(`${name} is ${value}, as told: ${found[name]}`, found[name] === value);
  await shot('map-2-chosen');

  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await page.locator('#tensor[data-state=ready]').waitFor();
  expect('a click chooses what is in the middle', (await figures()).name === scenario.tensor);

  for (let i = 0; i < scenario.wheels; i++) await page.mouse.wheel(0, -240);
  await drawn();
  expect('single weights have signs', await page.locator('#legend-signed').isVisible());
  expect('the status says where one is', (await page.textContent('#where')).startsWith(scenario.tensor));
  await shot('map-3-weights');

  await page.focus('#map');
  const before = await page.textContent('#where');
  await page.keyboard.press('ArrowRight');
  await drawn();
  expect('an arrow key moves', (await page.textContent('#where')) !== before);
  await page.keyboard.press('0');
  await drawn();
  expect('0 shows the whole again', !(await page.locator('#legend-signed').isVisible()));

  await page.click('#measure');
  await page.locator('#layers[data-state=ready]').waitFor();
  expect('every layer is measured', (await page.locator('#layers tbody tr').count()) === scenario.layers);
  await shot('map-4-layers');

  expect('the colours are dark', (await background()) === 'rgb(18, 18, 24)');
  await page.click('#theme');
  await drawn();
  expect('the colours are light', (await background()) === 'rgb(244, 244, 247)');
  await shot('map-5-light');

  await page.reload();
  await drawn(); say('a reload needs no code');
  const other = await browser.newPage();
  await other.goto(scenario.url);
  await other.locator('#message:not([hidden])').waitFor();
  expect('the address works once', (await other.textContent('#message')).includes('it was used before'));
  await other.close();
  expect('the page complained of nothing', complaints.length === 0);
  expect('no request left for elsewhere', foreign.length === 0);
  console.log('PASS map');
} catch (problem) {
  await shot('map-failed');
  console.error(complaints.join('\n'));
  throw problem;
} finally {
  await browser.close();
}
