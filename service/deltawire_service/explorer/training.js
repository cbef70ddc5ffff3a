// "Train here": gradient descent in the page; every gradient comes from /v1/gradients.
import { html, useEffect, useRef, useState } from "./dom.js";
import * as api from "./api.js";
import { Curves } from "./plots.js";
import { flat, minus, norm, precise } from "./numbers.js";

const STEPS = 300, SHOWN_EVERY = 5;

// Scores to be compared with a label: an integer input of one number whose consumer also takes a vector.
function judged(model) {
  for (const place of model.places.values()) {
    if (place.kind || place.slot.dtype !== "int64" || place.shape.length) continue;
    for (const edge of model.edges.filter((one) => one.from === place.name)) {
      const scores = model.places.get(edge.to).inputs.find((name) => model.places.get(name).kind && model.places.get(name).shape.length === 1);
      if (scores) return { label: place.name, scores };
    }
  }
  return null;
}

function accuracy(answer, document, what) {
  const right = answer.values[what.scores].filter((row, i) => row.indexOf(Math.max(...row)) === document.data[what.label][i]);
  return right.length / answer.values[what.scores].length;
}

export function Training({ document, model, setParams, t, theme }) {
  const [rate, setRate] = useState(0.3);
  const [running, setRunning] = useState(false);
  const [history, setHistory] = useState({ steps: [], loss: [], norm: [], accuracy: [] });
  const [error, setError] = useState("");
  const work = useRef(null);
  const network = JSON.stringify([document.network, document.data]);
  useEffect(() => () => { if (work.current) work.current.stopped = true; }, [network]);
  useEffect(() => { setRunning(false); setHistory({ steps: [], loss: [], norm: [], accuracy: [] }); }, [network]);
  if (!model.parameters.length) return html`<p class="quiet">${t("nothingToTrain")}</p>`;

  const what = judged(model);
  const start = async () => {
    const run = { stopped: false };
    work.current = run;
    setRunning(true);
    setError("");
    let params = document.params;
    const seen = { steps: [...history.steps], loss: [...history.loss], norm: [...history.norm], accuracy: [...history.accuracy] };
    let last = null;
    const from = seen.steps.length ? seen.steps.at(-1) + 1 : 0;
    try {
      for (let step = from; step < from + STEPS && !run.stopped; step += 1) {
        const answer = await api.gradients({ network: document.network, params, data: document.data, values: what ? [what.scores] : [] });
        seen.steps.push(step);
        seen.loss.push(answer.loss);
        seen.norm.push(norm(Object.values(answer.gradients.params).flatMap(flat)));
        seen.accuracy.push(what ? accuracy(answer, document, what) : null);
        params = Object.fromEntries(Object.entries(params).map(([name, array]) => [name, minus(array, answer.gradients.params[name], rate)]));
        last = params;
        if (step % SHOWN_EVERY === 0) setHistory({ steps: [...seen.steps], loss: [...seen.loss], norm: [...seen.norm], accuracy: [...seen.accuracy] });
      }
    } catch (wrong) {
      if (!(wrong instanceof api.Refused)) throw wrong;
      setError(wrong.message);
    }
    setHistory({ ...seen });
    setRunning(false);
    if (last) setParams(last);
  };
  const stop = () => { if (work.current) work.current.stopped = true; };
  const reset = async () => {
    stop();
    setHistory({ steps: [], loss: [], norm: [], accuracy: [] });
    setParams((await api.init(document.network)).params);
  };
  const { steps, loss, norm: norms, accuracy: rates } = history;
  return html`<div class="training">
    <div class="controls">
      <button class="main" data-train onClick=${running ? stop : start}>${running ? t("pause") : t("train", STEPS)}</button>
      <button onClick=${reset}>${t("reset")}</button>
      <label>${t("rate")} <input type="number" step="any" min="0" value=${rate} onChange=${(event) => setRate(Number(event.target.value))} /></label>
      ${steps.length > 0 && html`<output data-trained=${steps.length}>${t("trained", steps.length)}: ${t("loss")} <b>${precise(loss.at(-1))}</b>${what ? html`, ${t("accuracy")} <b>${precise(100 * rates.at(-1))} %</b>` : ""}</output>`}
    </div>
    ${error && html`<p class="warning">${error}</p>`}
    ${steps.length > 1 ? html`<div class="pair"><${Curves} title=${t("lossCurve")} x=${steps} theme=${theme}
        series=${[{ label: t("loss"), tone: "--red", numbers: loss }, ...(what ? [{ label: t("accuracy"), tone: "--green", dashed: true, numbers: rates }] : [])]} />
      <${Curves} title=${t("gradientNorms")} x=${steps} log theme=${theme} series=${[{ label: "‖∇‖", tone: "--blue", numbers: norms }]} /></div>`
      : html`<p class="quiet">${t("trainNote")}</p>`}
  </div>`;
}
