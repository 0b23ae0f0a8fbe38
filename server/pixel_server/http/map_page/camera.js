// Where one looks: the texel in the middle, and how many CSS pixels a texel is wide.

const NEAREST = 64;

export class Camera {
  constructor(canvas, bounds) {
    this.canvas = canvas;
    this.bounds = bounds;
    this.x = 0;
    this.y = 0;
    this.scale = 1;
  }

  get width() { return this.canvas.clientWidth; }
  get height() { return this.canvas.clientHeight; }
  get farthest() { return Math.min(this.width / this.#span('left', 'right'), this.height / this.#span('top', 'bottom')) / 2; }

  // A place on the screen as a place on the map, and back.
  toMap(x, y) { return { x: this.x + (x - this.width / 2) / this.scale, y: this.y + (y - this.height / 2) / this.scale }; }
  toScreen(x, y) { return { x: (x - this.x) * this.scale + this.width / 2, y: (y - this.y) * this.scale + this.height / 2 }; }

  move(dx, dy) {
    this.x = clamp(this.x - dx / this.scale, this.bounds.left, this.bounds.right);
    this.y = clamp(this.y - dy / this.scale, this.bounds.top, this.bounds.bottom);
  }

  // Zooms so that what is at a place of the screen stays there.
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const before = this.toMap(x, y);
    this.scale = clamp(this.scale * factor, this.farthest, NEAREST);
    const after = this.toMap(x, y);
    this.x += before.x - after.x;
    this.y += before.y - after.y;
    this.move(0, 0);
  }

  show(left, top, right, bottom) {
    this.scale = clamp(Math.min(this.width / (right - left), this.height / (bottom - top)) * 0.92, this.farthest, NEAREST);
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2;
  }

  // What is asked for in the middle; nearer or farther only where it is too small or too large to be seen well.
  bring(left, top, right, bottom) {
    const width = (right - left) * this.scale, height = (bottom - top) * this.scale;
    if (Math.max(width, height) < 60 || width > this.width || height > this.height) this.show(left, top, right, bottom);
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2;
  }

  // The whole, or of a map that is far higher than wide its upper part: a thin line shows nothing.
  begin() {
    const { left, top, right, bottom } = this.bounds;
    const height = Math.min(bottom - top, (right - left) * this.height / this.width);
    this.show(left, top, right, top + Math.max(height, 1));
  }

  fit() { this.show(this.bounds.left, this.bounds.top, this.bounds.right, this.bounds.bottom); }

  #span(from, to) { return Math.max(this.bounds[to] - this.bounds[from], 1); }
}

function clamp(value, low, high) { return Math.min(Math.max(value, low), Math.max(low, high)); }
