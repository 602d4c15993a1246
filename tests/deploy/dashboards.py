"""The dashboards, read as Grafana would."""
import json

from tools import OBSERVABILITY

FILES = sorted((OBSERVABILITY / "dashboards").glob("*.json"))


def load(file):
    return json.loads(file.read_text())


def queries(dashboard):
    """(title of the panel, expression) of each, with Grafana's variables replaced."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], filled_in(dashboard, target["expr"])


def filled_in(dashboard, expression):
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            expression = expression.replace("$" + variable["name"], variable["allValue"])
    return expression.replace("$__rate_interval", "1m")
