// Shows the gradient of a learned input: the delta that arrives at it, and the regularization.
import { summary } from "../core/arrays.js";
import { html } from "../core/dom.js";
import { latex } from "../core/numbers.js";
import { lambdaOf } from "../core/regularization.js";
import { HeatMap } from "../widgets/heat_map.js";
import { symbol } from "./equations.js";
import { Formula } from "./formula.js";

export function LearnedGradient({ model, place, badge, t }) {
  const { name, shape } = place;
  const lambda = lambdaOf(model, name);
  const terms = `\\delta_{${symbol(name)}}${lambda ? ` + \\lambda\\, ${symbol(name)}` : ""}`;
  return html`<section data-section="gradient" data-gradient=${name}><h3 class="red">${t("gradientTitle", name)}</h3>
    <${Formula} tex=${`\\frac{\\partial L}{\\partial\\, ${symbol(name)}} = ${terms}`} />
    ${lambda > 0 && html`<p>${t("decay")} <${Formula} block=${false} tex=${`\\lambda = ${latex(lambda)}`} /></p>`}
    <${HeatMap} label=${`∂L/∂${name}`} tone="red" badge=${badge} traced=${summary(model.gradients[name], shape)} t=${t} /></section>`;
}
