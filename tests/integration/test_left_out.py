"""What is left out, as it contradicts what others have, stays so until that has gone; a restart makes no difference."""
import contextlib
import subprocess

from exposition import scrape
from gateway import BINARY, Gateway, eventually, parse_logfmt
from old_database import contradicting_database
from postgresql_server import schema

OLD, NEW = 'clash{instance="",job="old"} 1', 'clash{instance="",job="new"} 2'
LEFT_OUT = "pushgateway_database_left_out_families"


def clashing(g):
    return [x for x in scrape(g).foreign() if x.startswith("clash")]


def left_out(g):
    """Where several gateways share a log, the metric says whose it is."""
    return [value for (name, _), value in scrape(g).samples.items() if name == LEFT_OUT]


def test_it_is_shown_when_what_it_contradicts_has_gone(database):
    contradicting_database(database)
    with Gateway(database=database) as g:
        assert clashing(g) == [NEW]
        g.kill()
    with Gateway(database=database) as g:
        assert clashing(g) == [NEW]
        pushed = scrape(g).get("push_time_seconds", job="old", instance="")
        assert g.delete("new").status == 202
        eventually(lambda: clashing(g) == [OLD], "what was left out is shown")
        line = parse_logfmt(g.wait_for_line("what stored families contradicted has gone"))
        assert line["families"] == "1" and line["which"] == '"clash" of {instance="",job="old"}'
        assert left_out(g) == [0]
        assert scrape(g).get("push_time_seconds", job="old", instance="") == pushed
        # Now it is in the way of others, like all that is shown.
        r = g.put("new", "# TYPE clash counter\nclash 3\n")
        assert r.status == 400 and 'group {job="old"} has it as' in r.text
        before = scrape(g).kept()
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).kept() == before and left_out(g) == [0]


def test_of_the_others_nothing_goes(database):
    """That the newest has gone makes no difference to what is shown beside it."""
    contradicting_database(database)
    with Gateway(database=database) as g:
        assert g.put("third", "# TYPE clash gauge\nclash 3\n").status == 400
        assert g.put("third", "# TYPE clash counter\nclash 3\n").status == 200
        assert g.delete("new").status == 202
        before = scrape(g).kept()
        assert clashing(g) == ['clash{instance="",job="third"} 3'] and left_out(g) == [1]
        g.kill()
    with Gateway(database=database) as g:
        assert scrape(g).kept() == before and left_out(g) == [1]


def test_with_several_gateways(database, postgresql):
    contradicting_database(database)
    name = schema()
    subprocess.run([BINARY, "copy", "--from", database, "--to", postgresql.url, "--to-schema", name], check=True, stdout=subprocess.DEVNULL)
    with contextlib.ExitStack() as stack:
        gws = [stack.enter_context(Gateway(f"--persistence.url={postgresql.url}", f"--persistence.schema={name}", database=None)) for _ in range(2)]
        for g in gws:
            assert (clashing(g), left_out(g)) == ([NEW], [1])
        assert gws[0].delete("new").status == 202
        for g in gws:
            eventually(lambda g=g: clashing(g) == [OLD] and left_out(g) == [0], "what was left out is shown")
        assert gws[1].delete("old").status == 202
        for g in gws:
            eventually(lambda g=g: clashing(g) == [], "it is deleted")
