// Explains one place: its value, the delta that arrives and is sent, and the gradients of its parameters.
import { summary, times } from "../core/arrays.js";
import { html } from "../core/dom.js";
import { badgeOfPlace } from "../core/gradient_check.js";
import { kindOf } from "../core/model.js";
import { bracketed, latex } from "../core/latex.js";
import { precise } from "../core/numbers.js";
import { arrivals, edgeKnown, isBackward, stepOf, valueKnown } from "../core/steps.js";
import { Badge } from "../widgets/badge.js";
import { HeatMap } from "../widgets/heat_map.js";
import { LayerSummary } from "../widgets/layer_summary.js";
import { Component } from "./component.js";
import { ConfigForm } from "./config_form.js";
import { canDouble, Doubled } from "./doubled.js";
import { deltaEquation, symbol, valueEquation } from "./equations.js";
import { Equation, Formula } from "./formula.js";
import { Gradient, LearnedGradient } from "./gradient.js";
import { Paths } from "./paths.js";

/** @import { Edge, Model, Place } from "../core/model.js" */

/** @param {{ model: Model, step: number, go: (step: number) => void, t: Translate, select: (name: string) => void, warnings: Map<string, any[]>, badges: Map<string, any>, [other: string]: any }} props */
export function Panel({ model, step, name, go, t, select, warnings, badges, edit, unfolded, unfold, close }) {
  const place = model.places.get(name);
  if (!place) return html`<section class="panel"><p>${t("start")}</p></section>`;
  const back = isBackward(model, step);
  const arrived = arrivals(model, name, step);
  const sends = model.edges.filter((edge) => edge.to === name && edgeKnown(model, edge, step) && !arrived.missing);
  const gradients = back && step >= stepOf(model, name) ? place.parameters.filter((one) => one.contribution && !model.hidden.has(`params/${one.name}`)) : [];
  return html`<section class="panel" data-panel=${name}>
    ${close && html`<button class="close" data-close-panel aria-label=${t("close")} title=${t("close")} onClick=${close}>✕</button>`}
    <h2>${name} <small>${kindOf(place, t)}${place.shape.length ? ` · ${times(place.shape)}` : ""}</small></h2>
    ${place.layer && html`<p class="about"><${LayerSummary} layer=${place.layer} />
      ${!place.layer.distribution.startsWith("deltawire ") && html` <em>${t("plugin", place.layer.distribution)}</em>`}</p>`}
    <${Jumps} ...${{ model, name, step, go, t }} />
    ${(warnings.get(name) ?? []).map(({ what, text }) => html`<p class="warning" data-warning=${what}><b>${t(`warning_${what}`)}</b> ${text}</p>`)}
    ${place.kind ? html`<${Value} ...${{ model, place, step, t }} />` : html`<${Given} ...${{ place, t }} />`}
    ${back && arrived.expected > 0 && html`<${Arriving} ...${{ model, place, arrived, badges, t, select }} />`}
    ${sends.map((edge) => html`<${Sending} key=${edge.id} ...${{ model, place, edge, delta: arrived.sum, badges, t }} />`)}
    ${place.spec?.parameter && back && arrived.sum && !arrived.missing && html`
      <${LearnedGradient} badge=${badges.get(`params/${name}`)} ...${{ model, place, t }} />`}
    ${gradients.map((parameter) => html`<${Gradient} key=${parameter.name} badge=${badges.get(`params/${parameter.name}`)}
      ...${{ model, place, parameter, step, t }} />`)}
    ${back && !arrived.missing && model.hidden.size === 0 && canDouble(place) && arrived.sum && html`<${Doubled} delta=${arrived.sum.numbers} ...${{ place, t }} />`}
    ${back && !arrived.missing && model.hidden.size === 0 && html`<${Paths} ...${{ model, place, select, t }} />`}
    ${place.kind && html`<details class="fold" open=${unfolded} onToggle=${(event) => unfold(event.target.open)}><summary>${t("layerForm")}</summary>
      <${ConfigForm} key=${name} ...${{ place, edit, t }} />
      ${place.parameters.map(({ name: parameter }) => html`<${HeatMap} label=${parameter} t=${t}
        traced=${summary(model.params[parameter], model.parameters.find((one) => one.name === parameter).shape)} />`)}</details>`}
  </section>`;
}

// Buttons to the steps at which this node is computed and sends its delta.
/** @param {{ model: Model, step: number, go: (step: number) => void, t: Translate, [other: string]: any }} props */
function Jumps({ model, name, step, go, t }) {
  const [forth, back] = [model.forward.indexOf(name) + 1, model.backward.indexOf(name) + 1];
  const jump = (to, key) => html`<button data-jump=${key} disabled=${step === to} onClick=${() => go(to)}>${t(key, to)}</button>`;
  return html`<p class="jumps">${forth > 0 && jump(forth, "jumpForward")} ${back > 0 && jump(model.forward.length + back, "jumpBackward")}</p>`;
}

/** @param {{ place: Place, t: Translate, [other: string]: any }} props */
function Given({ place, t }) {
  return html`<section data-section="value"><h3 class="green">${t(place.spec.parameter ? "learned" : place.spec.noise ? "noise" : "given")}</h3>${place.shape.length
    ? html`<${HeatMap} label=${place.name} traced=${place.value} integers=${place.spec.dtype === "int64"} tone="green" t=${t} />`
    : html`<${Formula} tex=${`${symbol(place.name)} = ${latex(place.value.numbers)}`} />`}</section>`;
}

