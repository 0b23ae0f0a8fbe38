// What stands on the tiles: outlines and names of tensors, layers, heads.

const OUTLINED = 10; // pixels from which on a plane has an outline
const NAMED = 70;
const HEADED = 22;

export class Drawing {
  constructor(canvas, camera, model, tiles) {
    this.context = canvas.getContext('2d');
    this.canvas = canvas;
    this.camera = camera;
    this.model = model;
    this.tiles = tiles;
    this.chosen = null;
    this.isCrosshairShown = false;
    this.colours = {};
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ['paper', 'outline', 'label', 'shade', 'accent']) this.colours[name] = style.getPropertyValue(`--${name}`).trim();
  }

  draw() {
    const { canvas, camera, context } = this;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(camera.width * ratio) || canvas.height !== Math.round(camera.height * ratio)) {
      canvas.width = Math.round(camera.width * ratio);
      canvas.height = Math.round(camera.height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.colours.paper;
    context.fillRect(0, 0, camera.width, camera.height);
    this.tiles.draw(context, camera, this.model.bounds);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'top';
    for (const tensor of this.model.tensors) this.#outline(tensor);
    this.#layers();
    if (this.chosen) this.#heads(this.chosen);
    if (this.chosen) this.#frame(this.chosen);
    if (this.isCrosshairShown) this.#crosshair();
  }

  #box(one) {
    const a = this.camera.toScreen(one.x, one.y);
    const width = one.width * this.camera.scale, height = one.height * this.camera.scale;
    const isSeen = a.x + width > 0 && a.y + height > 0 && a.x < this.camera.width && a.y < this.camera.height;
    return { x: a.x, y: a.y, width, height, isSeen };
  }

  #outline(tensor) {
    for (const plane of tensor.planes) {
      const box = this.#box(plane);
      if (!box.isSeen || box.width < OUTLINED || box.height < OUTLINED) continue;
      this.context.strokeStyle = this.colours.outline;
      this.context.lineWidth = 1;
      this.context.strokeRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
    }
    const box = this.#box(tensor.planes[0]);
    if (box.isSeen && box.width >= NAMED && box.height >= 24) this.#text(tensor.label, Math.max(box.x, 0) + 4, Math.max(box.y, 0) + 4, box.x + box.width);
  }

  // The number of a layer stands to the right of it, where there is room.
  #layers() {
    for (const layer of this.model.layers) {
      const top = this.camera.toScreen(layer.left, layer.top), bottom = this.camera.toScreen(layer.right, layer.bottom);
      if (bottom.y - top.y >= 14 && bottom.y > 20) this.#text(`layer ${layer.number}`, bottom.x + 8, Math.max(top.y, 0) + 2, this.camera.width);
    }
  }

  #heads(tensor) {
    for (const head of tensor.heads ?? []) {
      const box = this.#box(head);
      if (!box.isSeen || Math.min(box.width, box.height) < HEADED / 2) continue;
      this.context.strokeStyle = this.colours.accent;
      this.context.lineWidth = 1;
      this.context.strokeRect(box.x, box.y, box.width, box.height);
      if (box.height < HEADED) continue;
      const x = Math.max(box.x, 0) + 4, y = Math.max(box.y, 0) + (box.y < 4 ? 20 : 3), end = box.x + box.width;
      this.#text(`head ${head.head}`, x, y, end) || this.#text(String(head.head), x, y, end);
    }
  }

  #frame(tensor) {
    for (const plane of tensor.planes) {
      const box = this.#box(plane);
      this.context.strokeStyle = this.colours.accent;
      this.context.lineWidth = 2;
      this.context.strokeRect(box.x - 2, box.y - 2, box.width + 4, box.height + 4);
    }
  }

  #crosshair() {
    const x = this.camera.width / 2, y = this.camera.height / 2;
    this.context.strokeStyle = this.colours.accent;
    this.context.lineWidth = 1;
    this.context.beginPath();
    this.context.moveTo(x - 10, y);
    this.context.lineTo(x + 10, y);
    this.context.moveTo(x, y - 10);
    this.context.lineTo(x, y + 10);
    this.context.stroke();
  }

  // A text on a shade, if it ends before a place. Says whether it does.
  #text(text, x, y, end) {
    const width = this.context.measureText(text).width;
    if (x + width + 4 > end) return false;
    this.context.fillStyle = this.colours.shade;
    this.context.fillRect(x - 3, y - 2, width + 6, 17);
    this.context.fillStyle = this.colours.label;
    this.context.fillText(text, x, y);
    return true;
  }
}
