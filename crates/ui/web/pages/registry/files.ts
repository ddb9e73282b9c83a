// Where the files of a version are: in the artifacts of its run, in a logged model, or where the server cannot list them.

import type { Owner } from "../../lib/api/artifacts";
import { textAt } from "../../lib/api/artifacts";
import { getLoggedModel } from "../../lib/api/models";
import { downloadUri, loggedModelOf, versionFile, type ModelVersion } from "../../lib/api/registry";
import type { Run } from "../../lib/api/runs";
import { readModelFile, type ModelFile } from "./mlmodel";

export interface Files {
  uri: string;
  /** Who can list them; nobody if they are somewhere else. */
  owner: Owner | undefined;
}

export async function filesOf(version: ModelVersion, run: Run | undefined, signal?: AbortSignal): Promise<Files> {
  const uri = (await downloadUri(version.name, version.version, signal)).replace(/\/+$/, "");
  const root = run?.info.artifact_uri?.replace(/\/+$/, "");
  if (run && root !== undefined && (uri === root || uri.startsWith(`${root}/`))) return { uri, owner: within({ run: run.info.run_id }, uri.slice(root.length + 1)) };
  if (run && uri.startsWith(`runs:/${run.info.run_id}/`)) return { uri, owner: within({ run: run.info.run_id }, uri.slice(`runs:/${run.info.run_id}/`.length)) };
  // A copy keeps the files of the logged model that it was copied from, and no longer says which that is.
  const id = loggedModelOf(version.source) ?? loggedModelOf(uri) ?? /\/models\/(m-[0-9a-f]+)\/artifacts$/.exec(uri)?.[1];
  if (id) {
    const model = await getLoggedModel(id, signal).catch(() => undefined);
    if (model && (model.info.artifact_uri?.replace(/\/+$/, "") === uri || loggedModelOf(uri) === id)) return { uri, owner: { model: id } };
  }
  return { uri, owner: undefined };
}

const within = (owner: { run: string }, root: string): Owner => (root ? { ...owner, root } : owner);

/** In bytes. A signature of 20,000 columns is smaller. */
const LARGEST = 1_500_000;

/** The `MLmodel` file of a version; `undefined` where there is none that can be read. */
export async function modelFileOf(version: ModelVersion, signal?: AbortSignal): Promise<ModelFile | undefined> {
  const { text } = await textAt(versionFile(version.name, version.version, "MLmodel"), LARGEST, signal);
  return readModelFile(text);
}
