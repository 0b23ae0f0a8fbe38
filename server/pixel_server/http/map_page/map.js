// Starts: shows the code of the address, fetches what the model is, and lets mouse, wheel and keys move over it.

import { Camera } from '/camera.js';
import { Drawing } from '/draw.js';
import { byId, count, Panel } from '/panel.js';
import { problemOf, Tiles } from '/tiles.js';

const STEP = 80; // pixels of an arrow key

async function logIn() {
  const code = location.hash.slice(1);
  if (!code) return;
  // The code works once; it has no place in the history.
  history.replaceState(null, '', location.pathname);
  const answer = await fetch('/login', { method: 'POST', body: code });
  if (!answer.ok) throw new Error(await problemOf(answer));
}

async function readModel() {
  const answer = await fetch('/model');
  if (!answer.ok) throw new Error(await problemOf(answer));
  const model = await answer.json();
  const layers = model.layers.map(layer => ({ number: layer.layer, tensors: layer.tensors, ...around(layer.tensors) }));
  const tensors = [...model.tensors, ...layers.flatMap(layer => layer.tensors)];
  for (const one of model.tensors) one.label = short(one.name);
  for (const layer of layers) for (const one of layer.tensors) one.label = short(one.name.split('.').slice(2).join('.'));
  return { ...model, layers, tensors, byId: new Map(tensors.map(one => [one.id, one])) };
}

function short(name) { return name.replace(/\.weight$/, ''); }

function around(tensors) {
  const planes = tensors.flatMap(one => one.planes);
  return {
    left: Math.min(...planes.map(one => one.x)),
    top: Math.min(...planes.map(one => one.y)),
    right: Math.max(...planes.map(one => one.x + one.width)),
    bottom: Math.max(...planes.map(one => one.y + one.height)),
  };
}

// What lies at a place of the map.
function at(model, place) {
  for (const tensor of model.tensors) {
    for (const plane of tensor.planes) {
      const x = Math.floor(place.x) - plane.x, y = Math.floor(place.y) - plane.y;
      if (x >= 0 && y >= 0 && x < plane.width && y < plane.height) return { tensor, plane, x, y };
    }
  }
  return null;
}

const GROUPS = { nibbles: { quants: 8, scales: 8 }, bytes4: { quants: 4, scales: 8 }, six_bits: { quants: 8, high: 8, scales: 8 } };
const COLUMNS = { quants: 4, high: 8 };

function tellPlace(found) {
  if (!found) return '';
  const { tensor, plane, x, y } = found;
  const rows = GROUPS[tensor.format]?.[plane.plane];
  const told = [tensor.name];
  if (rows) told.push(`rows ${count(y * rows)}–${count(Math.min(y * rows + rows, tensor.shape[1] ?? 1) - 1)}`);
  const columns = COLUMNS[plane.plane];
  if (columns) told.push(`columns ${count(x * columns)}–${count(x * columns + columns - 1)}`);
  else told.push(plane.plane === 'scales' ? 'scales' : `texel ${count(x)}, ${count(y)}`);
  const head = tensor.heads?.find(one => one.plane === plane.plane && inside(one, plane.x + x, plane.y + y));
  if (head) told.push(`head ${head.head}`);
  return told.join(' · ');
}

function inside(box, x, y) { return x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height; }

function tell(message) {
  byId('message').textContent = message;
  byId('message').hidden = !message;
}

