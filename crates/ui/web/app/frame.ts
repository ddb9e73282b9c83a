// The page around an HTML artifact: a frame in which nothing may run.
//
// The artifact becomes a `blob:` document in a sandbox without any permission. It inherits the policy of this page and
// not of the application: inline styles and `data:` images show, nothing else loads, no script runs.

import "./frame.css";

const query = new URLSearchParams(location.search);
const source = new URLSearchParams();
for (const name of ["run_id", "path"]) source.set(name, query.get(name) ?? "");
const address = query.has("model_id")
  ? `ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(query.get("model_id") ?? "")}/artifacts/files?artifact_file_path=${encodeURIComponent(query.get("path") ?? "")}`
  : `get-artifact?${source}`;

const response = await fetch(address);
const text = response.ok ? await response.text() : `The artifact could not be loaded: the server answered with status ${response.status}.`;
const frame = document.createElement("iframe");
frame.setAttribute("sandbox", "");
frame.title = "HTML artifact";
frame.src = URL.createObjectURL(new Blob([text], { type: "text/html;charset=utf-8" }));
document.body.append(frame);
