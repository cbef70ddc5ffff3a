// Holds the texts of both pages, in English and Korean.

export const SHARED_TEXTS = {
  api: ["API", "API"], dark: ["dark", "어두운 테마"], light: ["light", "밝은 테마"],
  loss: ["loss", "손실"], pause: ["Pause", "일시 정지"], rate: ["learning rate", "학습률"], step: ["step", "단계"],
  failed_away: ["The service does not answer.", "서비스가 응답하지 않습니다."],
  nextTry: [(seconds) => `Next try in ${seconds} s.`, (seconds) => `${seconds}초 뒤에 다시 시도합니다.`], tryNow: ["Try now", "지금 다시 시도"],
};
