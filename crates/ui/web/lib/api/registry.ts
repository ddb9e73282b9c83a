// The model registry: `registered-models/*` and `model-versions/*`. Prompts are registered models with a tag.

import { encode, get, post, send } from "./call";
import { tagOf, type Tag } from "./experiments";

export type ModelStage = "None" | "Staging" | "Production" | "Archived";

export const STAGES: readonly ModelStage[] = ["None", "Staging", "Production", "Archived"];

/** Another name stands for a version: `models:/name@alias`. */
export interface Alias {
  alias: string;
  version: string;
}

export interface ModelVersion {
  name: string;
  version: string;
  creation_timestamp?: number;
  last_updated_timestamp?: number;
  user_id?: string;
  current_stage?: ModelStage;
  description?: string;
  source?: string;
  run_id?: string;
  run_link?: string;
  model_id?: string;
  status?: string;
  status_message?: string;
  tags?: Tag[];
  aliases?: string[];
}

export interface RegisteredModel {
  name: string;
  creation_timestamp?: number;
  last_updated_timestamp?: number;
  description?: string;
  /** The newest of each stage. */
  latest_versions?: ModelVersion[];
  tags?: Tag[];
  aliases?: Alias[];
}

export interface RegistrySearch {
  filter: string;
  order_by: readonly string[];
  max_results: number;
  page_token?: string | undefined;
}

export const IS_PROMPT = "mlflow.prompt.is_prompt";

/** The condition that finds prompts, and nothing else. */
export const PROMPTS = `tags.\`${IS_PROMPT}\` = 'true'`;

export const isPrompt = (tags: readonly Tag[] | undefined): boolean => tagOf(tags, IS_PROMPT).toLowerCase() === "true";

export function searchRegistered(search: RegistrySearch, signal?: AbortSignal): Promise<{ registered_models?: RegisteredModel[]; next_page_token?: string }> {
  return get("registered-models/search", { ...search, filter: search.filter || undefined }, signal);
}

export function searchVersions(search: RegistrySearch, signal?: AbortSignal): Promise<{ model_versions?: ModelVersion[]; next_page_token?: string }> {
  return get("model-versions/search", { ...search, filter: search.filter || undefined }, signal);
}

/**
 * A comparison that finds this value. Quotes cannot be escaped in a filter: where a value holds both kinds, the comparison
 * finds similar ones too, so that the answer has to be sifted.
 */
export function equals(field: string, value: string): string {
  if (!value.includes("'")) return `${field} = '${value}'`;
  if (!value.includes('"')) return `${field} = "${value}"`;
  return `${field} LIKE '${value.replace(/['\\]/g, "_")}'`;
}

/** Versions of a model or of a prompt, the newest first. Prompts are found only by a filter that asks for them. */
export async function versionsOf(kind: "model" | "prompt", name: string, size: number, token?: string, signal?: AbortSignal): Promise<{ items: ModelVersion[]; next?: string | undefined }> {
  const filter = `${equals("name", name)}${kind === "prompt" ? ` AND ${PROMPTS}` : ""}`;
  const page = await searchVersions({ filter, order_by: ["version_number DESC"], max_results: size, page_token: token }, signal);
  return { items: (page.model_versions ?? []).filter((version) => version.name === name), next: page.next_page_token };
}

export async function getRegistered(name: string, signal?: AbortSignal): Promise<RegisteredModel> {
  return (await get<{ registered_model: RegisteredModel }>("registered-models/get", { name }, signal)).registered_model;
}

export async function createRegistered(name: string, options: { description?: string; tags?: readonly Tag[] } = {}): Promise<RegisteredModel> {
  return (await post<{ registered_model: RegisteredModel }>("registered-models/create", { name, ...options })).registered_model;
}

export const describeRegistered = (name: string, description: string) => send("PATCH", "registered-models/update", { name, description });

export const renameRegistered = (name: string, newName: string) => post("registered-models/rename", { name, new_name: newName });

export const deleteRegistered = (name: string) => send("DELETE", "registered-models/delete", { name });

export const setRegisteredTag = (name: string, key: string, value: string) => post("registered-models/set-tag", { name, key, value });

export const deleteRegisteredTag = (name: string, key: string) => send("DELETE", "registered-models/delete-tag", { name, key });

export const setAlias = (name: string, alias: string, version: string) => post("registered-models/alias", { name, alias, version });

export const deleteAlias = (name: string, alias: string) => send("DELETE", "registered-models/alias", { name, alias });

export async function getVersion(name: string, version: string, signal?: AbortSignal): Promise<ModelVersion> {
  return (await get<{ model_version: ModelVersion }>("model-versions/get", { name, version }, signal)).model_version;
}

export interface NewVersion {
  name: string;
  source: string;
  run_id?: string | undefined;
  model_id?: string | undefined;
  description?: string;
  tags?: readonly Tag[];
}

export async function createVersion(version: NewVersion): Promise<ModelVersion> {
  return (await post<{ model_version: ModelVersion }>("model-versions/create", version)).model_version;
}

export const describeVersion = (name: string, version: string, description: string) => send("PATCH", "model-versions/update", { name, version, description });

export const deleteVersion = (name: string, version: string) => send("DELETE", "model-versions/delete", { name, version });

export const setVersionTag = (name: string, version: string, key: string, value: string) => post("model-versions/set-tag", { name, version, key, value });

export const deleteVersionTag = (name: string, version: string, key: string) => send("DELETE", "model-versions/delete-tag", { name, version, key });

export const moveToStage = (name: string, version: string, stage: ModelStage, archiveOthers: boolean) =>
  post("model-versions/transition-stage", { name, version, stage, archive_existing_versions: archiveOthers });

/** Where the files of a version are. */
export async function downloadUri(name: string, version: string, signal?: AbortSignal): Promise<string> {
  return (await get<{ artifact_uri?: string }>("model-versions/get-download-uri", { name, version }, signal)).artifact_uri ?? "";
}

/** The number of the newest version, if there is any. */
export function latestOf(model: RegisteredModel): ModelVersion | undefined {
  return (model.latest_versions ?? []).reduce<ModelVersion | undefined>((best, version) => (best && Number(best.version) > Number(version.version) ? best : version), undefined);
}

/** Where a file of a version is fetched from, wherever the version keeps its files. */
export const versionFile = (name: string, version: string, path: string): string => `model-versions/get-artifact?${encode({ name, version, path })}`;

/** The logged model that a URI names: `models:/m-…`. */
export const loggedModelOf = (source: string | undefined): string | undefined => /^models:\/(m-[0-9a-f]+)$/.exec(source ?? "")?.[1];

/** The version that a URI names: `models:/name/3`. */
export function copiedFrom(source: string | undefined): { name: string; version: string } | undefined {
  const found = /^models:\/([^/@]+)\/(\d+)$/.exec(source ?? "");
  return found ? { name: found[1]!, version: found[2]! } : undefined;
}
