// Returns the violations that axe finds in the page: each rule with the elements it names. axe itself is loaded before.
async () => {
  const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ target, failureSummary }) => `    ${target} ${failureSummary}`).join("\n")}`);
}
