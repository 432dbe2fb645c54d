// The course's byte-level BPE tokenizer in the browser: text -> ids -> text, as `tokenizers` does it from the same file.

// GPT-2's pattern (Radford et al. 2019); \s is written out, since JavaScript's own differs from Unicode's White_Space.
const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORDS = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`, "gu");

/** The 256 characters that stand for bytes in the file: printable Latin-1 for itself, the others from U+0100 on. */
function byteCharacters() {
  const printable = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
}

export class Tokenizer {
  /** From the text of a tokenizer.json. */
  constructor(json) {
    const { model, added_tokens } = JSON.parse(json);
    this.vocabulary = new Map(Object.entries(model.vocab));
    this.ranks = new Map(model.merges.map((pair, rank) => [pair.join(" "), rank]));
    this.special = new Map(added_tokens.map((token) => [token.content, token.id]));
    this.end = this.special.get("<|endoftext|>");
    this.characters = byteCharacters();
    this.bytes = new Map(this.characters.map((character, byte) => [character, byte]));
    this.pieces = [];
    for (const [piece, id] of this.vocabulary) this.pieces[id] = Uint8Array.from(piece, (c) => this.bytes.get(c));
    for (const [name, id] of this.special) this.pieces[id] = new TextEncoder().encode(name);
    const names = [...this.special.keys()].map((name) => name.replace(/[|\\{}()[\]^$+*?.]/g, "\\$&"));
    this.marks = new RegExp(`(${names.join("|")})`);
    this.known = new Map();
  }

  /** Ids of a text; the names of special tokens in it become those tokens. Half of a character pair is an error. */
  encode(text) {
    if (/\p{Cs}/u.test(text)) throw new Error("half of a character pair: write it anew");
    return text.split(this.marks).flatMap((part) =>
      this.special.has(part) ? [this.special.get(part)] : (part.match(WORDS) ?? []).flatMap((word) => this.word(word)));
  }

  /** Text of ids; incomplete characters become U+FFFD. With `skip`, special tokens are left out. */
  decode(ids, skip = false) {
    const special = new Set(skip ? this.special.values() : []);
    const bytes = ids.filter((id) => !special.has(id)).flatMap((id) => [...this.pieces[id]]);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }

  /** Ids of one word of the pattern: the pair that was merged first in training is merged first, until none is left. */
  word(word) {
    if (!this.known.has(word)) {
      let parts = [...new TextEncoder().encode(word)].map((byte) => this.characters[byte]);
      while (parts.length > 1) {
        const ranks = parts.slice(1).map((part, i) => this.ranks.get(`${parts[i]} ${part}`) ?? Infinity);
        const best = Math.min(...ranks);
        if (best === Infinity) break;
        parts = this.merged(parts, ranks, best);
      }
      this.known.set(word, parts.map((part) => this.vocabulary.get(part)));
    }
    return this.known.get(word);
  }

  merged(parts, ranks, best) {
    const out = [];
    for (let i = 0; i < parts.length; i++) {
      // a pair that overlaps one just merged stays: aaa -> aa a
      if (ranks[i] === best) out.push(parts[i] + parts[++i]);
      else out.push(parts[i]);
    }
    return out;
  }
}
