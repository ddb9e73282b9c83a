// The MLflow REST calls that the pages make. Every URL is relative to the page, so any `--static-prefix` works.

const BASE = "ajax-api/2.0/mlflow/";
const TIMEOUT_MS = 60_000;
const UNREACHABLE = "The server does not answer. Check that it is running and reachable, then try again.";

/** A refusal (with the server's error code) or a failed connection (without). */
export class ApiError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** The JSON answer, an `ApiError`, or an `AbortError` once `signal` says that nobody waits any more. */
async function call(path, signal, init) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response, text;
  try {
    response = await fetch(BASE + path, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(timeout.aborted ? `The server did not answer within ${TIMEOUT_MS / 1000} s.` : UNREACHABLE);
  }
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    const plain = (response.headers.get("content-type") ?? "").startsWith("text/plain") ? text.slice(0, 300) : "";
    throw new ApiError(plain || `The server answered with status ${response.status} and no readable message.`);
  }
  if (!response.ok) throw new ApiError(body.message || `The server answered with status ${response.status}.`, body.error_code);
  return body;
}

const get = (path, query, signal) => call(`${path}?${new URLSearchParams(query)}`, signal);
const post = (path, body, signal) =>
  call(path, signal, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Newest experiments first. `text` is looked for in the name, in any case. */
export function searchExperiments({ text = "", token, size = 50, signal }) {
  const query = { max_results: size, order_by: "creation_time DESC" };
  // Quotes cannot be escaped in the search grammar; `_` stands for any one character.
  if (text) query.filter = `name ILIKE '%${text.replace(/['"]/g, "_")}%'`;
  if (token) query.page_token = token;
  return get("experiments/search", query, signal);
}

export const experiment = (id, signal) => get("experiments/get", { experiment_id: id }, signal);

export const searchRuns = (request, signal) => post("runs/search", request, signal);

export const run = (id, signal) => get("runs/get", { run_id: id }, signal);

export const artifacts = (id, path, signal) =>
  get("artifacts/list", path ? { run_id: id, path } : { run_id: id }, signal);