function followTheme(onChange) {
  const system = matchMedia('(prefers-color-scheme: light)');
  let theme = system.matches ? 'light' : 'dark';
  const set = next => {
    theme = next;
    document.documentElement.dataset.theme = theme;
    byId('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
    onChange();
  };
  system.addEventListener('change', () => set(system.matches ? 'light' : 'dark'));
  byId('theme').addEventListener('click', () => set(theme === 'dark' ? 'light' : 'dark'));
  set(theme);
}

async function start() {
  await logIn();
  const model = await readModel();
  const canvas = byId('map');
  document.title = `${model.name}: pixel-lsp map`;
  byId('title').textContent = model.name;
  byId('facts').textContent = `${model.file}: ${count(model.tensors.length)} tensors, ${count(model.bytes)} bytes, ${count(model.layers.length)} layers`;

  let isPending = false;
  const camera = new Camera(canvas, model.bounds);
  const tiles = new Tiles(() => redraw(), tell);
  const drawing = new Drawing(canvas, camera, model, tiles);
  const redraw = () => {
    if (isPending) return;
    isPending = true;
    requestAnimationFrame(() => {
      isPending = false;
      drawing.draw();
      const isSigned = Tiles.level(camera.scale * (window.devicePixelRatio || 1)) <= -3;
      byId('legend-magnitude').hidden = isSigned;
      byId('legend-signed').hidden = !isSigned;
      canvas.dataset.state = tiles.isIdle ? 'ready' : 'loading';
    });
  };
  const choose = (tensor, isBrought) => {
    drawing.chosen = tensor;
    const box = around([tensor]);
    if (isBrought) camera.bring(box.left, box.top, box.right, box.bottom);
    panel.tell(tensor);
    redraw();
  };
  const panel = new Panel(model, choose, layer => { camera.show(layer.left, layer.top, layer.right, layer.bottom); redraw(); }, tell);

  const zoom = (factor, x, y) => { camera.zoom(factor, x, y); redraw(); };
  const fit = () => { camera.fit(); redraw(); };
  byId('zoom-in').addEventListener('click', () => zoom(2));
  byId('zoom-out').addEventListener('click', () => zoom(0.5));
  byId('fit').addEventListener('click', fit);

  let held = null;
  canvas.addEventListener('pointerdown', event => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    held = { x: event.offsetX, y: event.offsetY, moved: 0 };
  });
  canvas.addEventListener('pointermove', event => {
    if (held) {
      const dx = event.offsetX - held.x, dy = event.offsetY - held.y;
      held = { x: event.offsetX, y: event.offsetY, moved: held.moved + Math.abs(dx) + Math.abs(dy) };
      canvas.classList.toggle('dragging', held.moved > 4);
      camera.move(dx, dy);
      redraw();
    }
    byId('where').textContent = tellPlace(at(model, camera.toMap(event.offsetX, event.offsetY))) || '\u00a0';
  });
  canvas.addEventListener('pointerup', event => {
    const found = held && held.moved <= 4 ? at(model, camera.toMap(event.offsetX, event.offsetY)) : null;
    held = null;
    canvas.classList.remove('dragging');
    drawing.isCrosshairShown = false;
    if (found) choose(found.tensor, false);
    redraw();
  });
  canvas.addEventListener('pointercancel', () => { held = null; });
  canvas.addEventListener('dblclick', event => zoom(2, event.offsetX, event.offsetY));
  canvas.addEventListener('wheel', event => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 24 : 1);
    zoom(2 ** (-Math.max(-200, Math.min(200, pixels)) / 240), event.offsetX, event.offsetY);
  }, { passive: false });

  const keys = {
    ArrowLeft: () => camera.move(STEP, 0),
    ArrowRight: () => camera.move(-STEP, 0),
    ArrowUp: () => camera.move(0, STEP),
    ArrowDown: () => camera.move(0, -STEP),
    '+': () => camera.zoom(1.5),
    '=': () => camera.zoom(1.5),
    '-': () => camera.zoom(1 / 1.5),
    '0': () => camera.fit(),
    Home: () => camera.fit(),
    Enter: () => { const found = at(model, camera); if (found) choose(found.tensor, false); },
  };
  canvas.addEventListener('keydown', event => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
    drawing.isCrosshairShown = true;
    byId('where').textContent = tellPlace(at(model, camera)) || '\u00a0';
    redraw();
  });
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    byId('search').focus();
  });

  followTheme(() => { drawing.readColours(); redraw(); });
  new ResizeObserver(redraw).observe(canvas);
  camera.begin();
  redraw();
}

start().catch(problem => tell(`The map cannot be shown: ${problem.message}.`));
