// Holds the texts of the page of models and runs, in English and Korean.
import { SHARED_TEXTS } from "./shared_texts.js";

// As in graph_texts.js, Korean texts put no particle after a name.
const plural = (count, one, many) => `${count} ${String(count) === "1" ? one : many}`;

export const MODEL_TEXTS = {
  ...SHARED_TEXTS,
  modelsSubtitle: ["models and runs", "모델과 학습 실행"], networks: ["network graph", "네트워크 그래프"],
  keepsNone: ["This service keeps no models. Start it with a folder for them:", "이 서비스는 모델을 보관하지 않습니다. 보관할 폴더를 정해 다시 시작하세요:"],
  workers: [({ connected, equal, other }) => (!connected ? "The scheduler of the workers does not answer: this service computes alone."
    : `${plural(equal, "worker computes", "workers compute")}.${other ? ` ${plural(other, "other gets", "others get")} no tasks: the bits would differ.` : ""}`),
  ({ connected, equal, other }) => (!connected ? "워커 스케줄러가 응답하지 않아 이 서비스에서만 계산합니다."
    : `워커 ${equal}개가 계산을 맡고 있습니다.${other ? ` 결과가 달라질 수 있는 워커 ${other}개에는 작업을 보내지 않습니다.` : ""}`)],
  // What stands in the way
  asOf: [(time) => `What you see is from ${time}.`, (time) => `지금 보이는 것은 ${time} 상태입니다.`],
  keyNeeded: ["The service does not take this API key. Enter another one as the password when the browser asks; the user name may stay empty.",
    "서비스가 이 API 키를 받지 않습니다. 브라우저가 물으면 비밀번호 칸에 다른 키를 입력하세요. 사용자 이름은 비워 두어도 됩니다."],
  enterKey: ["Enter a key", "키 입력"],
  noTrainer: ["Nothing takes these runs. The log of the service may say why; deltawire trainer takes them too.",
    "대기 중인 실행을 맡을 프로세스가 없습니다. 서비스 로그를 확인하거나 deltawire trainer 명령을 실행하세요."],
  // Lists
  findByName: ["Find by name", "이름으로 찾기"], noneFound: [(text) => `No name has “${text}” in it.`, (text) => `“${text}”: 일치하는 이름이 없습니다.`],
  pageBack: ["Previous page", "이전 페이지"], pageNext: ["Next page", "다음 페이지"],
  modelsTitle: ["Models", "모델"], noModels: ["There are no models yet.", "아직 모델이 없습니다."],
  startFit: ["This command makes one from a table, and trains it:", "표 파일 하나로 모델을 만들어 학습하려면:"],
  runsTitle: ["Runs", "학습 실행"], noRuns: ["There are no runs yet. This command starts one:", "아직 실행이 없습니다. 다음 명령으로 시작할 수 있습니다:"],
  openTitle: ["Running and waiting", "진행·대기 중인 실행"], noOpenRuns: ["No run is going on.", "진행 중인 실행이 없습니다."],
  endedTitle: ["Ended", "끝난 실행"], noEndedRuns: ["No run has ended yet.", "아직 끝난 실행이 없습니다."],
  unusable: ["It takes no steps now:", "지금은 학습할 수 없는 모델입니다."],
  openGraph: ["open graph", "그래프로 열기"],
  openGraphOf: [(name, version) => `Open ${name}, version ${version}, in the graph`, (name, version) => `${name} 버전 ${version}, 그래프로 열기`],
  // Runs
  state_queued: ["queued", "대기 중"], state_running: ["running", "학습 중"], state_paused: ["paused", "일시 정지됨"], state_finished: ["finished", "완료"], state_failed: ["failed", "실패"], state_cancelled: ["cancelled", "취소됨"],
  progressOf: [(name) => `progress of ${name}`, (name) => `${name} 진행률`],
  allSteps: [(all) => plural(all, "step", "steps"), (all) => `${all}단계`],
  someSteps: [(steps, all) => `${steps} of ${plural(all, "step", "steps")}`, (steps, all) => `${all}단계 중 ${steps}단계`],
  ahead: [(count) => `${plural(count, "run", "runs")} before it`, (count) => `앞에 ${count}개 대기`], nextRun: ["next in the queue", "다음 차례"],
  left: [(time) => `${time} left`, (time) => `${time} 남음`], perSecond: [(count) => `${count} examples/s`, (count) => `초당 예제 ${count}개`],
  took: [(steps, time) => `${steps} in ${time}`, (steps, time) => `${steps}, ${time} 소요`],
  stoppedEarly: [(count) => `stopped early after ${plural(count, "validation", "validations")} without a smaller loss`, (count) => `조기 종료: 검증 손실이 ${count}번 연속 줄지 않음`],
  wentBack: [(version) => `went back to its best version, ${version}`, (version) => `최저 손실 버전 ${version} 복원`],
  afterSteps: [(steps, all) => `after ${steps} of ${plural(all, "step", "steps")}`, (steps, all) => `${all}단계 중 ${steps}단계까지 학습`],
  diverged: [(step) => `It diverged: after step ${step}, a number was too large to be finite. A smaller learning rate or gradient clipping may help.`,
    (step) => `학습이 발산했습니다. ${step}단계까지 학습한 뒤 값이 너무 커져 유한하지 않은 수가 나왔습니다. 학습률을 낮추거나 기울기 클리핑을 써 보세요.`],
  dataNotFinite: [(step) => `The batch after step ${step} has an empty cell of the dataset in it, or a number that is not finite.`,
    (step) => `${step}단계 다음 배치에 데이터셋의 빈칸이나 유한하지 않은 수가 들어 있습니다.`],
  bestLoss: [(loss, version) => `best validation ${loss}, version ${version}`, (loss, version) => `최저 검증 손실 ${loss} (버전 ${version})`],
  dataset: [(name) => `dataset ${name}`, (name) => `데이터셋 ${name}`],
  resume: ["Resume", "이어서 학습"], cancel: ["Cancel", "취소"],
  cancelForGood: ["Cancel for good", "완전히 취소"], keep: ["Keep it", "계속 두기"],
  days: [(count) => `${count} d`, (count) => `${count}일`], hours: [(count) => `${count} h`, (count) => `${count}시간`], minutes: [(count) => `${count} min`, (count) => `${count}분`], seconds: [(count) => `${count} s`, (count) => `${count}초`],
  moment: ["less than 1 s", "1초 미만"],
  // Curves
  curves: ["Curves", "곡선"], chooseOne: ["Choose models or runs in the lists to see their curves.", "목록에서 모델이나 실행을 고르면 곡선이 나타납니다."],
  nothingLearned: ["Nothing has learned yet: curves come with the first step.", "아직 학습한 단계가 없습니다. 첫 단계부터 곡선이 그려집니다."],
  noSteps: ["No step has been taken yet.", "아직 학습한 단계가 없습니다."],
  logScale: ["log scale", "로그 눈금"], smooth: ["smooth", "평활화"], sideBySide: ["side by side", "나란히 보기"],
  validation: ["validation", "검증"], modelGradientNorm: ["gradient norm", "기울기 노름"],
  longer: [(name, first) => `${name}: earlier than version ${first}`, (name, first) => `${name}: 버전 ${first} 이전도 보기`],
  asTable: ["Numbers as a table", "표로 보기"], tableOf: [(name) => `Numbers of ${name}`, (name) => `${name}의 수치`],
  chooseVersion: ["Click a curve to choose a version, or type its number. With the keyboard: arrow keys, then Enter.", "곡선을 클릭하거나 번호를 입력해 버전을 고르세요. 키보드로는 방향키로 옮기고 Enter를 누릅니다."],
  version: ["version", "버전"], bestVersion: [(version) => `best version ${version}`, (version) => `최저 손실 버전 ${version}`], newestVersion: [(version) => `newest version ${version}`, (version) => `최신 버전 ${version}`],
  versionExpired: [(earliest) => `kept from version ${earliest} on`, (earliest) => `버전 ${earliest}부터 보관 중`],
  event_created: ["created", "생성"], event_hyperparameters: ["optimizer changed", "옵티마이저 변경"], event_restored: ["restored", "이전 버전으로 복원"],
  event_rebased: ["rebased", "기준 재계산"], event_lost: ["steps lost", "단계 유실"],
};
