// Holds the lecture: four tours of a few stops, each stop at a network, a step and a place.

// `at`: the selected place. `section`: the section of the panel that the text is about. `tab`: the tab to open.
// `step`: how far both passes have gone: "end", or the node that has just computed (">f") or sent its deltas ("<f").
export const TOURS = [
  {
    title: { en: "1 · Two equations", ko: "1 · 두 개의 식" },
    stops: [
      { example: "window_classifier", step: "end", at: "loss", text: {
        en: "A window of five words is scored: word vectors, two sigmoid layers, a score. The same parameters score a corrupt window, and the max-margin loss wants the true one to win by 1. Backprop here is just two equations.",
        ko: "단어 다섯 개로 이루어진 윈도에 점수를 매깁니다. 단어 벡터가 시그모이드 층 두 개를 지나 점수 하나가 됩니다. 가운데 단어를 바꾼 가짜(corrupt) 윈도에도 같은 매개변수로 점수를 매깁니다. 최대 마진(max-margin) 손실은 진짜 윈도의 점수가 가짜보다 1 이상 높아지게 합니다. 여기서 역전파는 식 두 개면 충분합니다." } },
      { example: "window_classifier", step: "<z2", at: "z2", section: "sends", text: {
        en: "First equation, the error signal: δ of a layer goes down through Wᵀ, and through the sigmoid it is multiplied by f′ = a ∘ (1 − a). So δ⁽ˡ⁾ = (Wᵀ δ⁽ˡ⁺¹⁾) ∘ f′(z⁽ˡ⁾).",
        ko: "첫째 식은 오차 신호입니다. δ는 Wᵀ를 거쳐 아래층으로 내려가고, 시그모이드에서는 f′ = a ∘ (1 − a)가 곱해집니다. 즉 δ⁽ˡ⁾ = (Wᵀ δ⁽ˡ⁺¹⁾) ∘ f′(z⁽ˡ⁾)입니다." } },
      { example: "window_classifier", step: "end", at: "z1", section: "gradient", text: {
        en: "Second equation, the gradient: δ times what came in, δ xᵀ, plus λW from the regularization. Both windows share W, so their contributions add up. Click a cell of the gradient to see how its number is made.",
        ko: "둘째 식은 기울기입니다. δ와 입력 x의 외적(outer product) δxᵀ에 정규화(regularization) 항 λW를 더합니다. 두 윈도가 W를 공유하므로 양쪽의 기여를 모두 더합니다. 기울기의 칸을 하나 클릭하면 그 숫자가 어떻게 계산되었는지 볼 수 있습니다." } },
      { example: "window_classifier", step: "end", at: "vectors", section: "gradient", text: {
        en: "The error signal reaches the word vectors: each word gets its own part of δ. Words in neither window get exactly 0.",
        ko: "오차 신호는 단어 벡터까지 내려갑니다. 각 단어는 δ 가운데 자기 자리의 몫을 받고, 두 윈도 어디에도 나오지 않는 단어의 기울기는 정확히 0입니다." } },
    ],
  },
  {
    title: { en: "2 · Circuits", ko: "2 · 회로" },
    stops: [
      { example: "circuit", step: ">f", at: "f", section: "value", text: {
        en: "f = (x + y)·z at x = −2, y = 5, z = −4. The forward pass fills in the green numbers: q = 3, f = −12.",
        ko: "x = −2, y = 5, z = −4일 때의 f = (x + y)·z입니다. 순전파가 초록색 숫자를 채웁니다: q = 3, f = −12." } },
      { example: "circuit", step: "<f", at: "f", section: "sends", text: {
        en: "Backward starts with ∂f/∂f = 1. The multiply gate's local gradient for q is the other input, z = −4: it sends −4 × 1 = −4 to q, and q = 3 to z.",
        ko: "역전파는 ∂f/∂f = 1에서 출발합니다. 곱셈 게이트에서 q에 대한 국소 기울기는 다른 쪽 입력인 z = −4입니다. 그래서 q에는 −4 × 1 = −4를, z에는 q = 3을 보냅니다." } },
      { example: "circuit", step: "end", at: "x", section: "paths", text: {
        en: "The add gate's local gradients are 1: it passes its −4 on to both x and y. Local gradient times upstream gradient, gate after gate: that is all. Now change x below: the card that comes compares the loss with what this −4 predicts.",
        ko: "덧셈 게이트의 국소 기울기는 1이므로 −4를 x와 y에 똑같이 전달합니다. 게이트마다 국소 기울기에 상류 기울기를 곱하는 것, 역전파는 이것이 전부입니다. 이제 아래에서 x를 바꿔 보세요. 이 −4로 예측한 손실과 실제 손실을 비교해 보여 줍니다." } },
      { example: "sigmoid_neuron_gates", step: "<s", at: "s", section: "sends", text: {
        en: "A sigmoid neuron from single gates. From the right: −0.53, −0.53, −0.20, 0.20, each local × upstream. s passes 0.20 to all three of its inputs. With “Predict first” below, you can find the numbers of each stop before you see them.",
        ko: "시그모이드 뉴런을 게이트 하나하나로 풀어 그렸습니다. 오른쪽부터 −0.53, −0.53, −0.20, 0.20이고, 모두 국소 기울기 × 상류 기울기입니다. s는 세 입력에 똑같이 0.20을 보냅니다. 아래의 ‘먼저 예측하기’를 켜면 단계마다 숫자를 보기 전에 직접 구해 볼 수 있습니다." } },
      { example: "sigmoid_neuron_gates", step: "end", at: "x0", section: "paths", text: {
        en: "x0 gets 0.39: the local gradient of w0·x0 for x0 is w0 = 2, times 0.197 from above (0.20 in the picture).",
        ko: "x0에는 0.39가 도착합니다. w0·x0의 x0에 대한 국소 기울기는 w0 = 2이고, 여기에 위에서 내려온 0.197(그림에는 0.20)이 곱해집니다." } },
      { example: "sigmoid_neuron_layer", step: "<f", at: "f", section: "sends", text: {
        en: "The last four gates as one layer: σ′ = σ(1 − σ) = 0.73 · 0.27 = 0.20. The same number, in one equation.",
        ko: "마지막 네 게이트를 한 층으로 묶으면 σ′ = σ(1 − σ) = 0.73 · 0.27 = 0.20이 됩니다. 같은 숫자가 식 하나로 나옵니다." } },
    ],
  },
  {
    title: { en: "3 · Flow graph", ko: "3 · 흐름 그래프" },
    stops: [
      { example: "fan_out", step: "<f", at: "x", section: "arriving", text: {
        en: "x is used twice. So far only f has sent something: 10 + ?. Do not read an unfinished sum as a result.",
        ko: "x는 두 곳에서 쓰입니다. 지금은 f에서 온 신호만 도착해서 10 + ?입니다. 덜 끝난 합을 결과로 읽으면 안 됩니다." } },
      { example: "fan_out", step: "end", at: "x", section: "arriving", text: {
        en: "Now both paths have arrived: each edge shows what it contributes, and x adds them up.",
        ko: "이제 두 경로의 신호가 모두 도착했습니다. 간선마다 그 경로의 기여가 적혀 있고, x에서 이것을 모두 더합니다." } },
      { example: "flow_graph", step: "<skip", at: "skip", section: "sends", text: {
        en: "A skip connection: skip = a + x. The add sends the same δ both ways: through the layer, and directly to x.",
        ko: "지름길 연결(skip connection)입니다: skip = a + x. 덧셈은 같은 δ를 두 길로 보냅니다. 하나는 층을 거쳐서, 하나는 x로 곧바로 갑니다." } },
      { example: "flow_graph", step: "end", at: "x", section: "arriving", text: {
        en: "What arrives at x is the sum of both. However little comes through the sigmoid, the skip connection carries δ past it.",
        ko: "x에는 두 길로 온 신호의 합이 도착합니다. 시그모이드를 지나온 신호가 아무리 작더라도, 지름길로는 δ가 그대로 전해집니다." } },
    ],
  },
  {
    title: { en: "4 · Delta signals", ko: "4 · 오차 신호 δ" },
    stops: [
      { example: "flow_graph", step: "<log_probs", at: "log_probs", section: "sends", text: {
        en: "Softmax with its loss: what it sends to the scores is probabilities − target. Stepping against the gradient, the right class is pulled up and the others are pushed down, by as much as they are wrong.",
        ko: "소프트맥스와 손실을 함께 보면, 점수(score)에 보내는 신호는 확률 − 정답(0 또는 1)입니다. 기울기의 반대 방향으로 한 걸음 가면 정답 클래스의 점수는 올라가고 나머지는 내려가는데, 틀린 정도만큼 움직입니다." } },
      { example: "flow_graph", step: "<scores", at: "scores", section: "sends", text: {
        en: "Linear: δ goes down through the transposed weights, Wᵀ δ. The numbers below are those of this example.",
        ko: "선형층에서 δ는 가중치 행렬의 전치를 곱한 Wᵀδ가 되어 내려갑니다. 아래에서 이 예제의 실제 숫자로 확인할 수 있습니다." } },
      { example: "flow_graph", step: "<a", at: "a", section: "sends", text: {
        en: "Sigmoid: number by number, δ is multiplied by a (1 − a), at most 0.25: the sigmoid shrinks it. Wᵀ of the next linear layer may grow it again.",
        ko: "시그모이드에서는 원소마다 δ에 a (1 − a)가 곱해집니다. 이 값은 커야 0.25이므로 시그모이드는 δ를 줄입니다. 다음 선형층의 Wᵀ는 δ를 다시 키울 수도 있습니다." } },
      { example: "deep_sigmoid", step: "end", at: "a3", text: {
        en: "Six sigmoid layers. The third gets inputs far from 0, where its curve is flat: its local gradients are nearly 0, and δ vanishes below it. The plots show it over depth.",
        ko: "시그모이드 층이 여섯 개인데, 셋째 층의 입력이 0에서 멀리 떨어져 있습니다. 그곳에서는 곡선이 평평해 국소 기울기가 거의 0이고, 그 아래로는 δ가 소실됩니다. '도표' 탭에서 깊이에 따른 변화를 볼 수 있습니다." }, tab: "plots" },
    ],
  },
];
