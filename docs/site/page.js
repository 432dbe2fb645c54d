// The page's three things: one question to three stages, the next token, what is trained of a pair. The models are in
// worker.js; here are the controls, the files that they need, and what is shown. Texts are set as text, never as HTML.

const lab = document.getElementById("lab");
const find = (name) => lab.querySelector(`#${name}`);
const STAGES = ["random", "base", "finetuned"];
const LIMIT = 60; // tokens of an answer, as in the notebooks
const [BEFORE, BEHIND] = ["### Question:\n", "\n\n### Answer:\n"]; // the template "lecture"
const INVISIBLE = { "\n": "⏎", "\t": "⇥", "\r": "␍", "\x1b": "␛" };
const waiting = new Map();
const opened = new Map();
let worker, count = 0;

/** A message to the worker; what it answers. `onPart` is given what comes before that. */
export function request(act, content = {}, onPart = () => {}) {
  const id = ++count;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, onPart });
    worker.postMessage({ id, act, ...content });
  });
}

function received({ data }) {
  const { resolve, reject, onPart } = waiting.get(data.id);
  if ("part" in data) return onPart(data.part);
  waiting.delete(data.id);
  return "failed" in data ? reject(new Error(data.failed)) : resolve(data.done);
}

/** A file as bytes: from this page where it carries it, else from the folder, with its progress. */
async function file(name) {
  const carried = document.getElementById(`file:${name}`);
  if (carried) return unpacked(carried.textContent.trim());
  const answer = await fetch(lab.dataset.files + name);
  if (!answer.ok) throw new Error(`${name} is not in the folder (${answer.status})`);
  const size = Number(answer.headers.get("Content-Length")), parts = [];
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    say(`loading ${name}`, parts.reduce((sum, part) => sum + part.length, 0) / size);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function unpacked(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The worker with its runtime and the tokenizer, once. */
async function begin() {
  const code = document.getElementById("file:worker.js");
  if (code) worker = new Worker(URL.createObjectURL(new Blob([await file("worker.js")])));
  else worker = new Worker(new URL(`${lab.dataset.files}worker.js`, location.href), { type: "module" });
  worker.onmessage = received;
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || "worker.js did not load"));
    waiting.clear();
  };
  const text = async (name) => new TextDecoder().decode(await file(name));
  const glue = code ? await text("ort-wasm-simd-threaded.js") : "";
  await request("begin", { wasm: await file("ort-wasm-simd-threaded.wasm"), glue, vocabulary: await text("tokenizer.json") });
}

/** Open a stage, once; `ready("")` opens none, only what all need. */
export function ready(stage) {
  const open = async () => {
    if (!stage) return begin();
    await ready("");
    await request("open", { stage, bytes: await file(`${stage}.onnx`) });
    return say("");
  };
  const again = (error) => {
    opened.delete(stage);
    throw error;
  };
  if (!opened.has(stage)) opened.set(stage, open().catch(again));
  return opened.get(stage);
}

function say(words, share) {
  find("lab-status").textContent = words;
  const bar = find("lab-progress");
  bar.hidden = !(share >= 0 && share < 1);
  if (!bar.hidden) bar.value = share;
}

function fail(error) {
  say(`It did not work: ${error.message}`);
}

/** A text on one line with its invisible characters to be seen, as the notebooks show it. */
function plain(text) {
  const code = (c) => `[U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`;
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (c) => INVISIBLE[c] ?? code(c));
}

const piece = (text) => plain(text).replaceAll(" ", "·") || "∅";

function make(kind, text = "", properties = {}) {
  return Object.assign(document.createElement(kind), { textContent: text }, properties);
}

// One question, three stages.

let asking = false;

async function ask(event) {
  event.preventDefault();
  const question = find("question").value.trim();
  if (!question || asking) return;
  asking = true;
  find("ask-button").disabled = !(find("stop-button").disabled = false);
  const rows = new Map(STAGES.map((stage) => [stage, [...lab.querySelectorAll(`tr[data-stage=${stage}] td`)]]));
  for (const cell of [...rows.values()].flat()) cell.textContent = "";
  try {
    for (const stage of STAGES) if (asking) await show(stage, question, ...rows.get(stage));
  } catch (error) {
    fail(error);
  }
  asking = false;
  find("ask-button").disabled = !(find("stop-button").disabled = true);
}

