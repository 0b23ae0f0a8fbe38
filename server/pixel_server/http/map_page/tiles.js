// Tiles as pictures: asked for when they are seen, nearest the middle first, given up when they are not, and kept up to a number.

const SIDE = 256;
const NEAREST = -5, FARTHEST = 32;
const KEPT = 500;
const AT_ONCE = 4;

export class Tiles {
  #pictures = new Map();
  #running = new Map();
  #wanted = [];
  #failed = new Set();

  constructor(onArrival, onProblem) {
    this.onArrival = onArrival;
    this.onProblem = onProblem;
  }

  // The level whose pixels come nearest to those of the screen.
  static level(scale) { return Math.min(Math.max(Math.round(-Math.log2(scale)), NEAREST), FARTHEST); }
  static span(level) { return SIDE * 2 ** level; }

  get isIdle() { return this.#running.size === 0 && this.#wanted.length === 0; }

  // Draws what there is in a rectangle of the map, and asks for the rest.
  draw(context, camera, bounds) {
    const level = Tiles.level(camera.scale * (window.devicePixelRatio || 1));
    const span = Tiles.span(level);
    const from = camera.toMap(0, 0), to = camera.toMap(camera.width, camera.height);
    const first = { x: Math.floor(Math.max(from.x, bounds.left) / span), y: Math.floor(Math.max(from.y, bounds.top) / span) };
    const last = { x: Math.ceil(Math.min(to.x, bounds.right) / span), y: Math.ceil(Math.min(to.y, bounds.bottom) / span) };
    const missing = [];
    context.imageSmoothingEnabled = level > 0;
    for (let row = first.y; row < last.y; row++) {
      for (let column = first.x; column < last.x; column++) {
        if (!this.#put(context, camera, level, column, row)) {
          const distance = Math.hypot((column + 0.5) * span - camera.x, (row + 0.5) * span - camera.y);
          missing.push({ key: `${level}/${column}/${row}`, distance });
        }
      }
    }
    missing.sort((a, b) => a.distance - b.distance);
    this.#wanted = missing.map(one => one.key).filter(key => !this.#running.has(key) && !this.#failed.has(key));
    const seen = new Set(missing.map(one => one.key));
    for (const [key, abort] of this.#running) if (!seen.has(key)) abort.abort();
    this.#ask();
  }

  // A tile, or until it is there what a coarser one shows of it. Says whether it was the tile.
  #put(context, camera, level, column, row) {
    const span = Tiles.span(level);
    const a = camera.toScreen(column * span, row * span), b = camera.toScreen((column + 1) * span, (row + 1) * span);
    for (let up = 0; up <= 6; up++) {
      const parts = 2 ** up;
      const key = `${level + up}/${Math.floor(column / parts)}/${Math.floor(row / parts)}`;
      const picture = this.#pictures.get(key);
      if (!picture) continue;
      this.#pictures.delete(key);
      this.#pictures.set(key, picture);
      const size = SIDE / parts;
      const x = (column - Math.floor(column / parts) * parts) * size, y = (row - Math.floor(row / parts) * parts) * size;
      context.drawImage(picture, x, y, size, size, a.x, a.y, b.x - a.x, b.y - a.y);
      return up === 0;
    }
    return false;
  }

  #ask() {
    while (this.#running.size < AT_ONCE && this.#wanted.length) {
      const key = this.#wanted.shift();
      const abort = new AbortController();
      this.#running.set(key, abort);
      this.#fetch(key, abort).finally(() => { this.#running.delete(key); this.onArrival(); });
    }
  }

  async #fetch(key, abort) {
    try {
      const answer = await fetch(`/tiles/${key}.png`, { signal: abort.signal });
      if (answer.status !== 200) throw new Error(await problemOf(answer));
      this.#pictures.set(key, await createImageBitmap(await answer.blob()));
      while (this.#pictures.size > KEPT) {
        const [oldest, picture] = this.#pictures.entries().next().value;
        picture.close();
        this.#pictures.delete(oldest);
      }
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      this.#failed.add(key);
      this.onProblem(problem.message);
    }
  }
}

// What the server says when it does not answer.
export async function problemOf(answer) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return `the server answered ${answer.status}`;
  }
}
