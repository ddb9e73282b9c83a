// Files of runs and logged models: lists, addresses, contents.

import { encode, get, refusal } from "./call";

export interface FileInfo {
  path: string;
  is_dir: boolean;
  file_size?: number;
}

/** Whose artifacts: all of them, or those below the folder `root`. Paths are relative to it. */
export type Owner = ({ run: string } | { model: string }) & { root?: string };

/** The path that the server knows. */
function whole(owner: Owner, path: string): string {
  return [owner.root, path].filter(Boolean).join("/");
}

export async function listArtifacts(owner: Owner, path: string, signal?: AbortSignal): Promise<FileInfo[]> {
  const folder = whole(owner, path) || undefined;
  const answer =
    "run" in owner
      ? await get<{ files?: FileInfo[] }>("artifacts/list", { run_id: owner.run, path: folder }, signal)
      : await get<{ files?: FileInfo[] }>(`logged-models/${encodeURIComponent(owner.model)}/artifacts/directories`, { artifact_directory_path: folder }, signal);
  const files = (answer.files ?? []).map((file) => (owner.root ? { ...file, path: file.path.slice(owner.root.length + 1) } : file));
  // Folders first, then as people count: `step_2` before `step_10`.
  return files.sort((a, b) => Number(b.is_dir) - Number(a.is_dir) || a.path.localeCompare(b.path, "en", { numeric: true }));
}

/** Where a file is fetched from. */
export function artifactAddress(owner: Owner, path: string): string {
  return "run" in owner
    ? `get-artifact?${encode({ run_id: owner.run, path: whole(owner, path) })}`
    : `ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(owner.model)}/artifacts/files?${encode({ artifact_file_path: whole(owner, path) })}`;
}

/** A page of its own in which an HTML file is shown and cannot do anything. */
export function frameAddress(owner: Owner, path: string): string {
  const file = whole(owner, path);
  return `artifact-frame.html?${"run" in owner ? encode({ run_id: owner.run, path: file }) : encode({ model_id: owner.model, path: file })}`;
}

/** The first `limit` bytes of a file as text, and whether there is more. */
export function artifactText(owner: Owner, path: string, limit: number, signal?: AbortSignal): Promise<{ text: string; cut: boolean }> {
  return textAt(artifactAddress(owner, path), limit, signal);
}

/** The first `limit` bytes of what is at an address. */
export async function textAt(address: string, limit: number, signal?: AbortSignal): Promise<{ text: string; cut: boolean }> {
  const response = await fetch(address, { headers: { Range: `bytes=0-${limit - 1}` }, signal: signal ?? null });
  // A range of an empty file cannot be satisfied.
  if (response.status === 416) return { text: "", cut: false };
  if (!response.ok) throw refusal(response.status, await response.text());
  const total = Number(response.headers.get("content-range")?.split("/")[1] ?? 0);
  return { text: await response.text(), cut: total > limit };
}

export async function artifactBlob(owner: Owner, path: string, type: string, signal?: AbortSignal): Promise<Blob> {
  const response = await fetch(artifactAddress(owner, path), { signal: signal ?? null });
  if (!response.ok) throw refusal(response.status, await response.text());
  return new Blob([await response.arrayBuffer()], { type });
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
