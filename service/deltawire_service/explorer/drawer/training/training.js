// Trains the network in the page: its settings, its buttons, and curves that grow while it runs.
import { html, useState } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { Chart } from "../../widgets/chart/chart.js";
import { NumberField } from "../../widgets/number_field.js";
import { Described } from "../../widgets/described.js";
import { batchOf, classificationOf, diverging } from "./descent.js";
import { planeOf } from "./plane.js";
import { Scatter } from "./scatter.js";
import { EVERY, useTraining } from "./session.js";

const HEIGHT = 98; // pixels of a curve, at least

// `shown`: tells whether the tab is open; training goes on when it is not. `startRate`: the first learning rate.
export function Training({ document, model, setParams, shown, startRate, t }) {
  const [typed, setTyped] = useState(/** @type {{ rate: number | null, start: number }} */ ({ rate: startRate, start: startRate }));
  const rate = typed.start === startRate ? typed.rate : startRate; // null where what is typed is refused
  const setRate = (/** @type {number | null} */ now) => setTyped({ rate: now, start: startRate });
  const [size, setSize] = useState(undefined); // examples per step; undefined: all
  const classification = classificationOf(model);
  const training = useTraining(document, classification, setParams);
  if (!model.parameters.length) return html`<p class="quiet">${t("nothingToTrain")}</p>`;

  const batch = batchOf(document);
  const count = size === undefined || size > batch ? batch : size;
  const plane = shown && planeOf(model, classification);
  const { history: { steps, loss, norm, accuracy }, along, at, running, network } = training;
  const curve = (title, tone, y, log) => html`<div class="curves"><${Chart} height=${HEIGHT} xLabel=${t("step")} series=${[{ label: title, tone, x: steps, y }]} ...${{ title, log }} /></div>`;
  const ready = rate !== null && count !== null;
  const last = (at ?? steps.length) - 1;
  return html`<div class=${`training ${plane ? "planar" : ""}`}>
    ${plane && html`<${Scatter} key=${network} params=${training.params} turn=${running ? Math.floor(steps.length / EVERY) : document} ...${{ document, plane, t }} />`}
    <div>
    <div class="controls">
      <button class="main" data-train disabled=${!running && !ready} onClick=${running ? training.pause : () => training.train(rate, count)}>
        ${running ? t("pause") : t("train", training.left)}</button>
      <button data-reset disabled=${!steps.length} onClick=${training.reset}>${t("reset")}</button>
      <button data-renew onClick=${training.renew}>${t("renew")}</button>
      <${NumberField} key=${`rate ${startRate}`} name="rate" label=${t("rate")} value=${rate} change=${setRate}
        refuse=${(number) => (number > 0 && number < Infinity ? null : t("rateRefused"))} />
      ${batch > 1 && html`<${NumberField} key=${`size ${batch}`} name="size" label=${t("perStep")} value=${count} change=${setSize}
        refuse=${(number) => (Number.isInteger(number) && number >= 1 && number <= batch ? null : t("sizeRefused", batch))} />`}
      ${steps.length > 0 && html`<output data-trained=${steps.length}>${t("trained", last + 1)}${last >= 0 && html`: ${t("loss")} <b>${precise(loss[last])}</b>
        ${classification && html`, ${t("accuracy")} <b>${precise(100 * accuracy[last])} %</b>`}`}</output>`}
      ${!running && along.length > 1 && html`<label class="back">${t("backTo")} <input type="range" data-along min="0" max=${along.length - 1}
        value=${at === null ? along.length - 1 : along.findIndex(({ step }) => step === at)} aria-valuetext=${t("trained", last + 1)}
        onInput=${(event) => training.goTo(Number(event.target.value))} /></label>`}
      <${Ending} ended=${training.ended} ...${{ loss, rate, t }} />
    </div>
    ${steps.length > 1
      ? html`<div class="curved">${curve(t("lossCurve"), "red", loss)}${classification && curve(t("accuracyCurve"), "green", accuracy)}
        ${curve(t("gradientNorms"), "blue", norm, true)}</div>`
      : html`<p class="quiet">${t("trainNote")}</p>`}</div>
  </div>`;
}

// Says why the training ended, or, while it runs, that it diverges.
function Ending({ ended, loss, rate, t }) {
  const diverges = diverging(loss);
  if (!ended) return diverges && html`<span class="warning" role="status" data-training-warning>${t("diverging", precise(rate))}</span>`;
  const { why, step, failure } = ended;
  const diverged = why === "Diverged" || (diverges && why !== "Changed");
  const wrong = diverged || failure;
  const said = diverged ? t("endedDiverged", step, precise(ended.rate)) : t(`ended${why}`, step);
  return html`<span class=${wrong ? "warning" : "quiet"} role="status" data-ended=${diverged ? "Diverged" : why} ...${wrong ? { "data-training-warning": "" } : {}}>${said}${failure && !diverged && html` <${Described} fault=${failure.faults[0]} t=${t} />`}</span>`;
}
