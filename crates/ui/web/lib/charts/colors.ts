// Colours of runs. They go by the order in which runs are drawn, so that neighbours never share one; what cannot be told
// apart by colour any more is told apart by dashes.

/** Chosen to be told apart with any kind of colour vision, on white and on near-black. */
export const PALETTE = ["#2f7ed8", "#e0701b", "#12967a", "#c653a0", "#b58a00", "#7a5bd6", "#d43f53", "#2fa4c4", "#8a6a4a", "#6f8f1f", "#5d6b82", "#b06ae0"] as const;

export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export interface Look {
  color: string;
  dash: readonly number[];
}

/** Hands out looks: the smallest free place for a new run, and a run keeps its own while it is shown. */
export class Looks {
  #places = new Map<string, number>();

  /** Makes places for these runs and frees those of others. */
  assign(runs: readonly string[]): void {
    const wanted = new Set(runs);
    for (const run of this.#places.keys()) if (!wanted.has(run)) this.#places.delete(run);
    const taken = new Set(this.#places.values());
    let next = 0;
    for (const run of runs) {
      if (this.#places.has(run)) continue;
      while (taken.has(next)) next++;
      taken.add(next);
      this.#places.set(run, next);
    }
  }

  of(run: string, own?: string): Look {
    const place = this.#places.get(run);
    if (place === undefined) return { color: own ?? "var(--faint)", dash: [] };
    return { color: own ?? PALETTE[place % PALETTE.length]!, dash: own ? [] : DASHES[Math.floor(place / PALETTE.length) % DASHES.length]! };
  }
}

/** A colour that somebody wrote into a tag, if it is one. */
export function safeColor(text: string | undefined): string | undefined {
  return text && /^#[0-9a-f]{6}$/i.test(text) ? text : undefined;
}
