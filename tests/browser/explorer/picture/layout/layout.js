// Measures the layout of a residual network of 60 nodes, in milliseconds.
async () => {
  const { layout } = await import("/explorer/picture/layout/layout.js");
  const edges = [];
  const places = new Map([["x", { name: "x", shape: [4] }]]);
  const put = (name, inputs) => {
    places.set(name, { name, kind: "k", shape: [4] });
    inputs.forEach((from, position) => edges.push({ id: `${from}→${name}`, from, to: name, position }));
  };
  let below = "x";
  for (let block = 0; block < 15; block += 1) {
    put(`a${block}`, [below]);
    put(`b${block}`, [`a${block}`]);
    put(`c${block}`, [`b${block}`]);
    put(`d${block}`, [`c${block}`, below]);
    below = `d${block}`;
  }
  const start = performance.now();
  layout(places, edges, false, { width: 850, height: 400, type: 1 });
  return performance.now() - start;
}
