// Says how a run goes on, how it has ended, and why it has failed.
import { html } from "../core/dom.js";
import { Described } from "../widgets/described.js";
import { counted, duration } from "./units.js";

const OPEN = ["queued", "running", "paused"];

export const isOpen = (run) => OPEN.includes(run.state);

// Returns the sentences of a run that has ended.
function outcome(run, t) {
  const [steps, all] = [counted(run.steps), counted(run.total_steps)];
  if (run.state !== "finished") return [t("afterSteps", steps, all)];
  const stopped = run.steps < run.total_steps;
  const restored = run.version > run.first_version + run.steps; // by one more version, with the numbers of the best one
  return [
    t("took", stopped ? t("someSteps", steps, all) : t("allSteps", all), duration(run.seconds, t)),
    stopped && t("stoppedEarly", run.recipe.early_stopping?.patience),
    restored && t("wentBack", counted(run.best_version)),
  ].filter(Boolean);
}

// Returns why a run has failed: what that means, if it is known, and the words of the service.
function reason({ problem, steps }, t) {
  if (problem.code !== "non_finite") return { meaning: null, detail: html`<${Described} fault=${problem} t=${t} />` };
  return { meaning: t(problem.detail.includes(": /columns/") ? "dataNotFinite" : "diverged", counted(steps)), detail: html`<span lang="en">${problem.detail}</span>` };
}

// Returns how far an open run has come, and what comes next.
function progress(run, t) {
  const { state, ahead, seconds_left: left, examples_per_second: speed } = run;
  return [
    t("someSteps", counted(run.steps), counted(run.total_steps)),
    state === "queued" && (ahead > 0 ? t("ahead", ahead) : t("nextRun")),
    left !== null && t("left", duration(left, t)),
    state === "running" && speed !== null && t("perSecond", counted(Math.round(speed))),
  ].filter(Boolean);
}

export const RunState = ({ run, t }) => html`<span class=${`state ${run.state}`}>${t(`state_${run.state}`)}</span>`;

export const RunSentences = ({ run, t }) => (isOpen(run) ? progress : outcome)(run, t).map((sentence) => html`<span>${sentence}</span>`);

export function RunReason({ run, t }) {
  if (!run.problem) return null;
  const { meaning, detail } = reason(run, t);
  return html`<p class="warning">${meaning && html`${meaning}<br />`}<small>${detail}</small></p>`;
}
