// Finds which parameters the regularization names, as the service does.

// λ of a parameter: 0 where no glob of the regularization names it.
export function lambdaOf({ regularization }, name) {
  const { l2 = 0, parameters = ["*.weight"] } = regularization ?? {};
  return parameters.some((glob) => matches(glob, name)) ? l2 : 0;
}

// Reads globs as the service does: * any text, ? any character, […] one of them.
function matches(glob, name) {
  const source = glob.replace(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    return part.length > 1 ? part.replace("[!", "[^").replaceAll("\\", "\\\\") : part.replace(/[\\^$.|+()[\]{}/]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "s").test(name);
}
