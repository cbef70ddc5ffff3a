// The lecture in four explanations, each a few stops at a network of its own.

// at: the place looked at; see: the section of the panel it speaks of; step: how far both passes have gone, by the node just computed (`>` forward, `<` backward).
export const TOURS = [
  {
    title: ["1 · Two equations", "1 · 두 개의 식"],
    stops: [
      { example: "window_classifier", step: "end", at: "loss", text: [
        "A window of five words is scored: word vectors, two sigmoid layers, a score. The same parameters score a corrupt window, and the max-margin loss wants the true one to win by 1. All of backprop here is two equations.",
        "단어 다섯 개짜리 윈도에 점수를 매깁니다. 단어 벡터가 시그모이드 층 두 개를 거쳐 점수가 됩니다. 같은 매개변수로 가운데 단어를 바꾼 가짜(corrupt) 윈도에도 점수를 매기고, 최대 마진(max-margin) 손실은 진짜 윈도의 점수가 가짜보다 1 이상 높기를 요구합니다. 여기서 역전파는 식 두 개가 전부입니다."] },
      { example: "window_classifier", step: "<z2", at: "z2", see: "sends", text: [
        "First equation, the error signal: δ of a layer goes down through Wᵀ, and through the sigmoid it is multiplied by f′ = a ∘ (1 − a). So δ⁽ˡ⁾ = (Wᵀ δ⁽ˡ⁺¹⁾) ∘ f′(z⁽ˡ⁾).",
        "첫째 식은 오차 신호입니다. δ는 Wᵀ를 거쳐 아래층으로 내려가고, 시그모이드에서는 f′ = a ∘ (1 − a)가 곱해집니다. 즉 δ⁽ˡ⁾ = (Wᵀ δ⁽ˡ⁺¹⁾) ∘ f′(z⁽ˡ⁾)입니다."] },
      { example: "window_classifier", step: "end", at: "z1", see: "gradient", text: [
        "Second equation, the gradient: δ times what came in, δ xᵀ, plus λW from the regularization. Both windows share W, so their shares add up. Click a cell of the gradient to see one number taken apart.",
        "둘째 식은 기울기입니다. δ와 입력 x의 외적(outer product) δxᵀ에 정규화(regularization)에서 나온 λW를 더합니다. 두 윈도가 W를 공유하므로 양쪽의 기여분을 더합니다. 기울기의 칸 하나를 클릭하면 그 숫자의 내역을 볼 수 있습니다."] },
      { example: "window_classifier", step: "end", at: "vectors", see: "gradient", text: [
        "The error signal reaches the word vectors: each word gets the part of δ that stands over it. Words in neither window get exactly nothing.",
        "오차 신호는 단어 벡터까지 내려갑니다. 각 단어는 자기 자리에 해당하는 δ를 받고, 두 윈도 어디에도 없는 단어의 기울기는 정확히 0입니다."] },
    ],
  },
  {
    title: ["2 · Circuits", "2 · 회로"],
    stops: [
      { example: "circuit", step: ">f", at: "f", see: "value", text: [
        "f = (x + y)·z at x = −2, y = 5, z = −4. The forward pass fills in the green numbers: q = 3, f = −12.",
        "x = −2, y = 5, z = −4일 때의 f = (x + y)·z입니다. 순전파가 초록색 숫자를 채웁니다: q = 3, f = −12."] },
      { example: "circuit", step: "<f", at: "f", see: "sends", text: [
        "Backward starts with ∂f/∂f = 1. The multiply gate's local gradient for q is the other input, z = −4: it sends −4 × 1 = −4 to q, and q = 3 to z.",
        "역전파는 ∂f/∂f = 1에서 출발합니다. 곱셈 게이트에서 q에 대한 국소 기울기는 다른 쪽 입력인 z = −4입니다. 그래서 q에는 −4 × 1 = −4를, z에는 q = 3을 보냅니다."] },
      { example: "circuit", step: "end", at: "x", see: "ways", text: [
        "The add gate's local gradients are 1: it passes its −4 on to both x and y. Local gradient times upstream gradient, gate after gate: that is all.",
        "덧셈 게이트의 국소 기울기는 1이므로 −4를 x와 y에 똑같이 전달합니다. 게이트마다 국소 기울기 × 상류 기울기를 계산하는 것, 이것이 전부입니다."] },
      { example: "sigmoid_neuron_gates", step: "<s", at: "s", see: "sends", text: [
        "A sigmoid neuron from single gates. From the right: −0.53, −0.53, −0.20, 0.20, each local × upstream. s passes 0.20 to all three of its inputs.",
        "시그모이드 뉴런을 게이트 단위로 풀어 쓴 것입니다. 오른쪽부터 −0.53, −0.53, −0.20, 0.20으로, 모두 국소 기울기 × 상류 기울기입니다. s는 세 입력에 똑같이 0.20을 보냅니다."] },
      { example: "sigmoid_neuron_gates", step: "end", at: "x0", see: "ways", text: [
        "x0 gets 0.39: the local gradient of w0·x0 for x0 is w0 = 2, times 0.197 from above (written 0.20).",
        "x0에는 0.39가 도착합니다. w0·x0의 x0에 대한 국소 기울기는 w0 = 2이고, 여기에 위에서 내려온 0.197(그림에는 0.20)이 곱해집니다."] },
      { example: "sigmoid_neuron_layer", step: "<f", at: "f", see: "sends", text: [
        "The last four gates as one layer: σ′ = σ(1 − σ) = 0.73 · 0.27 = 0.20. The same number, in one equation.",
        "마지막 네 게이트를 한 층으로 묶으면 σ′ = σ(1 − σ) = 0.73 · 0.27 = 0.20이 됩니다. 같은 숫자가 식 하나로 나옵니다."] },
    ],
  },
  {
    title: ["3 · Flow graph", "3 · 흐름 그래프"],
    stops: [
      { example: "fan_out", step: "<f", at: "x", see: "arriving", text: [
        "x is used twice. So far only f has sent something: 10 + ?. A sum that is not finished must not be read as a result.",
        "x는 두 곳에서 쓰입니다. 지금까지는 f에서 온 신호만 도착했습니다: 10 + ?. 아직 끝나지 않은 합을 결과로 읽으면 안 됩니다."] },
      { example: "fan_out", step: "end", at: "x", see: "arriving", text: [
        "Now both paths have arrived: each edge shows what it contributes, and x adds them up.",
        "이제 두 경로의 신호가 모두 도착했습니다. 간선마다 그 경로의 기여가 적혀 있고, x에서는 이를 더합니다."] },
      { example: "flow_graph", step: "<skip", at: "skip", see: "sends", text: [
        "A short-circuit connection: skip = a + x. The add sends the same δ both ways: through the layer, and directly to x.",
        "지름길 연결(skip connection)입니다: skip = a + x. 덧셈은 같은 δ를 두 길로 보냅니다. 하나는 층을 거쳐서, 하나는 x로 곧바로 갑니다."] },
      { example: "flow_graph", step: "end", at: "x", see: "arriving", text: [
        "What arrives at x is the sum of both. However small the path through the sigmoid is, the short circuit carries δ past it.",
        "x에는 두 길로 온 신호의 합이 도착합니다. 시그모이드를 지나온 신호가 아무리 작아져도, 지름길이 δ를 그대로 전해 줍니다."] },
    ],
  },
  {
    title: ["4 · Delta signals", "4 · 오차 신호 δ"],
    stops: [
      { example: "flow_graph", step: "<log_probs", at: "log_probs", see: "sends", text: [
        "Softmax with its loss: what it sends to the scores is probabilities − target. Stepping against the gradient, the right class is pulled up and the others are pushed down, by as much as they are wrong.",
        "소프트맥스와 손실을 함께 보면, 점수(score)에 보내는 신호는 확률 − 정답(0 또는 1)입니다. 기울기의 반대 방향으로 한 걸음 가면 정답 클래스의 점수는 오르고 나머지는 내려가며, 틀린 만큼만 움직입니다."] },
      { example: "flow_graph", step: "<scores", at: "scores", see: "sends", text: [
        "Linear: δ goes down through the transposed weights, Wᵀ δ, with the very numbers of this example.",
        "선형층에서 δ는 가중치 행렬의 전치를 곱한 Wᵀδ가 되어 내려갑니다. 아래에서 이 예제의 실제 숫자로 확인할 수 있습니다."] },
      { example: "flow_graph", step: "<a", at: "a", see: "sends", text: [
        "Sigmoid: number by number, δ is multiplied by a (1 − a), at most 0.25: the sigmoid shrinks it. Wᵀ of the next linear layer may grow it again.",
        "시그모이드에서는 원소마다 δ에 a (1 − a)가 곱해집니다. 이 값은 커야 0.25이므로 시그모이드는 δ를 줄입니다. 다음 선형층의 Wᵀ는 δ를 다시 키울 수도 있습니다."] },
      { example: "deep_sigmoid", step: "end", at: "a3", text: [
        "Six sigmoid layers, and the third is pushed far out: there its curve is flat, its local gradients are nearly 0, and δ vanishes below it. The plots show it over depth.",
        "시그모이드 층이 여섯 개 있는데, 셋째 층의 입력이 0에서 멀리 벗어나 있습니다. 그곳에서는 곡선이 평평해 국소 기울기가 거의 0이고, 그 아래로는 δ가 소실됩니다. '그래프' 탭에서 깊이에 따른 변화를 볼 수 있습니다."], tab: "plots" },
    ],
  },
];
