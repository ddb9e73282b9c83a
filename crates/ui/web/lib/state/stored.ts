// Values in the browser's storage, which may be missing, full or spoilt.

export function load<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(`runledger.${key}`);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

export function store(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(`runledger.${key}`);
    else localStorage.setItem(`runledger.${key}`, JSON.stringify(value));
  } catch {
    // What was chosen lasts until the page is left.
  }
}
