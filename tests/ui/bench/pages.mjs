// What is looked at in each UI: the address of a page, and how a script in the page knows that it is drawn.
//
// `drawn` runs in the page, once a frame, with `inSight` in its scope. It must not change what the page does.

/** Whether an element of that kind with such a text is laid out, visible and in the window. */
export function inSight(selector, text) {
  return [...document.querySelectorAll(selector)].some((element) => {
    if (!text.test(element.textContent) || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    const { top, bottom, left, right } = element.getBoundingClientRect();
    return bottom > 0 && right > 0 && top < innerHeight && left < innerWidth && bottom > top;
  });
}

/** The run names of `tests/bench/seed.py`, in links: a skeleton has none. */
const RUN = "/^run-\\d{5,}$/";

export const runledger = {
  name: "runledger",
  runs: (id) => ({ hash: `#/experiments/${id}`, drawn: `() => inSight(".grid .line a", ${RUN})` }),
  // The lines are the only colours on the canvas; a column of it is read, which all of them cross.
  chart: (id) => ({
    hash: `#/experiments/${id}/charts`,
    drawn: `() => {
      const canvas = document.querySelector("[role=img][aria-label^='loss: 10 lines'] canvas");
      if (!canvas?.width) return false;
      const { data } = canvas.getContext("2d").getImageData(canvas.width >> 1, 0, 4, canvas.height);
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60) return true;
      return false;
    }`,
  }),
  trace: (id, trace) => ({ hash: `#/experiments/${id}/traces/${trace}`, drawn: `() => inSight("[role=treeitem] .name", /agent/)` }),
};

export const mlflow = {
  name: "mlflow-3.17",
  runs: (id) => ({ hash: `#/experiments/${id}/runs`, drawn: `() => inSight(".ag-row a", ${RUN})` }),
  chart: (id) => ({
    hash: `#/experiments/${id}/runs?compareRunsMode=CHART`,
    drawn: `() => document.querySelectorAll(".js-plotly-plot .scatterlayer .trace path.js-line[d]").length >= 10`,
  }),
};
