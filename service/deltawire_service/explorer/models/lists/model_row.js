// Draws the row of a model: what it has come to, the choice of its curve, and the way to its graph.
import { html } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { GraphLink } from "../graph_link.js";
import { bytes, counted } from "../units.js";
import { Choice } from "./list.js";

export function ModelRow({ row: model, tone, toggle, full, lang, t }) {
  const { name, version, step, loss, optimizer } = model;
  const rate = optimizer.config.learning_rate;
  return html`<li data-model=${name} class=${tone ? "chosen" : ""}>
    <${Choice} ...${{ tone, toggle, full, name }} />
    <span class="side">${loss !== null && html`${t("loss")} <b data-loss>${precise(loss)}</b>`}</span>
    <p class="quiet"><span>${t("version")} <b data-version>${counted(version)}</b></span> <span>${t("step")} <b>${counted(step)}</b></span>
      ${model.bytes !== null && html` <span>${bytes(model.bytes)}</span>`}
      <span>${optimizer.kind}${typeof rate === "number" ? `, ${t("rate")} ${precise(rate)}` : ""}</span>
      ${!model.unusable && html`<${GraphLink} ...${{ name, version, lang, t }} />`}</p>
    ${model.unusable && html`<p class="warning">${t("unusable")} ${model.unusable}</p>`}
  </li>`;
}
