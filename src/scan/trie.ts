/** Texts as a tree of their symbols, and its transitions as Aho and Corasick (1975) have them: each state goes on with every symbol. */
export class Trie {
  readonly ends: number[][] = [[]];
  readonly depths: number[] = [0];
  readonly #children: Array<Map<number, number>> = [new Map()];
  readonly #width: number;
  /** Full transitions by state, filled in breadth first. */
  readonly #steps: Int32Array[] = [];

  constructor(literals: readonly string[], classes: Uint8Array, width: number) {
    this.#width = width;
    literals.forEach((literal, id) => this.#add(literal, id, classes));
    this.#link();
  }

  #add(literal: string, id: number, classes: Uint8Array): void {
    let state = 0;
    for (let i = 0; i < literal.length; i++) {
      const symbol = classes[literal.charCodeAt(i)] as number;
      const children = this.#children[state] as Map<number, number>;
      let next = children.get(symbol);
      if (next === undefined) {
        next = this.#children.push(new Map()) - 1;
        this.ends.push([]);
        this.depths.push(i + 1);
        children.set(symbol, next);
      }
      state = next;
    }
    (this.ends[state] as number[]).push(id);
  }

  /** Breadth first: a state's missing transitions are those of the longest other suffix that is a state. */
  #link(): void {
    const queue: Array<readonly [number, number]> = [[0, 0]];
    for (let i = 0; i < queue.length; i++) {
      const [state, fallback] = queue[i] as readonly [number, number];
      const inherited = state === 0 ? new Int32Array(this.#width) : (this.#steps[fallback] as Int32Array).slice();
      const children = this.#children[state] as Map<number, number>;
      if (state !== 0) (this.ends[state] as number[]).push(...(this.ends[fallback] as number[]));
      for (const [symbol, next] of children) {
        queue.push([next, state === 0 ? 0 : (inherited[symbol] as number)]);
        inherited[symbol] = next;
      }
      this.#steps[state] = inherited;
    }
  }

  /** States in the order they are numbered: those at which literals end last. The start stays first. */
  order(): number[] {
    const states = this.ends.map((_, state) => state);
    const plain = states.filter((state) => (this.ends[state] as number[]).length === 0);
    return [...plain, ...states.filter((state) => (this.ends[state] as number[]).length > 0)];
  }

  table(order: readonly number[]): Int32Array {
    const places = new Int32Array(order.length);
    order.forEach((state, place) => (places[state] = place * this.#width));
    const table = new Int32Array(order.length * this.#width);
    order.forEach((state, place) => {
      (this.#steps[state] as Int32Array).forEach((next, symbol) => {
        table[place * this.#width + symbol] = places[next] as number;
      });
    });
    return table;
  }
}
