// Lists the findings in the numbers, and checks the gradients.
import { Failure } from "../core/requests.js";
import { html, useState } from "../core/dom.js";
import { checkGradients } from "../core/gradient_check.js";
import { findingsOf } from "../core/findings/warnings.js";
import { badgeText } from "../widgets/badge.js";
import { Described } from "../widgets/described.js";

/** @param {{ warnings: Map<string, any[]>, badges: Map<string, any>, t: Translate, select: (name: string) => void, [other: string]: any }} props */
export function Findings({ evaluation, warnings, badges, setBadges, t, select }) {
  const [checking, setChecking] = useState(false);
  const [refused, setRefused] = useState(null);
  const all = findingsOf(warnings, t);
  const check = async () => {
    setChecking(true);
    setRefused(null);
    try {
      setBadges({ model: evaluation.model, badges: await checkGradients(evaluation) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      setRefused(error.problem);
    } finally {
      setChecking(false);
    }
  };
  return html`<div class="findings">
    <div><h2>${t("findingsTitle")} ${evaluation.losses.length > 1 && html`<small>${t("findingsOf", evaluation.row + 1, evaluation.losses.length)}</small>`}</h2>
      ${all.length === 0 && html`<p class="quiet">${t("noFindings")}</p>`}
      <ul>${all.map(({ what, names, text }) => html`<li data-finding=${`${what} ${names.join(" ")}`}><b>${t(`warning_${what}`)}</b> ${
        shortened(names).map((name, i) => [i > 0 && ", ", name ? html`<button class="link" onClick=${() => select(name)}>${name}</button>` : "…"])}
        <br />${text}</li>`)}</ul></div>
    <div><button class="main" data-check disabled=${checking} onClick=${check}>${t(checking ? "checking" : "check")}</button>
      <p class="quiet">${t("checkNote")}</p>
      ${refused && html`<p class="warning" role="alert"><${Described} fault=${refused} t=${t} /></p>`}
      ${badges.size > 0 && html`<${Summary} ...${{ badges, t }} />`}</div>
  </div>`;
}

// Keeps the first and the last of many names.
const shortened = (names) => (names.length > 8 ? [...names.slice(0, 4), null, ...names.slice(-2)] : names);

// Sums up the badges in a sentence, and lists each in a table, which is open where one failed.
/** @param {{ badges: Map<string, any>, t: Translate, [other: string]: any }} props */
function Summary({ badges, t }) {
  const all = [...badges.values()];
  const wrong = all.filter((badge) => !badge.passed).length;
  const most = Math.max(...all.map((badge) => badge.difference));
  const bound = most ? `1e−${Math.floor(-Math.log10(most))}` : "0";
  return html`<p class=${wrong ? "failed" : "green"} role="status" data-agree=${wrong === 0}><b>${wrong ? t("disagree", wrong, all.length) : t("agree", all.length, bound)}</b></p>
    <details class="each" open=${wrong > 0}><summary>${t("each")}</summary><table class="checked"><caption>${t("checked")}</caption>${all.map((badge) => html`
        <tr class=${badge.passed ? "passed" : "failed"}><td>${badgeText(badge)}</td><td>${nameOf(badge.what)}</td></tr>`)}</table></details>`;
}

// The edge x→f/1 leads from x to input 1 of f.
function nameOf(what) {
  const [place, ...name] = what.split("/");
  if (place !== "edges") return `${{ params: "∂L/∂", data: "δ ", deltas: "δ " }[place]}${name.join("/")}`;
  const [from, to] = name[0].split("→");
  return `${to} → ${from}`;
}