async function show(stage, question, answer, speed) {
  answer.textContent = "…";
  await ready(stage);
  if (!asking) return void (answer.textContent = "(stopped)");
  const bare = (text) => text.split(BEFORE)[0].trim();
  const onPart = (text) => { answer.textContent = `${bare(text)} …`; };
  const done = await request("write", { stage, text: BEFORE + question + BEHIND, limit: LIMIT }, onPart);
  const end = done.ended ? "" : done.stopped ? " … (stopped)" : ` … (cut after ${LIMIT} tokens)`;
  answer.textContent = (bare(done.text) || "(nothing)") + end;
  if (done.ids.length) speed.textContent = `${done.ids.length} tokens, ${(done.ids.length / done.seconds).toFixed(0)} a second`;
}

function stop() {
  asking = false;
  worker?.postMessage({ act: "stop" });
}

// The next token.

let guessing = false, again = false;
const stageChosen = () => lab.querySelector("input[name=stage]:checked").value;

/** Show what comes next; while one answer is on its way, only the newest text waits. */
async function guess() {
  if (guessing) return void (again = true);
  guessing = true;
  do {
    again = false;
    try {
      await ready(stageChosen());
      bars(await request("next", { stage: stageChosen(), text: find("phrase").value, k: 8 }));
    } catch (error) {
      find("bars").replaceChildren();
      find("write-button").dataset.text = "";
      find("choices").textContent = error.message;
    }
  } while (again);
  guessing = false;
}

function bars({ likeliest, choices, end }) {
  const rows = likeliest.map(({ text, share }) => {
    const row = make("tr"), bar = make("td");
    bar.append(make("div", "", { className: "lab-bar", style: `width:${(100 * share).toFixed(2)}%` }));
    const percent = share >= 0.01 ? (100 * share).toFixed(1) : (100 * share).toFixed(2);
    row.append(make("th", piece(text), { scope: "row" }), bar, make("td", `${percent} %`));
    return row;
  });
  find("bars").replaceChildren(...rows);
  const space = find("phrase").value.endsWith(" ")
    ? "The phrase ends in a space, which belongs to the token behind it: models seldom saw such a place. " : "";
  find("choices").textContent = `${space}As undecided as if it chose blindly among ${choices.toFixed(1)} tokens.`;
  const best = likeliest[0];
  find("write-button").dataset.text = best.id === end ? "" : best.text;
}

function write() {
  find("phrase").value += find("write-button").dataset.text ?? "";
  guess();
}

// What is trained of a pair.

let latest = 0;

async function pair() {
  const mine = ++latest;
  try {
    await ready("");
    const tokens = (text) => request("tokens", { text });
    const prompt = await tokens(BEFORE + find("pair-question").value + BEHIND);
    const answer = await tokens(`${find("pair-answer").value}<|endoftext|>`);
    if (mine !== latest) return;
    say("");
    find("tokens").replaceChildren(...prompt.flatMap((token) => mark(token, false)), ...answer.flatMap((token) => mark(token, true)));
    find("trained").textContent = `trained: ${answer.length} of ${prompt.length + answer.length} tokens`;
    find("ignored").textContent = `ignored: ${prompt.length}`;
  } catch (error) {
    fail(error);
  }
}

function mark({ id, text }, trained) {
  const title = `id ${id}, label ${trained ? id : -100} (${trained ? "trained" : "ignored"})`;
  const className = trained ? "lab-trained" : "lab-ignored";
  return [make("span", piece(text), { title, className }), make(text.includes("\n") ? "br" : "wbr")];
}

/** The controls, once the browser has what it takes; else a line that says what is missing. */
function start() {
  const needs = { WebAssembly: "WebAssembly", Worker: "web workers", BigInt64Array: "64-bit integers" };
  const missing = Object.keys(needs).filter((name) => !(name in globalThis)).map((name) => needs[name]);
  if (missing.length) {
    return say(`This browser cannot run the models: it has no ${missing.join(", no ")}. A current Chrome, Edge, Firefox or Safari can.`);
  }
  find("ask").addEventListener("submit", ask);
  find("stop-button").addEventListener("click", stop);
  find("next").addEventListener("submit", (event) => { event.preventDefault(); write(); });
  find("phrase").addEventListener("input", guess);
  for (const radio of lab.querySelectorAll("input[name=stage]")) radio.addEventListener("change", guess);
  for (const name of ["pair-question", "pair-answer"]) find(name).addEventListener("input", pair);
  find("ask-button").disabled = find("write-button").disabled = false;
  return say("Nothing is loaded yet: the models come with the first question.");
}

start();
