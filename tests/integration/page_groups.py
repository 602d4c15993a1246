"""Groups for the tests of the page: three of them, ten thousand, and some with odd text."""
import pytest

from gateway import Gateway

THREE = {
    "nightly-backup/instance/db1/region/eu-west": """\
# HELP backup_duration_seconds How long the backup took.
# TYPE backup_duration_seconds gauge
backup_duration_seconds 123.4
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds 1.764142402e+09
# TYPE backup_step_seconds histogram
backup_step_seconds_bucket{step="dump",le="1"} 4
backup_step_seconds_bucket{step="dump",le="+Inf"} 14
backup_step_seconds_sum{step="dump"} 98.2
backup_step_seconds_count{step="dump"} 14
# TYPE backup_rows gauge
""" + "".join(f'backup_rows{{table="t{i}"}} {i}\n' for i in range(9)),
    "nightly-report": "report_pages 6\n",
    "nightly-report/instance/db2/path@base64/L3Zhci9saWI": "report_pages 7\n",
}
# Markup, quotes, controls, an override of the direction, right-to-left text, a very long word.
ODD = ['<img src=x onerror="document.title=1">', "'\"`;$(id)\\", "\u202eabc\u2066", "שלום עולם", "a\nb\tc", "x" * 400, "</td></table>", "&amp;"]


@pytest.fixture
def three(gw):
    for path, body in THREE.items():
        assert gw.put(path, body).status == 200
    return gw


@pytest.fixture(scope="module")
def many():
    """10,000 groups: 100 jobs, 100 groups each; those of job-007 have two series."""
    with Gateway() as g:
        c = g.connect()
        for i in range(10_000):
            body = "a 1\nb 2\n" if i % 100 == 7 else "a 1\n"
            assert g.request("PUT", f"/metrics/job/job-{i % 100:03}/shard/{i // 100:02}", body, connection=c).status == 200
        c.close()
        yield g
