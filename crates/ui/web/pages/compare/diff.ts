// Differences of two texts, line by line (the shortest edit script of Myers).

export interface DiffLine {
  kind: "same" | "removed" | "added";
  text: string;
  /** Numbers of the line on the left and on the right. */
  left?: number;
  right?: number;
}

/** Where texts differ more than this, whole blocks are shown as replaced: the search for the shortest script takes too long. */
const MOST_EDITS = 1500;

export function diff(left: string, right: string): DiffLine[] {
  const a = left.split("\n");
  const b = right.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const out: DiffLine[] = [];
  const same = (i: number, j: number): number => out.push({ kind: "same", text: a[i]!, left: i + 1, right: j + 1 });
  for (let i = 0; i < start; i++) same(i, i);
  for (const step of script(a.slice(start, a.length - end), b.slice(start, b.length - end))) {
    if (step.kind === "same") same(start + step.i, start + step.j);
    else if (step.kind === "removed") out.push({ kind: "removed", text: a[start + step.i]!, left: start + step.i + 1 });
    else out.push({ kind: "added", text: b[start + step.j]!, right: start + step.j + 1 });
  }
  for (let i = end; i > 0; i--) same(a.length - i, b.length - i);
  return out;
}

interface Step {
  kind: DiffLine["kind"];
  i: number;
  j: number;
}

function script(a: string[], b: string[]): Step[] {
  const [n, m] = [a.length, b.length];
  const replaced = (): Step[] => [...a.map((_, i): Step => ({ kind: "removed", i, j: 0 })), ...b.map((_, j): Step => ({ kind: "added", i: n, j }))];
  const most = Math.min(n + m, MOST_EDITS);
  const size = 2 * most + 3;
  const middle = most + 1;
  const v = new Int32Array(size);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= most; d++) {
    trace.push(v.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && v[middle + k - 1]! < v[middle + k + 1]!) ? v[middle + k + 1]! : v[middle + k - 1]! + 1;
      while (x < n && x - k < m && a[x] === b[x - k]) x++;
      v[middle + k] = x;
      if (x >= n && x - k >= m) return walkBack(trace, n, m);
    }
  }
  return replaced();
}

function walkBack(trace: Int32Array[], n: number, m: number): Step[] {
  const out: Step[] = [];
  let [x, y] = [n, m];
  for (let d = trace.length - 1; d >= 0; d--) {
    const v = trace[d]!;
    const at = (k: number): number => v[k + d + 1]!;
    const k = x - y;
    const before = k === -d || (k !== d && at(k - 1) < at(k + 1)) ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : at(before);
    const fromY = fromX - (d === 0 ? 0 : before);
    while (x > fromX && y > fromY && x > 0 && y > 0 && (d === 0 || x > fromX)) {
      if (d > 0 && (x === fromX || y === fromY)) break;
      out.push({ kind: "same", i: --x, j: --y });
    }
    if (d > 0) {
      if (x === fromX) out.push({ kind: "added", i: x, j: --y });
      else out.push({ kind: "removed", i: --x, j: y });
    }
  }
  return out.reverse();
}
