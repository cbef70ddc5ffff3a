// Draws the row of a run: how far it has come, or how it has ended, and the choice of its curve.
import { html } from "../../core/dom.js";
import { precise } from "../../core/numbers.js";
import { GraphLink } from "../graph_link.js";
import { isOpen, RunReason, RunSentences, RunState } from "../run_status.js";
import { counted } from "../units.js";
import { Choice } from "./list.js";
import { RunActions } from "./run_actions.js";

export function RunRow({ row: run, tone, toggle, full, now, lang, t }) {
  const number = `#${run.number}`;
  const name = `${run.model} ${number}`;
  const open = isOpen(run);
  return html`<li data-run=${run.number} data-state=${run.state} class=${tone ? "chosen" : ""}>
    <${Choice} ...${{ tone, toggle, full, number }} name=${run.model} />
    <span class="side"><${RunState} ...${{ run, t }} /></span>
    ${open && html`<progress max=${run.total_steps} value=${run.steps} aria-label=${t("progressOf", name)}></progress>`}
    <p class="quiet"><${RunSentences} ...${{ run, t }} />
      ${run.best_loss !== null && html`<span>${t("bestLoss", precise(run.best_loss), counted(run.best_version))}</span>`}
      <span>${t("dataset", run.recipe.dataset)}</span>
      <${GraphLink} name=${run.model} version=${run.version} run=${run.id} ...${{ lang, t }} /></p>
    ${open && html`<${RunActions} ...${{ run, name, now, t }} />`}
    <${RunReason} ...${{ run, t }} />
  </li>`;
}
