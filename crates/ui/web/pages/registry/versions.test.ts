// What differs between versions of a model.

import { expect, test } from "vitest";
import { readModelFile } from "./mlmodel";
import { differences, type Whole } from "./versions";

const whole = (number: string, type: string, loss: number): Whole => ({
  version: { name: "m", version: number, tags: [{ key: "team", value: "a" }, { key: "mlflow.x", value: number }] },
  run: { info: { run_id: `r${number}`, experiment_id: "1", status: "FINISHED", lifecycle_stage: "active" }, data: { metrics: [{ key: "loss", value: loss }, { key: "system/cpu", value: loss }], params: [{ key: "lr", value: "1" }] } },
  file: readModelFile(`signature:\n  inputs: '[{"name": "x", "type": "${type}"}]'\n`),
});

test("metrics, params, schema and tags, with what differs", () => {
  const sections = differences([whole("1", "long", 0.5), whole("2", "double", 0.25)], [{ alias: "best", version: "2" }]);
  const rows = Object.fromEntries(sections.map((section) => [section.name, section.rows.map((row) => [row.key, row.differs, ...row.texts])]));
  expect(rows.Metrics).toEqual([["loss", true, "0.5", "0.25"]]);
  expect(rows.Params).toEqual([["lr", false, "1", "1"]]);
  expect(rows.Schema).toEqual([["inputs.x", true, "long", "double"]]);
  expect(rows.Tags).toEqual([["team", false, "a", "a"]]);
  expect(rows.About).toContainEqual(["Aliases", true, undefined, "@best"]);
  expect(sections[0]!.rows[0]!.best).toEqual([1]);
});

test("a metric of the logged model stands for that of its run", () => {
  const logged = { info: { model_id: "m-1", experiment_id: "1", name: "m" }, data: { metrics: [{ key: "loss", value: 7 }], params: [] } };
  const [metrics] = differences([{ ...whole("1", "long", 0.5), logged }], []);
  expect(metrics!.rows.map((row) => row.texts)).toEqual([["7"]]);
});