/** @param {{ model: Model, place: Place, step: number, t: Translate, [other: string]: any }} props */
function Value({ model, place, step, t }) {
  const equation = valueEquation(model, place);
  const known = valueKnown(model, place.name, step);
  return html`<section data-section="value"><h3 class="green">${t("valueTitle")}</h3>
    ${equation
      ? html`<${Equation} ...${{ equation, known }} />`
      : html`<p>${t("noFormula")}</p>`}
    ${known && place.shape.length > 0 && html`<${HeatMap} label=${t("valueOf", place.name)} traced=${place.value} tone="green" t=${t} />`}</section>`;
}

/** @param {{ model: Model, place: Place, badges: Map<string, any>, t: Translate, select: (name: string) => void, [other: string]: any }} props */
function Arriving({ model, place, arrived, badges, t, select }) {
  const array = place.shape.length > 0;
  const several = arrived.terms.length > 1;
  const from = (term) => t("fromNode", term.from ? term.from + term.edge.mark : "loss");
  // Norms do not add up, so the terms of arrays are named by their edges and drawn one by one.
  const named = (term) => html`δ<sub>${term.from ? term.from + term.edge.mark : t("loss")}→${place.name}</sub>`;
  const written = (term) => (array ? named(term) : bracketed(precise(term.delta.numbers)));
  const sum = [...arrived.terms.map(written), ...Array(arrived.missing).fill("?")].flatMap((term, i) => (i ? [" + ", term] : [term]));
  const badge = (term) => badges.get(`edges/${term.edge?.id}`);
  const whole = html`${several ? " = " : ""}<b class="red">${!array && arrived.sum && precise(arrived.sum.numbers)}</b>
    ${" "}<${Badge} badge=${badgeOfPlace(badges, place.name)} t=${t} />`;
  return html`<section data-section="arriving"><h3 class="red">${t("arrivingTitle", place.name)}</h3>
    <ul class="terms">${arrived.terms.map((term) => html`<li>${term.from
      ? html`<button class="link" onClick=${() => select(term.from)}>${from(term)}</button>` : t("fromLoss")}
      ${" "}<b class="red">${array ? `‖${precise(term.delta.norm)}‖` : precise(term.delta.numbers)}</b>
      ${several && html` <${Badge} badge=${badge(term)} t=${t} />`}</li>`)}
      ${arrived.hidden > 0 && html`<li>${t("predictThem", arrived.hidden)} <b>?</b></li>`}
      ${arrived.missing > arrived.hidden && html`<li>${t("missing", arrived.missing - arrived.hidden)} <b>?</b></li>`}</ul>
    ${array && several && arrived.terms.map((term) => html`
      <${HeatMap} label=${from(term)} caption=${html`${named(term)} ${from(term)}`} traced=${term.delta} tone="red" badge=${badge(term)} t=${t} />`)}
    ${(arrived.missing > 0 || several || !array) && html`<p class="sum" data-sum=${place.name}>δ<sub>${place.name}</sub> = ${arrived.missing || several ? sum : ""}
      ${arrived.missing || array ? "" : whole}</p>`}
    ${array && several && html`<p class="norms quiet" data-norms=${place.name}>${t("sizes")} ${arrived.terms.map((term, i) =>
      html`${i ? ", " : ""}‖${named(term)}‖ = ${precise(term.delta.norm)}`)}${arrived.sum && !arrived.missing && html`; ‖δ<sub>${place.name}</sub>‖ = ${precise(arrived.sum.norm)}`}</p>`}
    ${array && arrived.sum && !arrived.missing && html`
      <${Component} key=${place.name} label=${`δ ${place.name}`} traced=${arrived.sum} terms=${arrived.terms} badge=${badgeOfPlace(badges, place.name)} ...${{ model, place, t }} />`}</section>`;
}

/** @param {{ model: Model, place: Place, edge: Edge, badges: Map<string, any>, t: Translate, [other: string]: any }} props */
function Sending({ model, place, edge, delta, badges, t }) {
  const equation = deltaEquation(model, place, edge, delta);
  const scalar = edge.local && edge.local.shape.length === 0;
  const badge = badges.get(`edges/${edge.id}`);
  const sent = html`<${HeatMap} label=${`${t("sent")} → ${edge.from}`} traced=${edge.delta} tone="red" badge=${badge} t=${t} />`;
  return html`<section data-section="sends"><h3 class="red">${t("sendsTitle", place.name, edge.from)}${edge.twin !== null && ` (${t("asInput", edge.twin)})`}</h3>
    ${equation && html`<${Equation} equation=${equation} />`}
    ${scalar && html`<div class="product" data-product=${edge.id}>
      <span class="factor"><b>${precise(edge.local.numbers)}</b><small>${t("local")}<br />∂${place.name}/∂${edge.from}${edge.mark}</small></span><i>×</i>
      <span class="factor"><b class="red">${precise(delta.numbers)}</b><small>${t("upstream")}<br />δ ${place.name}</small></span><i>=</i>
      <span class="factor result"><b class="red">${precise(edge.delta.numbers)}</b><small>${t("sent")}<br />→ ${edge.from}${edge.mark}</small>
        <${Badge} badge=${badge} t=${t} /></span></div>`}
    ${edge.local && !scalar && html`<div class="maps">
      <${HeatMap} label=${`${t("local")} ∂${place.name}/∂${edge.from}`} traced=${edge.local} t=${t} /><i>∘</i>
      <${HeatMap} label=${`${t("upstream")} δ ${place.name}`} traced=${delta} tone="red" t=${t} /><i>=</i>
      ${sent}</div>`}
    ${!edge.local && edge.delta.shape.length > 0 && sent}</section>`;
}
