// Asks for a red number of the selected place before it is shown, and says how good the answer was.
import { html, useRef, useState } from "../core/dom.js";
import { precise } from "../core/numbers.js";
import { readNumber } from "../core/predictions/verdict.js";
import { elementName } from "./contributions.js";

/** @import { Question } from "../core/predictions/questions.js" */

// The properties come from usePredictions.
/** @param {{ t: Translate, questions: Question[], [other: string]: any }} props */
export function Predict({ on, toggle, questions, answer, show, last, score, t }) {
  const card = useRef();
  const asked = (act) => { // the form of the last question goes with it: the focus stays on the card
    act();
    if (questions.length === 1) card.current.focus();
  };
  return html`<section class=${`predict ${on ? "on" : ""}`} data-predict ref=${card} tabindex="-1" aria-label=${t("predict")}>
    <p class="switch"><button class=${on ? "on" : ""} data-predict-toggle aria-pressed=${on} onClick=${toggle}>${t("predict")}</button>
      <span class="quiet" data-score=${on ? "" : null}>${on ? t("predictScore", score.right, score.close, score.wrong) : t("predictNote")}</span></p>
    <div role="status">${last && html`<${Verdict} ...${{ last, t }} />`}</div>
    ${on && (questions.length ? html`<${Form} ...${{ questions, t }} answer=${(...given) => asked(() => answer(...given))} show=${(question) => asked(() => show(question))} />`
      : !last && html`<p class="quiet" data-predict-nothing>${t("predictNothing")}</p>`)}</section>`;
}

/** @param {{ questions: Question[], t: Translate, [other: string]: any }} props */
function Form({ questions, answer, show, t }) {
  const [chosen, choose] = useState("");
  const [text, setText] = useState("");
  const [refused, refuse] = useState(false);
  const question = questions.find((one) => one.id === chosen) ?? questions[0];
  const done = (act) => { act(); setText(""); refuse(false); };
  const submit = (event) => {
    event.preventDefault();
    const guess = readNumber(text);
    if (Number.isFinite(guess)) done(() => answer(question, guess));
    else refuse(true);
  };
  return html`<form onSubmit=${submit}>
    ${questions.length > 1 ? html`<select data-predict-which aria-label=${t("predictWhich")} value=${question.id} onChange=${(event) => choose(event.target.value)}>
      ${questions.map((one) => html`<option value=${one.id} selected=${one === question}>${nameOf(one)}</option>`)}</select>`
      : html`<b class="red">${nameOf(question)}</b>`}
    <label>= <input type="text" inputmode="decimal" autocomplete="off" data-predict-number aria-label=${nameOf(question)} aria-invalid=${refused} value=${text}
      onInput=${(event) => { setText(event.target.value); refuse(false); }} /></label>
    <button class="main" data-predict-check>${t("predictCheck")}</button>
    <button type="button" data-predict-show onClick=${() => done(() => show(question))}>${t("predictShow")}</button>
    ${refused && html`<small class="red" role="alert">${t("predictNumber")}</small>`}</form>`;
}

/** @param {{ t: Translate, [other: string]: any }} props */
function Verdict({ last: { question, guess, grade, mistake }, t }) {
  const said = mistake ? t(`predict_${mistake}`) : t(`predict_${grade}`);
  return html`<p class=${`verdict ${grade}`} data-verdict=${grade} data-mistake=${mistake}><b>${said}</b> ${guess !== null && grade !== "right" && `${t("predictYours", precise(guess))} `}
    <span>${nameOf(question)} = <b class="red">${precise(question.truth)}</b></span></p>`;
}

// The name of a number, as the panel writes it, with its indices in an array.
/** @param {Question} question */
function nameOf({ what, name, of, shape, at }) {
  const element = elementName(of, at, shape);
  return what === "gradient" ? `∂L/∂${element}` : what === "delta" ? `δ ${element}` : `δ ${name}→${element}`;
}
