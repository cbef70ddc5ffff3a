// Holds the texts of both pages, in English and Korean.

// The subject of a refusal by its code, in Korean: the service's own sentences are English.
export const koreanOf = (codes) => Object.fromEntries(Object.entries(codes).map(([code, korean]) => [`code_${code}`, ["", korean]]));

export const SHARED_TEXTS = {
  api: ["API", "API"], dark: ["dark", "어두운 테마"], light: ["light", "밝은 테마"],
  loss: ["loss", "손실"], pause: ["Pause", "일시 정지"], rate: ["learning rate", "학습률"], step: ["step", "단계"],
  failed_away: ["The service does not answer.", "서비스가 응답하지 않습니다."],
  nextTry: [(seconds) => `Next try in ${seconds} s.`, (seconds) => `${seconds}초 뒤에 다시 시도합니다.`], tryNow: ["Try now", "지금 다시 시도"],
  ...koreanOf({
    non_finite: "결과가 유한하지 않습니다", plugin_error: "층에서 오류가 났습니다", shape_mismatch: "모양(shape)이 맞지 않습니다",
    label_out_of_range: "숫자가 허용 범위를 벗어났습니다", unknown_kind: "그런 종류의 층이 없습니다", config_invalid: "층의 설정이 잘못되었습니다",
    memory_plan_exceeded: "메모리가 너무 많이 필요합니다", cost_plan_exceeded: "연산이 너무 많이 필요합니다", overloaded: "서비스가 바쁩니다",
    deadline_exceeded: "계산이 너무 오래 걸렸습니다", run_not_found: "그런 실행이 없습니다", run_ended: "이미 끝난 실행입니다", trainer_died: "학습 프로세스가 중단되었습니다",
    model_not_found: "그런 이름의 모델이 없습니다", store_unavailable: "저장소를 쓸 수 없습니다", unauthorized: "API 키가 없거나 올바르지 않습니다",
    rate_limited: "요청이 너무 잦습니다", dataset_not_found: "그런 데이터셋이 없습니다", internal: "서비스 내부에서 오류가 났습니다",
  }),
};
