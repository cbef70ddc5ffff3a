"""What stands around the service is true of it: the proxy's limits and problems, the manifests."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deltawire.errors import Fault
from deltawire_service.http.problem_codes import PROBLEMS
from deltawire_service.http.problems import document
from deltawire_service.settings import Settings

ROOT = Path(__file__).parents[1]
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()
MANIFESTS = ROOT / "deploy" / "kubernetes"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def setting(name: str) -> str:
    (value,) = re.findall(rf"^\s*{name} ([^;]+);", NGINX, re.MULTILINE)
    return str(value)


def mapped(variable: str) -> dict[str, str]:
    """What a map of nginx gives for each problem."""
    (block,) = re.findall(rf"map \$problem \${variable} {{(.*?)\n    }}", NGINX, re.DOTALL)
    return dict(re.findall(r'^\s+(\w+)\s+"([^"]+)";', block, re.MULTILINE))


def test_the_proxy_takes_as_much_and_waits_as_long_as_the_service() -> None:
    assert int(setting("client_max_body_size")) == Settings().binary_body_bytes
    assert int(setting("proxy_read_timeout").rstrip("s")) > Settings().deadline_seconds + 2


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


def test_all_manifests_are_applied_and_select_the_same_pods() -> None:
    customized = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())
    found = resources()
    assert sorted(customized["resources"]) == sorted(found)
    (pairs,) = (labels["pairs"] for labels in customized["labels"])
    pod = found["deployment.yaml"]["spec"]["template"]
    assert pod["metadata"]["labels"].items() >= pairs.items()
    assert found["service.yaml"]["spec"]["selector"] == pairs
    assert found["disruption.yaml"]["spec"]["selector"]["matchLabels"] == pairs
    assert (
        found["scaling.yaml"]["spec"]["scaleTargetRef"]["name"]
        == found["deployment.yaml"]["metadata"]["name"]
    )


def test_a_pod_is_confined_and_has_time_to_stop() -> None:
    pod = resources()["deployment.yaml"]["spec"]["template"]["spec"]
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
    assert stack["services"]["service"]["networks"] == ["inside"] and stack["networks"]["inside"]["internal"]


def test_the_image_is_built_of_the_python_packages_alone() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    packages = set(wheel["packages"])
    assert "client/deltawire" in allowed & packages and "client" not in allowed
    copied = re.findall(r"^COPY (\S+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert all(any(f"{package}/".startswith(f"{folder}/") for folder in copied) for package in packages)
    assert "client" not in copied


def test_the_lockfile_of_the_typescript_client_names_no_registry() -> None:
    """Whoever installs it uses the registry that npm is configured for."""
    lock = json.loads((ROOT / "client" / "typescript" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 10
    assert all(package["integrity"] and package["dev"] for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]
