// A filter taken apart at its ANDs, for who understands some of its conditions, or changes one and leaves the others.

import { tokens, type Token } from "./lexer";

export interface Condition {
  /** As it was written. */
  text: string;
  /** Name, comparison and value, where it is made of just these. */
  name?: string;
  comparison?: string;
  value?: Token;
}

export function conditionsOf(filter: string): Condition[] {
  const groups: Token[][] = [[]];
  for (const token of tokens(filter)) {
    if (token.kind === "word" && token.text.toUpperCase() === "AND") groups.push([]);
    else groups.at(-1)!.push(token);
  }
  return groups.filter((group) => group.length).map((group) => {
    const text = filter.slice(group[0]!.start, group.at(-1)!.end);
    const [name, comparison, value, ...more] = group;
    if (!value || more.length || name?.kind !== "name" || comparison?.kind !== "operator") return { text };
    return { text, name: name.text, comparison: comparison.text, value };
  });
}
