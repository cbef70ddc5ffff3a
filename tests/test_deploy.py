"""What stands around the service is true of it: the proxy's limits and problems, the manifests."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import kubernetes_validate
import pytest
import yaml

from deltawire.errors import Fault
from deltawire_service.app import create_app
from deltawire_service.http.problem_codes import PROBLEMS
from deltawire_service.http.problems import document
from deltawire_service.setting_checks import PROTOCOLS
from deltawire_service.settings import Settings

ROOT = Path(__file__).parents[1]
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()
MANIFESTS = ROOT / "deploy" / "kubernetes"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


class Location(NamedTuple):
    """A location of nginx: its pattern, and its directives."""

    pattern: str
    directives: str

    def has(self, directive: str) -> bool:
        return re.search(rf"^ *{re.escape(directive)};", self.directives, re.MULTILINE) is not None


LOCATIONS = [
    Location(pattern, directives)
    for pattern, directives in re.findall(r"^ {8}location ~ (\S+) \{\n(.*?)^ {8}\}", NGINX, re.M | re.S)
    if "proxy_pass" in directives
]
"""Those by regular expressions that lead to the service, in the order in which they are tried."""

(ELSEWHERE,) = (Location("", each) for each in re.findall(r"^ {8}location / \{(.*?)\}", NGINX, re.M | re.S))


def location_of(path: str) -> Location:
    return next((each for each in LOCATIONS if re.search(each.pattern, path)), ELSEWHERE)


def setting(name: str) -> str:
    """The value of a directive that holds everywhere."""
    (value,) = re.findall(rf"^(?: {{4}}| {{8}}){name} ([^;]+);", NGINX, re.MULTILINE)
    return str(value)


def requests_of_the_service() -> Iterator[tuple[str, str]]:
    """The method and a path of every route."""
    for rule in create_app(Settings(log_level="error")).url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, re.sub(r"<[^>]*>", "some_name", rule.rule)


def mapped(variable: str) -> dict[str, str]:
    """What a map of nginx gives for each problem."""
    (block,) = re.findall(rf"map \$problem \${variable} {{(.*?)\n    }}", NGINX, re.DOTALL)
    return dict(re.findall(r'^\s+(\w+)\s+"([^"]+)";', block, re.MULTILINE))


KEPT = ("/v1/models", "/v1/datasets", "/v1/runs")
"""What the paths begin with of routes that change or read what is kept."""


def test_the_proxy_takes_as_much_and_waits_as_long_as_the_service() -> None:
    assert int(setting("client_max_body_size")) == Settings().binary_body_bytes
    assert int(setting("proxy_read_timeout").rstrip("s")) > Settings().deadline_seconds + 2


def test_what_is_sent_again_is_pure() -> None:
    """Everything that changes a model is sent once; everything that only computes may be sent again."""
    again = "proxy_next_upstream error non_idempotent"
    assert setting("proxy_next_upstream") == "error"
    for method, path in requests_of_the_service():
        location = location_of(path)
        if path.startswith(KEPT) or location.has("proxy_pass $models"):
            assert location.has("proxy_next_upstream off"), path
        elif method != "GET":
            assert method == "POST" and location.has(again), path
    assert [each.pattern for each in LOCATIONS if each.has(again)] == [
        r"^/v1/(check|forward|gradients|hvp|init|jacobian|jvp|plan|vjp)$"
    ]


def test_whatever_may_name_a_model_goes_to_the_service_that_keeps_them() -> None:
    protocols = {path for name in PROTOCOLS for path in paths_of_protocol(name)}
    assert len(protocols) > 20
    for _, path in requests_of_the_service():
        kept = path.startswith(KEPT) or path == "/v1/limits" or path in protocols
        assert location_of(path).has("proxy_pass $models" if kept else "proxy_pass $compute"), path


def paths_of_protocol(name: str) -> set[str]:
    """The paths that a protocol adds, but those of health checks of its own."""
    without, with_it = (
        {
            re.sub(r"<[^>]*>", "some_name", rule.rule)
            for rule in create_app(Settings(log_level="error", protocols=protocols)).url_map.iter_rules()
        }
        for protocols in ("", name)
    )
    return with_it - without


def test_parameters_pass_the_proxy_as_they_come() -> None:
    uploads = [location_of(path) for path in ("/v1/models", "/v1/models/some_name/steps")]
    for location in uploads:
        assert location.has(f"client_max_body_size {Settings().model_body_bytes}")
        assert location.has("proxy_request_buffering off")
    assert '"~^/v1/models(/[^/?]+/steps)?(\\?|$)" 4294967296;' in NGINX
    datasets = location_of("/v1/datasets/some_name")
    assert datasets.has(f"client_max_body_size {Settings().dataset_body_bytes}")
    assert datasets.has("proxy_request_buffering off") and datasets.has("proxy_next_upstream off")
    for path in ("/v1/models/some_name/params", "/v1/models/some_name/optimizer"):
        assert location_of(path).has("proxy_max_temp_file_size 0")
    for path in ("/v1/models/some_name", "/v1/models/some_name/forward", "/v1/gradients"):
        assert not location_of(path).has("proxy_request_buffering off")


def test_what_the_proxy_answers_by_itself_is_a_problem_of_the_services_shape() -> None:
    statuses = {
        code: int(status) for status, code in re.findall(r"error_page [\d ]*?=?(\d+) /problems/(\w+);", NGINX)
    }
    titles, details = mapped("title"), mapped("detail")
    assert titles.keys() == details.keys() == statuses.keys()
    own = {"unreachable"}
    for code, status in statuses.items():
        if code in own:
            assert f"| `{code}` | {status} |" in OPERATIONS
        else:
            assert (status, titles[code]) == tuple(PROBLEMS[code]), code
    (template,) = re.findall(r"return 200 '(.*)';", NGINX)
    for name, value in {"problem": "p", "title": "t", "status": "1", "detail": "d", "id": "i"}.items():
        template = template.replace(f"${name}", value)
    shown = json.loads(template)
    ours: Any = document([Fault("", "internal", "x")], "i")
    assert shown.keys() == ours.keys() and shown["errors"][0].keys() == ours["errors"][0].keys()


def test_a_proxy_that_gave_up_leaves_the_id_out_so_that_a_change_is_repeated() -> None:
    """The SDK takes a 504 with the id for the service's own, which says that nothing was changed."""
    (block,) = re.findall(r"map \$problem \$answered_id {(.*?)\n    }", NGINX, re.DOTALL)
    assert re.findall(r"^\s+(\w+) (.*);", block, re.MULTILINE) == [
        ("deadline_exceeded", '""'), ("default", "$id")
    ]  # fmt: skip
    assert re.findall(r"add_header X-Request-Id (\S+) always;", NGINX) == ["$answered_id"]


