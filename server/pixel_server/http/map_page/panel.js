// The panel beside the map: search, a tensor's figures, outliers by layer.

import { problemOf } from '/tiles.js';

const SHOWN = 200;

export class Panel {
  #asked = 0;
  #isMeasuring = false;

  constructor(model, choose, showLayer, onProblem) {
    this.model = model;
    this.choose = choose;
    this.showLayer = showLayer;
    this.onProblem = onProblem;
    this.search = byId('search');
    this.search.addEventListener('input', () => this.#find());
    this.search.addEventListener('keydown', event => {
      if (event.key === 'Enter') byId('found').querySelector('button')?.click();
    });
    byId('measure').addEventListener('click', () => this.#isMeasuring ? this.#stop() : this.#measure());
    byId('measure').disabled = model.layers.length === 0;
  }

  #find() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length ? this.model.tensors.filter(one => words.every(word => one.name.toLowerCase().includes(word))) : [];
    const items = found.slice(0, SHOWN).map(one => element('li', {}, button(one.name, () => this.choose(one, true))));
    if (words.length && !found.length) items.push(element('li', { className: 'quiet', textContent: 'no tensor has that in its name' }));
    if (found.length > SHOWN) items.push(element('li', { className: 'quiet', textContent: `and ${count(found.length - SHOWN)} more` }));
    byId('found').replaceChildren(...items);
  }

  async tell(tensor) {
    const asked = ++this.#asked;
    byId('tensor-hint').hidden = true;
    const list = byId('tensor');
    list.dataset.state = 'loading';
    list.replaceChildren(...rows([['name', tensor.name], ['type', tensor.type], ['shape', tensor.shape.map(count).join(' × ')], ['values', '…']]));
    try {
      const answer = await fetch(`/tensors/${tensor.id}`);
      if (!answer.ok) throw new Error(await problemOf(answer));
      const facts = await answer.json();
      if (asked !== this.#asked) return;
      list.replaceChildren(...rows(figures(facts)));
      list.dataset.state = 'ready';
    } catch (problem) {
      this.onProblem(problem.message);
    }
  }

  #stop() {
    this.#isMeasuring = false;
    byId('measure').textContent = 'Measure all layers';
  }

  async #measure() {
    this.#isMeasuring = true;
    byId('measure').textContent = 'Stop';
    byId('layers').hidden = false;
    const body = byId('layers').tBodies[0];
    body.replaceChildren();
    try {
      for (const layer of this.model.layers) {
        if (!this.#isMeasuring) return;
        const answer = await fetch(`/layers/${layer.number}`);
        if (!answer.ok) throw new Error(await problemOf(answer));
        body.append(this.#layerRow(layer, (await answer.json()).tensors));
      }
      byId('layers').dataset.state = 'ready';
    } catch (problem) {
      this.onProblem(problem.message);
    }
    this.#stop();
  }

  #layerRow(layer, tensors) {
    const known = tensors.filter(one => one.summary);
    const worst = known.reduce((a, b) => (b.summary.strongest ?? 0) > (a?.summary.strongest ?? 0) ? b : a, null);
    const label = worst ? this.model.byId.get(worst.id).label : '–';
    const cells = [
      button(String(layer.number), () => this.showLayer(layer), `Show layer ${layer.number}`),
      known.length ? count(known.reduce((sum, one) => sum + one.summary.outliers, 0)) : '–',
      worst ? `${worst.summary.strongest.toFixed(1)} rms` : '–',
      worst ? button(label, () => this.choose(this.model.byId.get(worst.id), true), worst.name) : label,
    ];
    return element('tr', {}, ...cells.map(cell => element('td', {}, cell)));
  }
}

function figures(facts) {
  const told = [
    ['name', facts.name],
    ...(facts.layer === null ? [] : [['layer', String(facts.layer)]]),
    ['type', facts.type],
    ['shape', facts.shape.map(count).join(' × ')],
    ['bytes', count(facts.bytes)],
    ['texels', facts.format],
  ];
  const one = facts.summary;
  if (!one) return [...told, ['values', 'cannot be computed for this type']];
  return [
    ...told,
    ['values', count(one.values)],
    ['minimum', number(one.minimum)],
    ['maximum', number(one.maximum)],
    ['mean', number(one.mean)],
    ['deviation', number(one.deviation)],
    ['rms', number(one.rms)],
    ['zeros', share(one.zeros, one.values)],
    ['outliers', share(one.outliers, one.values)],
    ['strongest', one.strongest === null ? '–' : `${one.strongest.toFixed(1)} rms`],
    ['dead rows', count(one.dead_rows), one.dead_rows > 0],
    ['not finite', count(one.not_finite), one.not_finite > 0],
  ];
}

function rows(pairs) {
  return pairs.flatMap(([name, value, isWarning]) => [
    element('dt', { textContent: name }),
    element('dd', { textContent: value, className: isWarning ? 'warn' : '' }),
  ]);
}

function button(text, onClick, title = text) {
  const made = element('button', { type: 'button', textContent: text, title });
  if (title !== text) made.setAttribute('aria-label', title);
  made.addEventListener('click', onClick);
  return made;
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function byId(id) { return document.getElementById(id); }
export function count(value) { return value.toLocaleString('en-US'); }

function number(value) { return value === null ? '–' : String(Number(value.toPrecision(6))); }
function share(part, whole) { return part ? `${count(part)} (${(part / whole * 100).toPrecision(2)} %)` : '0'; }
