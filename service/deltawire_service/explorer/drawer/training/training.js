// Trains the network in the page: its settings, its buttons, and curves that grow while it runs.
import * as api from "../../core/api.js";
import { html, useEffect, useRef, useState } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { initialParams } from "../../core/session.js";
import { Chart } from "../../widgets/chart/chart.js";
import { describe } from "../../widgets/refusal.js";
import { batchOf, classificationOf, descend, diverging, NOTHING } from "./descent.js";
import { planeOf } from "./plane.js";
import { Scatter } from "./scatter.js";

const STEPS = 300; // of one run
const EVERY = 10; // steps between two drawings of the regions
const HEIGHT = 98; // pixels of a curve, at least

// `shown`: tells whether the tab is open; training goes on when it is not. `startRate`: the first learning rate.
export function Training({ document, model, setParams, shown, startRate, t }) {
  const [rate, setRate] = useState(startRate);
  const [size, setSize] = useState(null); // examples per step; null: all
  const [history, setHistory] = useState(NOTHING);
  const [error, setError] = useState("");
  const [running, setRunning] = useState(null);
  const start = useRef(null); // the parameters before the first step
  const seed = useRef(0);
  const trained = useRef(null); // the parameters of the last step, until the page has them
  const latest = useRef();
  latest.current = setParams; // called when a run ends, by a page that may have changed
  const network = JSON.stringify([document.network, document.data]);
  const run = useRef(null);
  const discard = () => { // the answers of a run that still goes on are ignored
    if (run.current) run.current.stopped = run.current.discarded = true;
    trained.current = null;
    setRunning(null);
    setHistory(NOTHING);
    setError("");
  };
  useEffect(() => { start.current = null; return discard; }, [network]);
  useEffect(() => setRate(startRate), [startRate]);
  useEffect(() => { trained.current = null; }, [document.params]);
  if (!model.parameters.length) return html`<p class="quiet">${t("nothingToTrain")}</p>`;

  const classification = classificationOf(model);
  const plane = shown && planeOf(model, classification);
  const train = async () => {
    const mine = run.current = { stopped: false, discarded: false };
    setRunning(mine);
    setError("");
    if (!history.steps.length) start.current = document.params;
    let params = document.params;
    const onStep = (now, stepped) => { trained.current = params = stepped; setHistory(now); };
    try {
      const last = (Math.floor(history.steps.length / STEPS) + 1) * STEPS;
      await descend(document, { params, history, last, rate, count: size ?? batchOf(document), classification, run: mine, onStep });
    } catch (refusal) {
      if (!(refusal instanceof api.Refused)) throw refusal;
      setError(refusal.problem.code === "non_finite" ? t("diverging") : describe(refusal.problem, t));
    }
    if (mine.discarded) return;
    setRunning(null);
    latest.current(params);
  };
  const pause = () => { run.current.stopped = true; };
  const reset = () => { discard(); latest.current(start.current); };
  const renew = async () => {
    discard();
    seed.current += 1;
    start.current = null;
    latest.current(await initialParams(document.network, seed.current));
  };
  const { steps, loss, norm, accuracy } = history;
  const curve = (title, tone, y, log) => html`<div class="curves"><${Chart} height=${HEIGHT} xLabel=${t("step")} series=${[{ label: title, tone, x: steps, y }]} ...${{ title, log }} /></div>`;
  return html`<div class=${`training ${plane ? "planar" : ""}`}>
    ${plane && html`<${Scatter} key=${network} params=${trained.current ?? document.params} turn=${Math.floor(steps.length / EVERY)} ...${{ document, plane, t }} />`}
    <div>
    <div class="controls">
      <button class="main" data-train onClick=${running ? pause : train}>${running ? t("pause") : t("train", STEPS - (steps.length % STEPS))}</button>
      <button data-reset disabled=${!steps.length} onClick=${reset}>${t("reset")}</button>
      <button data-renew onClick=${renew}>${t("renew")}</button>
      <label>${t("rate")} <input type="number" step="any" min="0" data-rate value=${rate} onChange=${(event) => setRate(Number(event.target.value))} /></label>
      ${batchOf(document) > 1 && html`<label>${t("perStep")} <input type="number" min="1" max=${batchOf(document)} data-size value=${size ?? batchOf(document)}
        onChange=${(event) => setSize(Math.max(1, Math.min(batchOf(document), Math.round(Number(event.target.value)) || 1)))} /></label>`}
      ${steps.length > 0 && html`<output data-trained=${steps.length}>${t("trained", steps.length)}: ${t("loss")} <b>${precise(loss.at(-1))}</b>
        ${classification && html`, ${t("accuracy")} <b>${precise(100 * accuracy.at(-1))} %</b>`}</output>`}
    </div>
    ${(error || diverging(loss)) && html`<p class="warning" role="status" data-training-warning>${diverging(loss) ? t("diverging") : error}</p>`}
    ${steps.length > 1
      ? html`<div class="curved">${curve(t("lossCurve"), "red", loss)}${classification && curve(t("accuracyCurve"), "green", accuracy)}
        ${curve(t("gradientNorms"), "blue", norm, true)}</div>`
      : html`<p class="quiet">${t("trainNote")}</p>`}</div>
  </div>`;
}