def test_an_id_is_the_callers_where_the_service_takes_it_too() -> None:
    assert '"~^[A-Za-z0-9-]{1,64}\\z" $http_x_request_id;' in NGINX


def resources() -> dict[str, dict[str, Any]]:
    return {
        path.name: yaml.safe_load(path.read_text())
        for path in sorted(MANIFESTS.glob("*.yaml"))
        if path.name != "kustomization.yaml"
    }


@pytest.mark.parametrize("name", resources())
def test_a_manifest_is_valid_strictly(name: str) -> None:
    manifest = resources()[name]
    for version in ("1.31", "1.34"):
        kubernetes_validate.validate(manifest, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            manifest | {"spec": manifest["spec"] | {"replica": 1}}, "1.34", strict=True
        )


def selects(resource: dict[str, Any], pod: dict[str, Any]) -> bool:
    """Whether a selector of a resource finds a pod."""
    selector = resource["spec"]["selector"]
    return bool(pod["metadata"]["labels"].items() >= selector.get("matchLabels", selector).items())


def test_all_manifests_are_applied_and_select_the_right_pods() -> None:
    customized = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())
    found = resources()
    assert sorted(customized["resources"]) == sorted(found)
    (pairs,) = (labels["pairs"] for labels in customized["labels"])
    computes = found["deployment.yaml"]["spec"]["template"]
    keeps = found["statefulset.yaml"]["spec"]["template"]
    for pod in (computes, keeps):
        assert pod["metadata"]["labels"].items() >= pairs.items()
        assert selects(found["service.yaml"], pod) and selects(found["disruption.yaml"], pod)
    for name, pod, other in (
        ("deployment.yaml", computes, keeps),
        ("statefulset.yaml", keeps, computes),
        ("service-models.yaml", keeps, computes),
    ):
        assert selects(found[name], pod) and not selects(found[name], other)
    target = found["scaling.yaml"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", found["deployment.yaml"]["metadata"]["name"])


def test_one_pod_keeps_models_on_a_volume_that_outlives_it() -> None:
    stateful = resources()["statefulset.yaml"]["spec"]
    assert stateful["replicas"] == 1
    (claim,) = stateful["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert set(stateful["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    (container,) = stateful["template"]["spec"]["containers"]
    (folder,) = (each["value"] for each in container["env"] if each["name"] == "DELTAWIRE_DATA_DIR")
    (mounted,) = (
        each["mountPath"] for each in container["volumeMounts"] if each["name"] == claim["metadata"]["name"]
    )
    assert Path(mounted) in Path(folder).parents
    assert stateful["template"]["spec"]["securityContext"]["fsGroup"] == 10001


def backends(name: str) -> dict[str, tuple[str, str]]:
    """The paths of an ingress, with their types and services."""
    (rule,) = resources()[name]["spec"]["rules"]
    return {
        each["path"]: (each["pathType"], each["backend"]["service"]["name"]) for each in rule["http"]["paths"]
    }


def test_the_ingress_leads_where_nginx_leads() -> None:
    found = backends("ingress.yaml") | backends("ingress-models.yaml")
    exact = {path: service for path, (kind, service) in found.items() if kind == "Exact"}
    prefixes = {path: service for path, (kind, service) in found.items() if kind == "Prefix"}

    def service_of(path: str) -> str:
        longest = max((p for p in prefixes if f"{path}/".startswith(f"{p.rstrip('/')}/")), key=len)
        return exact.get(path, prefixes[longest])

    for _, path in requests_of_the_service():
        kept = location_of(path).has("proxy_pass $models")
        assert service_of(path) == ("deltawire-models" if kept else "deltawire"), path
    again, once = (
        resources()[name]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-next-upstream"]
        for name in ("ingress.yaml", "ingress-models.yaml")
    )
    assert (again, once) == ("error", "off")


@pytest.mark.parametrize("name", ["deployment.yaml", "statefulset.yaml"])
def test_a_pod_is_confined_and_has_time_to_stop(name: str) -> None:
    pod = resources()[name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] and security["capabilities"] == {"drop": ["ALL"]}
    environ = {variable["name"]: variable["value"] for variable in container["env"]}
    drains = float(environ["DELTAWIRE_DRAIN_SECONDS"])
    assert pod["terminationGracePeriodSeconds"] > drains + Settings().deadline_seconds + 2
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe")} == {"/livez"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    probed = container["readinessProbe"]["periodSeconds"] * container["readinessProbe"]["failureThreshold"]
    assert drains > probed  # it is out of the service before it stops


def test_containers_of_the_stack_are_confined() -> None:
    stack = yaml.safe_load((ROOT / "compose.yaml").read_text())
    for service in stack["services"].values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["mem_limit"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
    for name in ("service", "models"):
        assert list(stack["services"][name]["networks"]) == ["inside"]
        assert name == "models" or "volumes" not in stack["services"][name]
    assert stack["networks"]["inside"]["internal"]
    keeps = stack["services"]["models"]
    assert keeps["volumes"] == [f"models:{keeps['environment']['DELTAWIRE_DATA_DIR']}"]
    assert "models" in stack["volumes"]


def test_the_image_has_a_folder_for_models_that_its_user_can_write() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\d+):\1$", dockerfile, re.MULTILINE)
    assert f"install -d -m 0700 -o {user} -g {user} /data" in dockerfile


def test_the_image_is_built_of_the_python_packages_alone() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    packages = set(wheel["packages"])
    assert "client/deltawire" in allowed & packages and "client" not in allowed
    copied = re.findall(r"^COPY (\S+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert all(any(f"{package}/".startswith(f"{folder}/") for folder in copied) for package in packages)
    assert "client" not in copied


@pytest.mark.parametrize("folder", ["client/typescript", "tools/javascript"])
def test_a_lockfile_of_npm_names_no_registry(folder: str) -> None:
    """Whoever installs it uses the registry that npm is configured for."""
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 10
    assert all(package["integrity"] and package["dev"] for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]
