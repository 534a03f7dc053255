"""
The files of deploy/ are checked by the programs that they are for, if this machine has them.

hadolint is one of the development packages. systemd-analyze, nginx, caddy, kubectl and promtool are used if they are
installed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sfcode.relay.metrics import Metrics
from sfcode.relay.settings import DATABASE

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
SERVICE = DEPLOY / "sfcode-relay.service"


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def load(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def test_hadolint_finds_nothing_in_the_containerfile():
    result = run(Path(sys.executable).with_name("hadolint"), DEPLOY / "Containerfile")
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@needs("systemd-analyze")
def test_systemd_reads_the_unit(tmp_path):
    unit = tmp_path / SERVICE.name
    program = shutil.which("true") or "true"
    unit.write_text(SERVICE.read_text(encoding="utf-8").replace("/opt/sfcode/bin/sfcode", program), encoding="utf-8")
    result = run("systemd-analyze", "verify", "--man=no", unit)
    assert unit.name not in result.stderr, result.stderr
    assert result.returncode == 0, result.stderr


@needs("nginx")
def test_nginx_reads_its_configuration(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ("-subj", "/CN=relay.example.com", "-days", "1", "-nodes", "-keyout", key, "-out", certificate)
    assert run("openssl", "req", "-x509", "-newkey", "rsa:2048", *names).returncode == 0
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    site = re.sub(r"(ssl_certificate) \S+;", rf"\1 {certificate};", site, count=1)
    site = re.sub(r"(ssl_certificate_key) \S+;", rf"\1 {key};", site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)  # nginx creates them
    full_configuration = tmp_path / "nginx.conf"
    full_configuration.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}{site}}}\n",
        encoding="utf-8",
    )
    result = run("nginx", "-t", "-p", tmp_path, "-c", full_configuration)
    assert result.returncode == 0, result.stderr


@needs("caddy")
def test_caddy_reads_its_configuration():
    result = run("caddy", "adapt", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile", "--validate")
    assert result.returncode == 0, result.stderr
    assert "warn" not in result.stderr.lower()


@needs("kubectl")
def test_kustomize_builds_the_manifests(tmp_path):
    shutil.copytree(DEPLOY / "kubernetes", tmp_path / "kubernetes")
    shutil.copytree(ROOT / "config", tmp_path / "kubernetes/config")
    result = run("kubectl", "kustomize", tmp_path / "kubernetes")
    assert result.returncode == 0, result.stderr
    kinds = [manifest["kind"] for manifest in yaml.safe_load_all(result.stdout)]
    assert sorted(kinds) == ["ConfigMap", "ConfigMap", "Deployment", "PodDisruptionBudget", "Service"]


def test_the_manifests_mount_every_file_of_the_project_and_name_what_is_there():
    kustomization = load("kubernetes/kustomization.yaml")
    deployment, service, budget = yaml.safe_load_all((DEPLOY / "kubernetes/relay.yaml").read_text(encoding="utf-8"))
    pod = deployment["spec"]["template"]
    files = {
        generator["name"]: [entry.partition("=")[0] for entry in generator["files"]]
        for generator in kustomization["configMapGenerator"]
    }
    mounted = {
        source["configMap"]["name"]: {item["key"]: item["path"] for item in source["configMap"].get("items", ())}
        for source in pod["spec"]["volumes"][0]["projected"]["sources"]
    }
    assert mounted.keys() == files.keys()
    assert sorted(mounted["sfcode-mappings"]) == sorted(files["sfcode-mappings"])
    assert mounted["sfcode-mappings"] == {name: f"mappings/{name}" for name in mounted["sfcode-mappings"]}
    assert sorted(files["sfcode-config"]) == ["events.yaml", "sfcode.yaml"]
    labels = pod["metadata"]["labels"]
    assert labels == service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"]
    assert labels == deployment["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("seconds", [75])
def test_everything_waits_for_a_relay_to_end_as_long_as_a_lease_lasts(seconds):
    deployment = next(yaml.safe_load_all((DEPLOY / "kubernetes/relay.yaml").read_text(encoding="utf-8")))
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == seconds
    assert load("compose.yaml")["services"]["relay"]["stop_grace_period"] == f"{seconds}s"
    assert f"TimeoutStopSec={seconds}" in SERVICE.read_text(encoding="utf-8")


def test_every_variable_is_one_that_the_documentation_explains():
    documented = "".join(
        (ROOT / f"docs/{page}").read_text(encoding="utf-8") for page in ("relay.md", "reference/sign-in.md")
    )
    names = re.findall(r"^([A-Z_]+)=", (DEPLOY / "relay.env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert DATABASE in names
    assert [name for name in names if name.removeprefix("PROD_") not in documented and name != "SFCODE_ENV"] == []


def test_the_health_check_of_the_image_asks_the_port_that_is_served():
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    (check,) = re.findall(r"CMD (\[\"python\".*\])", text)
    assert "http://127.0.0.1:8400/healthz" in json.loads(check)[2]
    assert "EXPOSE 8400" in text
    assert text.rstrip().endswith('CMD ["relay", "serve", "--host", "0.0.0.0"]')


def test_no_secret_has_a_value():
    for line in (DEPLOY / "relay.env.example").read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#") and re.search("SECRET|TOKEN|KEY|CLIENT", name):
            assert value == "", name


PROMETHEUS = DEPLOY / "prometheus"


@needs("promtool")
def test_prometheus_reads_the_rules_and_each_alert_fires_when_it_should():
    check = run("promtool", "check", "rules", PROMETHEUS / "sfcode-relay.rules.yml")
    assert check.returncode == 0, check.stdout + check.stderr
    tests = run("promtool", "test", "rules", "sfcode-relay.test.yml", cwd=PROMETHEUS)
    assert tests.returncode == 0, tests.stdout + tests.stderr


def test_every_alert_is_tested_both_ways():
    alerts = {rule["alert"] for rule in load("prometheus/sfcode-relay.rules.yml")["groups"][0]["rules"]}
    quiet, loud = load("prometheus/sfcode-relay.test.yml")["tests"]
    assert {test["alertname"] for test in quiet["alert_rule_test"]} == alerts
    assert {sample["labels"][12:-2] for sample in loud["promql_expr_test"][0]["exp_samples"]} == alerts


@pytest.mark.parametrize("path", ["prometheus/sfcode-relay.rules.yml", "grafana/sfcode-relay.json"])
def test_alerts_and_panels_ask_for_metrics_and_labels_that_the_relay_has(path):
    families = list(Metrics().registry.collect())
    labels = {label for metric in vars(Metrics()).values() for label in getattr(metric, "_labelnames", ())}
    text = (DEPLOY / path).read_text(encoding="utf-8")
    metric_names = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in re.findall(r"sfcode_relay_\w+", text)}
    assert len(metric_names) > 8
    assert metric_names - {family.name for family in families} == set()
    grouped = {name for group in re.findall(r"by \(([\w, ]+)\)", text) for name in group.split(", ")}
    matched = set(re.findall(r"(?:\{|, )(\w+)[=!~]+\\?\"", text))
    assert (grouped | matched) - labels == ({"job", "instance", "le"} if path.endswith("yml") else {"le"})


def panel_queries() -> list[str]:
    """Return the queries of all panels, with a fixed range instead of Grafana's variable."""
    panels = json.loads((DEPLOY / "grafana/sfcode-relay.json").read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"].replace("$__rate_interval", "5m") for panel in panels for target in panel["targets"]]
    assert len(queries) > 20
    assert "$" not in "".join(queries)
    return queries


@needs("promtool")
def test_prometheus_reads_the_queries_of_the_panels(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(panel_queries())]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    check = run("promtool", "check", "rules", file)
    assert check.returncode == 0, check.stdout + check.stderr


def test_each_query_of_a_panel_groups_by_labels_of_its_own_metric():
    metrics = [metric for metric in vars(Metrics()).values() if hasattr(metric, "_labelnames")]
    labels = {family.name: set(metric._labelnames) for metric in metrics for family in metric.collect()}
    for query in panel_queries():
        names = {re.sub(r"_(total|bucket)$", "", name) for name in re.findall(r"sfcode_relay_\w+", query)}
        known_labels = set().union(*(labels[name] for name in names)) | ({"le"} if "_bucket" in query else set())
        grouped = {label for group in re.findall(r"by \(([\w, ]+)\)", query) for label in group.split(", ")}
        assert grouped <= known_labels, query


def test_the_panels_of_the_dashboard_do_not_overlap():
    dashboard = json.loads((DEPLOY / "grafana/sfcode-relay.json").read_text(encoding="utf-8"))
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
