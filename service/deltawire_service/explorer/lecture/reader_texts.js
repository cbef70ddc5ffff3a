// Holds the texts of what the reader tries out on the graph: changes of numbers, and predictions, in English and Korean.

// Korean texts put no particle after a name: the right one depends on the name.
export const READER_TEXTS = {
  whatIf: ["What if: you changed a number", "만약에: 숫자를 바꾸면"], whatIfDismiss: ["close, and compare later changes with the numbers of now", "닫고, 다음 변경은 지금 숫자와 비교하기"],
  whatIfMore: [(count) => `and ${count} more`, (count) => `외 ${count}개`],
  whatIfPredicted: ["predicted by the old gradient", "이전 기울기로 한 예측"], whatIfActual: ["actual: the loss", "실제: 손실"], whatIfDifference: ["difference", "차이"],
  whatIfExact: ["A derivative is exactly this answer. Here the loss changes along a straight line, so the prediction is exact.",
    "도함수가 바로 이 답입니다. 여기서는 손실이 직선을 따라 변하므로 예측이 정확히 맞습니다."],
  whatIfNear: ["A derivative is exactly this answer, for small steps. The smaller the step, the smaller the difference.",
    "도함수가 바로 이 답입니다. 단, 변화가 작을 때의 답이어서 조금만 바꿀수록 차이가 더 줄어듭니다."],
  whatIfFar: ["A derivative is exactly this answer, for small steps. This step is large for the curve: try a smaller one.",
    "도함수가 바로 이 답입니다. 단, 변화가 작을 때의 답입니다. 손실이 휘어 있어 이번 변화는 너무 큽니다. 더 조금만 바꿔 보세요."],
  whatIf_network: ["The network itself was changed, and not only its numbers. A derivative predicts nothing about that.", "숫자뿐 아니라 네트워크 자체가 바뀌었습니다. 이런 변화는 도함수로 예측할 수 없습니다."],
  whatIf_dtype: ["The dtype was changed too, so the numbers before cannot be compared.", "dtype도 바뀌어서 이전 숫자와 비교할 수 없습니다."],
  whatIf_integers: [(names) => `There is no derivative by integers (${names}): nothing predicts this change.`, (names) => `정수 입력(${names})으로는 미분할 수 없어 이 변화는 예측할 수 없습니다.`],
  whatIf_large: [(names) => `The δ of ${names} is too large to be sent whole, so nothing is predicted.`, (names) => `δ가 너무 커서 일부만 받았으므로 예측하지 않습니다: ${names}`],
  whatIf_infinite: ["A number is not finite, so nothing is predicted.", "유한하지 않은 수가 있어 예측하지 않습니다."],
  before: [(number) => `before ${number}`, (number) => `이전 값 ${number}`],
};
