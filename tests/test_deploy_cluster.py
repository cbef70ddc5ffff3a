"""What stands around a service with workers is true of it: compose.cluster.yaml, the manifests, the image."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deltawire_service.cluster.addresses import check_address
from deltawire_service.environment import PREFIX
from deltawire_service.settings import Settings

ROOT = Path(__file__).parents[1]
BASE = ROOT / "deploy" / "kubernetes"
MANIFESTS = ROOT / "deploy" / "kubernetes-cluster"
STACK = yaml.safe_load((ROOT / "compose.cluster.yaml").read_text())
KUSTOMIZATION = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())
TLS = "DASK_DISTRIBUTED__COMM__TLS__"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


OWN = {name: read(MANIFESTS / name) for name in KUSTOMIZATION["resources"] if name.endswith(".yaml")}
PATCH = read(MANIFESTS / "statefulset-patch.yaml")
STATEFUL = read(BASE / "statefulset.yaml")


def pod_of(resource: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resource["spec"]["template"]
    return found


def merged(base: list[dict[str, Any]], patch: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Two lists of a strategic merge patch, whose entries have a key."""
    changes = {each[key]: each for each in patch}
    return [each | changes.pop(each[key], {}) for each in base] + list(changes.values())


def patched() -> dict[str, Any]:
    """The StatefulSet as kustomize makes it of the base and the patch."""
    pod, changes = pod_of(STATEFUL)["spec"], pod_of(PATCH)["spec"]
    (container,), (change,) = pod["containers"], changes["containers"]
    assert container["name"] == change["name"]
    container = {
        **container,
        **change,
        "env": merged(container["env"], change["env"], "name"),
        "volumeMounts": merged(container["volumeMounts"], change["volumeMounts"], "mountPath"),
    }
    volumes = merged(pod["volumes"], changes["volumes"], "name")
    spec = {**pod, "containers": [container], "volumes": volumes}
    template = {**pod_of(STATEFUL), "spec": spec}
    return {**STATEFUL, "spec": {**STATEFUL["spec"], "template": template}}


RESOURCES = OWN | {"statefulset.yaml": patched()}
PODS = {
    name: pod_of(resource)
    for name, resource in RESOURCES.items()
    if resource["kind"] in ("Deployment", "StatefulSet")
}


