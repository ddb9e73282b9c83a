// One call of the API. Addresses are relative to the page, so that any `--static-prefix` works.

/** Paths are of version 2.0 of the API, unless they begin with the version: `3.0/traces/search`. */
const address = (path: string): string => (path.startsWith("3.0/") ? `ajax-api/3.0/mlflow/${path.slice(4)}` : `ajax-api/2.0/mlflow/${path}`);
const TIMEOUT_MS = 120_000;

/** A refusal of the server, or no answer at all (`status` 0). */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code?: string,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Whether what was asked for is not there, as opposed to any other trouble. */
  get missing(): boolean {
    return this.status === 404 || this.code === "RESOURCE_DOES_NOT_EXIST";
  }
}

export type Query = Record<string, string | number | readonly string[] | undefined>;

/** `a=1&b=x&b=y`; what is undefined is left out. */
export function encode(query: Query): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const item of value as readonly string[]) out.append(name, item);
    else if (value !== undefined) out.append(name, String(value));
  }
  return out.toString();
}

export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const text = encode(query);
  return call<T>(text ? `${path}?${text}` : path, {}, signal);
}

export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return send<T>("POST", path, body, signal);
}

export function send<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return call<T>(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }, signal);
}

async function call<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(address(path), { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const seconds = TIMEOUT_MS / 1000;
    throw new ApiError(timeout.aborted ? `The server did not answer within ${seconds} seconds.` : "The server does not answer. Check that it is running, then try again.", 0);
  }
  if (response.ok) {
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new ApiError("The server's answer is not JSON. Is there another service at this address?", response.status);
    }
  }
  throw refusal(response.status, text);
}

/** The error in an answer that is not OK, whatever form it has. */
export function refusal(status: number, text: string): ApiError {
  try {
    const body = JSON.parse(text) as { message?: string; error_code?: string };
    if (body.message) return new ApiError(body.message, status, body.error_code);
  } catch {
    // Not JSON: a proxy's page, or plain text.
  }
  const plain = text.trim();
  return new ApiError(plain && plain.length < 300 && !plain.startsWith("<") ? plain : `The server answered with status ${status}.`, status);
}

/** What to tell a person about any error. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether a request was given up by ourselves; nobody needs to hear about that. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
