// What was seen in the traces that were loaded, for completion in the filter.

import { ownTags } from "../../lib/api/experiments";
import { nameOfTrace, sessionOf, tagsOfTrace, valueOf, type TraceInfo } from "../../lib/api/traces";
import type { Seen } from "../../lib/search/grammar";

/** A longer value is no value to choose from a list. */
const LONG = 120;

export function fieldsOf(traces: readonly TraceInfo[]): Seen {
  const out = new Map<string, Set<string>>();
  const see = (field: string, value: string): void => {
    let values = out.get(field);
    if (!values) out.set(field, (values = new Set()));
    if (value && value.length < LONG) values.add(value);
  };
  for (const trace of traces) {
    see("name", nameOfTrace(trace));
    for (const { key, value } of ownTags(tagsOfTrace(trace))) see(`tags.${key}`, value);
    if (sessionOf(trace)) see("metadata.mlflow.trace.session", sessionOf(trace));
    const user = trace.trace_metadata?.["mlflow.trace.user"];
    if (user) see("metadata.mlflow.trace.user", user);
    for (const assessment of trace.assessments ?? []) {
      const value = valueOf(assessment);
      see(`${assessment.feedback ? "feedback" : "expectation"}.${assessment.assessment_name}`, typeof value === "string" ? value : typeof value === "boolean" ? String(value) : "");
    }
  }
  return out;
}
