// Keyboard shortcuts: each page registers its own, the list of them (`?`) shows all that work now.

export interface Shortcut {
  /** As `KeyboardEvent.key`, or two with a space between: `g e`. */
  keys: string;
  label: string;
  run: () => void;
}

class Keys {
  groups: { name: string; shortcuts: readonly Shortcut[] }[] = $state([]);
  #prefix = "";
  #prefixAt = 0;

  /** Registers until the returned function is called. */
  add(name: string, shortcuts: readonly Shortcut[]): () => void {
    const group = { name, shortcuts };
    this.groups.push(group);
    return () => {
      this.groups = this.groups.filter((other) => other.shortcuts !== shortcuts);
    };
  }

  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], dialog[open], [role=menu]")) return;
    // Enter and space belong to what has the focus.
    if ((event.key === "Enter" || event.key === " ") && target.closest("a, button, summary")) return;
    const chord = Date.now() - this.#prefixAt < 1200 && this.#prefix ? `${this.#prefix} ${event.key}` : "";
    this.#prefix = "";
    for (const wanted of [chord, event.key]) {
      if (!wanted) continue;
      for (const { shortcuts } of [...this.groups].reverse()) {
        const found = shortcuts.find((shortcut) => shortcut.keys === wanted);
        if (found) {
          event.preventDefault();
          found.run();
          return;
        }
      }
    }
    if (this.groups.some(({ shortcuts }) => shortcuts.some((shortcut) => shortcut.keys.startsWith(`${event.key} `)))) {
      this.#prefix = event.key;
      this.#prefixAt = Date.now();
    }
  }
}

export const keys = new Keys();