@pytest.mark.parametrize("name", RESOURCES)
def test_a_manifest_is_valid_strictly(name: str) -> None:
    for version in ("1.31", "1.34"):
        kubernetes_validate.validate(RESOURCES[name], version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(RESOURCES[name] | {"specs": {}}, "1.34", strict=True)


def test_all_manifests_are_applied_beside_the_base() -> None:
    others = {"kustomization.yaml", "statefulset-patch.yaml"}
    assert {path.name for path in MANIFESTS.iterdir()} == OWN.keys() | others
    assert (MANIFESTS / KUSTOMIZATION["resources"][0]).resolve() == BASE
    assert KUSTOMIZATION["patches"] == [{"path": "statefulset-patch.yaml"}]
    for key in ("apiVersion", "kind"):
        assert PATCH[key] == STATEFUL[key]
    assert PATCH["metadata"]["name"] == STATEFUL["metadata"]["name"]
    base = read(BASE / "kustomization.yaml")
    assert KUSTOMIZATION["namespace"] == base["namespace"]
    (image,), (own,) = base["images"], KUSTOMIZATION["images"]
    assert (own["name"], own["newTag"]) == (image["newName"], image["newTag"])
    assert own["newName"] == STACK["services"]["service"]["image"]


def labels(name: str) -> dict[str, str]:
    found: dict[str, str] = PODS[name]["metadata"]["labels"]
    return found


def test_a_selector_finds_its_own_pods_alone() -> None:
    selectors = {
        name: OWN[name]["spec"]["selector"]["matchLabels"] for name in ("scheduler.yaml", "workers.yaml")
    }
    selectors["service-scheduler.yaml"] = OWN["service-scheduler.yaml"]["spec"]["selector"]
    for name in ("network-scheduler.yaml", "network-workers.yaml"):
        selectors[name] = OWN[name]["spec"]["podSelector"]["matchLabels"]
    for name, selector in selectors.items():
        (own,) = (pod for pod in PODS if labels(pod).items() >= selector.items())
        assert own == ("workers.yaml" if "workers" in name else "scheduler.yaml")
    for name in ("service.yaml", "service-models.yaml"):  # no request goes to a scheduler or a worker
        selector = read(BASE / name)["spec"]["selector"]
        assert [pod for pod in PODS if labels(pod).items() >= selector.items()] == ["statefulset.yaml"]


def allowed(rules: list[dict[str, Any]], side: str) -> dict[str, list[Any]]:
    """The pods that rules of a policy let through, with their ports; all ports where there are none."""
    found = dict[str, list[Any]]()
    for rule in rules:
        for peer in rule[side]:
            if "podSelector" not in peer:
                assert {port["port"] for port in rule["ports"]} == {53}
                continue
            selector = peer["podSelector"]["matchLabels"]
            for pod in PODS:
                if labels(pod).items() >= selector.items():
                    found[pod] = [port["port"] for port in rule.get("ports", [])]
    return found


def test_policies_let_through_what_dask_needs_and_nothing_else() -> None:
    scheduler, workers = (OWN[name]["spec"] for name in ("network-scheduler.yaml", "network-workers.yaml"))
    for policy in (scheduler, workers):
        assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert allowed(scheduler["ingress"], "from") == {"statefulset.yaml": ["dask"], "workers.yaml": ["dask"]}
    assert allowed(scheduler["egress"], "to") == {"workers.yaml": []}
    assert allowed(workers["ingress"], "from") == {"scheduler.yaml": [], "workers.yaml": []}
    assert allowed(workers["egress"], "to") == {
        "scheduler.yaml": [], "workers.yaml": [], "statefulset.yaml": ["http"]
    }  # fmt: skip
    ports = {
        port["name"]: port["containerPort"]
        for port in PODS["scheduler.yaml"]["spec"]["containers"][0]["ports"]
    }
    assert ports == {"dask": 8786, "health": 8787}


def variables(container: dict[str, Any]) -> dict[str, str]:
    """The environment of a container, with that of the ConfigMap."""
    (source,) = container["envFrom"]
    config = OWN["configmap.yaml"]
    assert source["configMapRef"]["name"] == config["metadata"]["name"]
    return config["data"] | {each["name"]: each["value"] for each in container.get("env", [])}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_confined_and_speaks_tls_alone(name: str) -> None:
    pod = PODS[name]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsUser"] == 10001
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] and security["capabilities"] == {"drop": ["ALL"]}
    assert not security["allowPrivilegeEscalation"] and container["resources"]["limits"]["memory"]
    environ = variables(container)
    assert environ["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
    (mount,) = (each for each in container["volumeMounts"] if each["mountPath"] == "/etc/dask")
    (volume,) = (each for each in pod["volumes"] if each["name"] == mount["name"])
    assert volume["secret"] == {"secretName": "deltawire-dask", "defaultMode": 0o440} and mount["readOnly"]
    files = {path for variable, path in environ.items() if variable.startswith(TLS)}
    assert files == {"/etc/dask/tls.crt", "/etc/dask/tls.key"}


def test_service_and_workers_find_the_scheduler() -> None:
    (worker,), (service,) = (
        PODS[name]["spec"]["containers"] for name in ("workers.yaml", "statefulset.yaml")
    )
    address = OWN["service-scheduler.yaml"]["metadata"]["name"]
    settings = {
        k.removeprefix(PREFIX).lower(): v for k, v in variables(service).items() if k.startswith(PREFIX)
    }
    for found in (worker["command"][-1], settings["dask"]):
        check_address(found)
        assert found == f"tls://{address}:8786"
    assert settings["cluster_url"] == f"http://{read(BASE / 'service-models.yaml')['metadata']['name']}"
    assert settings["data_dir"]
    compose = STACK["services"]
    check_address(compose["service"]["environment"]["DELTAWIRE_DASK"])
    assert compose["worker"]["command"].split()[-1] == compose["service"]["environment"]["DELTAWIRE_DASK"]


def test_what_is_set_exists() -> None:
    known = {PREFIX + each.name.upper() for each in fields(Settings)}
    (service,) = PODS["statefulset.yaml"]["spec"]["containers"]
    environs = [each.get("environment", {}) for each in STACK["services"].values()]
    for environ in (*environs, variables(service)):
        assert {name for name in environ if name.startswith(PREFIX)} <= known


def test_containers_of_the_stack_are_confined_and_speak_tls_alone() -> None:
    services = STACK["services"]
    for name, service in services.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["mem_limit"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert [port.startswith("127.0.0.1:") for port in service.get("ports", [])] == [True] * (
            name == "service"
        )
        if name != "certificates":
            assert service["environment"]["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
            assert "certificates:/certificates:ro" in service["volumes"]
            assert (name == "service") == ("outside" in service["networks"])
    assert services["certificates"]["network_mode"] == "none"
    assert STACK["networks"]["inside"]["internal"]
    for environ in (services["worker"]["environment"], OWN["configmap.yaml"]["data"]):
        roles = {name.removeprefix(TLS) for name in environ if name.startswith(TLS)}
        pairs = {f"{role}__{part}" for role in ("CLIENT", "SCHEDULER", "WORKER") for part in ("CERT", "KEY")}
        assert roles == {"CA_FILE"} | pairs


def test_the_image_has_the_extra_and_the_command_of_dask() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^ARG EXTRA=service$", dockerfile, re.M) and '".[$EXTRA]"' in dockerfile
    assert "! -name dask" in dockerfile
    assert all(each["build"]["args"] == {"EXTRA": "cluster"} for each in STACK["services"].values())
