// The models in a worker: opens a stage, lets it go on from a text token by token, or says what it expects next.
// Everything comes in messages, {id, act, ...}; this file fetches nothing, so it works from a folder and from one file.
import * as ort from "./ort.wasm.bundle.min.js";
import { Tokenizer } from "./tokenizer.js";

const CONTEXT = 512; // positions that the models were pretrained with
const CACHE = [12, 1, 4, 0, 64]; // keys and values of six layers, batch, heads, positions so far, width of a head
const stages = new Map();
let tokenizer, newest = 0, stopped = 0; // ids of requests, which count up: the newest, and the last one to be stopped

const acts = {
  begin({ wasm, glue, vocabulary }) {
    ort.env.wasm.numThreads = 1; // more need headers that a plain web server does not send
    ort.env.wasm.wasmBinary = wasm;
    if (glue) ort.env.wasm.wasmPaths = { mjs: URL.createObjectURL(new Blob([glue], { type: "text/javascript" })) };
    tokenizer = new Tokenizer(vocabulary);
  },
  async open({ stage, bytes }) {
    stages.set(stage, await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] }));
  },
  tokens({ text }) {
    return tokenizer.encode(text).map((id) => ({ id, text: tokenizer.decode([id]) }));
  },
  /** Greedy: the likeliest token each time, until end-of-text, `limit` tokens, or a stop. */
  async write({ id, stage, text, limit }) {
    const ids = tokenizer.encode(text), written = [];
    if (ids.length + limit > CONTEXT) {
      throw new Error(`this is ${ids.length} tokens; with an answer, at most ${CONTEXT} fit: shorten it`);
    }
    const began = performance.now();
    let state = { past: new ort.Tensor("float32", new Float32Array(0), CACHE) }, next = ids, ended = false;
    for (; id > stopped && !ended && written.length < limit; next = written.slice(-1)) {
      state = await step(stage, next, state.past);
      const best = likeliest(state.logits, 1)[0];
      ended = best === tokenizer.end;
      written.push(best);
      postMessage({ id, part: tokenizer.decode(written, true) });
      await breath();
    }
    const seconds = (performance.now() - began) / 1000;
    return { text: tokenizer.decode(written, true), ids: written, ended, stopped: id <= stopped, seconds };
  },
  /** The k likeliest tokens behind a text with their probabilities, and how many equally likely ones it amounts to. */
  async next({ stage, text, k }) {
    const ids = tokenizer.encode(text).slice(-CONTEXT);
    if (!ids.length) throw new Error("the text is empty: a model needs at least one token to go on from");
    const { logits } = await step(stage, ids, new ort.Tensor("float32", new Float32Array(0), CACHE));
    const most = logits.reduce((a, b) => Math.max(a, b));
    const shares = Array.from(logits, (logit) => Math.exp(logit - most));
    const sum = shares.reduce((a, b) => a + b);
    const entropy = shares.reduce((nats, share) => nats - (share ? (share / sum) * Math.log(share / sum) : 0), 0);
    const found = likeliest(logits, k).map((id) => ({ id, text: tokenizer.decode([id]), share: shares[id] / sum }));
    return { likeliest: found, choices: Math.exp(entropy), end: tokenizer.end };
  },
};

/** One pass of the model: the logits behind the last id, and the cache with these ids in it. */
async function step(stage, ids, past) {
  const row = new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const { logits, present } = await stages.get(stage).run({ ids: row, past });
  return { logits: logits.data, past: present };
}

/** The ids of the k highest logits, the highest first. */
function likeliest(logits, k) {
  if (k === 1) return [logits.reduce((best, value, id) => (value > logits[best] ? id : best), 0)];
  return Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a]).slice(0, k);
}

/** Let a message come in, such as a stop; a time-out would cost four milliseconds. */
function breath() {
  return new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); go(); };
    port2.postMessage(0);
  });
}

let queue = Promise.resolve(); // one after the other: a session runs once at a time
onmessage = ({ data }) => {
  if (data.act === "stop") return void (stopped = newest); // also what still waits in the queue
  newest = data.id;
  queue = queue.then(() => answer(data));
};

async function answer(data) {
  try {
    postMessage({ id: data.id, done: await acts[data.act](data) });
  } catch (error) {
    postMessage({ id: data.id, failed: error?.message ?? String(error) });
  }
}
