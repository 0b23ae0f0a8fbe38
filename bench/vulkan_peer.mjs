// llama.cpp's own Vulkan backend, for bench/inference.py: node vulkan_peer.mjs FOLDER MODEL PROMPT TOKENS THREADS prints one line of JSON.
// FOLDER holds node_modules with node-llama-cpp, which brings that backend built.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [folder, modelPath, promptLength, tokens, threads] = process.argv.slice(2);
const entry = createRequire(path.join(folder, "package.json")).resolve("node-llama-cpp");
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(entry).href);
const llama = await getLlama({ gpu: "vulkan", build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath, gpuLayers: "max" });
const context = await model.createContext({ contextSize: 512, threads: Number(threads) });
const prompt = Array.from({ length: Number(promptLength) }, (_, index) => 100 + ((index * 7919) % 40000));
const started = performance.now();
let first = 0;
let count = 0;
for await (const _ of context.getSequence().evaluate(prompt, { temperature: 0 })) {
  first ||= performance.now();
  if (++count > Number(tokens)) break;
}
const done = performance.now();
const report = {
  device: (await llama.getGpuDeviceNames()).join(", "),
  layers: model.gpuLayers,
  prompt: (Number(promptLength) / (first - started)) * 1000,
  decode: ((count - 1) / (done - first)) * 1000,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(0);
