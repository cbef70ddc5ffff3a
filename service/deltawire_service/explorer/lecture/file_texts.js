// Holds the texts of files that are opened, in English and Korean.

const of = (file) => file ?? "What was pasted";
const korean = (file) => file ?? "붙여넣은 내용";
const start = (of, file) => (file === undefined ? "" : `${of(file)}: `); // what is typed has no file
const counted = (number) => number.toLocaleString("en");
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);

// By the code of a refusal, with `failed_` before it.
export const FILE_TEXTS = {
  openFile: ["open a file…", "파일 열기…"],
  dropHere: ["Drop a network here: a safetensors file, or JSON", "여기에 네트워크를 놓으세요: safetensors 파일 또는 JSON"],
  failed_file_many: [({ count }) => `${count} files at once: open one, a safetensors file of a network, or JSON.`, ({ count }) => `파일 ${count}개를 한꺼번에 열 수는 없습니다. 네트워크가 담긴 safetensors 또는 JSON 파일 하나만 여세요.`],
  failed_file_other: [({ file }) => `${of(file)}: neither a safetensors file nor JSON. Expected what Network.save or deltawire publish writes, or a spec or request as JSON.`,
    ({ file }) => `${korean(file)}: safetensors 파일도 JSON도 아닙니다. Network.save나 deltawire publish로 만든 파일, 또는 스펙이나 요청 JSON이 필요합니다.`],
  failed_file_json: [({ file, reason }) => `${of(file)}: not JSON (${reason}).`, ({ file, reason }) => `${korean(file)}: 올바른 JSON이 아닙니다(${reason}).`],
  failed_file_network: [({ file }) => `${of(file)}: JSON without a network. Expected a spec with "inputs" and "nodes", or a request with such a "network".`,
    ({ file }) => `${korean(file)}: JSON에 네트워크가 없습니다. "inputs"와 "nodes"가 있는 스펙, 또는 그런 "network"가 있는 요청이 필요합니다.`],
  failed_file_name: [({ file, name }) => `${of(file)}: it only names the network ${name}. Expected its spec, with "inputs" and "nodes".`,
    ({ file, name }) => `${korean(file)}: 네트워크의 이름(${name})만 있습니다. "inputs"와 "nodes"가 있는 스펙이 필요합니다.`],
  failed_file_header: [({ file }) => `${of(file)}: not a safetensors file, or a broken one: its header cannot be read.`, ({ file }) => `${korean(file)}: safetensors 파일이 아니거나 손상되었습니다. 헤더를 읽을 수 없습니다.`],
  failed_file_spec: [({ file }) => `${of(file)}: tensors, but no network: its metadata has no "request" with a spec. deltawire publish writes such a file.`,
    ({ file }) => `${korean(file)}: 텐서만 있고 네트워크가 없습니다. 메타데이터의 "request"에 스펙이 있어야 합니다. deltawire publish로 만들 수 있습니다.`],
  failed_file_tensor: [({ file, name }) => `${of(file)}: the tensor ${name} is neither a parameter (params/…) nor an input (data/…).`,
    ({ file, name }) => `${korean(file)}: 텐서(${name})가 매개변수(params/…)도 입력(data/…)도 아닙니다.`],
  failed_file_cut: [({ file, name }) => `${of(file)}: the tensor ${name} does not have the bytes of its shape. The file may have been cut off.`,
    ({ file, name }) => `${korean(file)}: 텐서(${name})의 바이트 수가 모양과 맞지 않습니다. 파일이 잘렸을 수 있습니다.`],
  failed_file_dtype: [({ file, name, dtype }) => `${of(file)}: the tensor ${name} has the dtype ${dtype}. F64, F32 and I64 are read; convert it first.`,
    ({ file, name, dtype }) => `${korean(file)}: 텐서(${name})의 dtype을 읽을 수 없습니다(${dtype}). F64, F32, I64 중 하나로 바꾸세요.`],
  failed_file_finite: [({ file, name }) => `${of(file)}: the tensor ${name} has a number that is not finite.`, ({ file, name }) => `${korean(file)}: 텐서(${name})에 유한하지 않은 수가 있습니다.`],
  failed_file_exact: [({ file, name, number }) => `${start(of, file)}${name} is or has ${number}, which a browser cannot keep exactly: integers reach to 9007199254740991, floats to 1.8e308.`,
    ({ file, name, number }) => `${start(korean, file)}${name}에 브라우저가 정확히 담을 수 없는 수가 있습니다(${number}). 정수는 9007199254740991까지, 실수는 1.8e308까지 쓸 수 있습니다.`],
  failed_file_twice: [({ file, name }) => `${start(of, file)}the name ${name} comes twice. Keep one of them.`, ({ file, name }) => `${start(korean, file)}같은 이름이 두 번 나옵니다(${name}). 하나만 남기세요.`],
  failed_file_numbers: [({ file, numbers, most }) => `${of(file)}: ${counted(numbers)} numbers. A picture is drawn of ${counted(most)} at most.`,
    ({ file, numbers, most }) => `${korean(file)}: 숫자가 ${counted(numbers)}개입니다. 그림은 최대 ${counted(most)}개까지 그릴 수 있습니다.`],
  failed_file_bytes: [({ file, bytes, most }) => `${of(file)}: ${megabytes(bytes)} MB. JSON of ${megabytes(most)} MB is read at most; a safetensors file is smaller.`,
    ({ file, bytes, most }) => `${korean(file)}: ${megabytes(bytes)} MB입니다. JSON은 최대 ${megabytes(most)} MB까지 읽습니다. safetensors 파일이 더 작습니다.`],
};
