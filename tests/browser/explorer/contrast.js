// Returns the least contrast between a text's colour and its background, by the formula of WCAG 2.
() => {
  const style = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(document.createElement("i"));
  const linear = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (name) => {
    probe.style.color = style.getPropertyValue(name);
    const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = ([text, ground]) => {
    const [a, b] = [luminance(text), luminance(ground)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const pairs = [["--accent-text", "--accent"], ["--warning-text", "--warning"]];
  for (const text of ["--text", "--quiet", "--green", "--red", "--blue", "--accent"]) {
    for (const ground of ["--page", "--panel", "--soft"]) pairs.push([text, ground]);
  }
  return Math.min(...pairs.map(contrast));
}
