// Draws the row of a run: how far it has come, the time left, and the buttons that pause, resume and cancel it.
import { Refused, Unreachable } from "../core/api.js";
import { html, useState } from "../core/dom.js";
import { precise } from "../core/numbers.js";
import { describe } from "../widgets/refusal.js";
import { GraphLink } from "./graph_link.js";
import { Choice } from "./list.js";
import * as routes from "./routes.js";
import { counted, duration } from "./units.js";

const OPEN = ["queued", "running", "paused"];

// `now`: asks for the newest state at once.
export function RunRow({ row: run, tone, toggle, full, now, lang, t }) {
  const [asked, setAsked] = useState(false); // whether to cancel
  const [fault, setFault] = useState(null);
  const name = `${run.model} #${run.number}`;
  const open = OPEN.includes(run.state);
  const act = async (action) => {
    setAsked(false);
    try {
      await routes.change(run.id, action);
      setFault(null);
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      setFault(error.problem ? describe(error.problem, t) : t("away"));
    }
    now();
  };
  const button = (action, onClick = () => act(action)) => html`<button data-action=${action} aria-label=${`${t(action)}: ${name}`} onClick=${onClick}>${t(action)}</button>`;
  return html`<li data-run=${run.number} class=${tone ? "chosen" : ""}>
    <${Choice} ...${{ tone, toggle, full }}>${name}<//>
    <span class="side" data-state=${run.state}>${t(`state_${run.state}`)}</span>
    <progress max=${run.total_steps} value=${run.steps} aria-label=${t("progressOf", name)}></progress>
    <p class="quiet"><span><b>${counted(run.steps)}</b> ${t("ofSteps", counted(run.total_steps))}</span>
      ${run.ahead > 0 && html`<span>${t("ahead", run.ahead)}</span>`}
      ${run.seconds_left !== null && html`<span data-left>${t("left", duration(run.seconds_left, t))}</span>`}
      ${run.state === "running" && run.examples_per_second !== null && html`<span>${t("perSecond", counted(Math.round(run.examples_per_second)))}</span>`}
      ${run.best_loss !== null && html`<span>${t("bestLoss", precise(run.best_loss), counted(run.best_version))}</span>`}
      <span>${t("dataset", run.recipe.dataset)}</span>
      ${!open && html`<${GraphLink} name=${run.model} version=${run.version} ...${{ lang, t }} />`}</p>
    ${open && html`<p class="actions">
      ${run.state === "paused" ? button("resume") : button("pause")}
      ${asked ? html`${button("cancelForGood", () => act("cancel"))}<button onClick=${() => setAsked(false)}>${t("keepIt")}</button>` : button("cancel", () => setAsked(true))}</p>`}
    ${(fault || run.problem) && html`<p class="warning" role="alert">${fault ?? describe(run.problem, t)}</p>`}
  </li>`;
}
