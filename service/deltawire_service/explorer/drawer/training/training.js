// "Train here": curves that grow while it runs; pause, and back to where it began.
import * as api from "../../core/api.js";
import { batchOf, descend, diverging, judged, NOTHING } from "./descent.js";
import { html, useEffect, useRef, useState } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { planeOf } from "./plane.js";
import { Curves } from "../plots.js";
import { told } from "../../widgets/refusal.js";
import { Scatter } from "./scatter.js";
import { drawnFor } from "../../core/session.js";

const STEPS = 300, HEIGHT = 98;
const EVERY = 10; // steps after which the regions of the classes are drawn anew

// `shown`: whether it is looked at; it goes on when it is not. `suits`: the learning rate to start with.
export function Training({ document, model, setParams, shown, suits, t, theme }) {
  const [rate, setRate] = useState(suits);
  const [size, setSize] = useState(null); // examples of a step; null: all
  const [history, setHistory] = useState(NOTHING);
  const [error, setError] = useState("");
  const [running, setRunning] = useState(null);
  const start = useRef(null); // the parameters before the first step
  const seed = useRef(0);
  const trained = useRef(null); // the parameters of the last step, until they are the page's
  const give = useRef();
  give.current = setParams; // of the page as it is when a run ends, not as it was when it began
  const network = JSON.stringify([document.network, document.data]);
  const run = useRef(null);
  const drop = () => { // what still runs counts no more
    if (run.current) run.current.stopped = run.current.discarded = true;
    trained.current = null;
    setRunning(null);
    setHistory(NOTHING);
    setError("");
  };
  useEffect(() => { start.current = null; return drop; }, [network]);
  useEffect(() => setRate(suits), [suits]);
  useEffect(() => { trained.current = null; }, [document.params]);
  if (!model.parameters.length) return html`<p class="quiet">${t("nothingToTrain")}</p>`;

  const what = judged(model);
  const plane = shown && planeOf(model, what);
  const train = async () => {
    const mine = run.current = { stopped: false, discarded: false };
    setRunning(mine);
    setError("");
    if (!history.steps.length) start.current = document.params;
    let params = document.params;
    const seen = (now, stepped) => { trained.current = params = stepped; setHistory(now); };
    try {
      const last = (Math.floor(history.steps.length / STEPS) + 1) * STEPS;
      await descend(document, { params, history, last, rate, count: size ?? batchOf(document), what, run: mine, seen });
    } catch (wrong) {
      if (!(wrong instanceof api.Refused)) throw wrong;
      setError(wrong.problem.code === "non_finite" ? t("diverging") : told(wrong.problem, t));
    }
    if (mine.discarded) return;
    setRunning(null);
    give.current(params);
  };
  const pause = () => { run.current.stopped = true; };
  const reset = () => { drop(); give.current(start.current); };
  const renew = async () => {
    drop();
    seed.current += 1;
    start.current = null;
    give.current(await drawnFor(document.network, seed.current));
  };
  const { steps, loss, norm, accuracy } = history;
  const curve = (title, tone, numbers, log) => html`<${Curves} title=${title} x=${steps} height=${HEIGHT} theme=${theme} log=${log}
    series=${[{ label: title, tone, numbers }]} />`;
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
        ${what && html`, ${t("accuracy")} <b>${precise(100 * accuracy.at(-1))} %</b>`}</output>`}
    </div>
    ${(error || diverging(loss)) && html`<p class="warning" role="status" data-training-warning>${diverging(loss) ? t("diverging") : error}</p>`}
    ${steps.length > 1
      ? html`<div class="curved">${curve(t("lossCurve"), "--red", loss)}${what && curve(t("accuracyCurve"), "--green", accuracy)}
        ${curve(t("gradientNorms"), "--blue", norm, true)}</div>`
      : html`<p class="quiet">${t("trainNote")}</p>`}</div>
  </div>`;
}
