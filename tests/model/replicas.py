#!/usr/bin/env python3
"""The protocol by which several gateways write to one log in PostgreSQL, explored exhaustively.

Two replicas, three pushes, a scraper that hops, one primary with a synchronous standby. Every order of their steps is tried, with some
faults in between: a replica crashes, a connection is cut before or after COMMIT arrives, a wait for the standby is cancelled, the primary
crashes, the standby is promoted, `tallygate migrate` raises the epoch. In no state may
- a push that was answered 200 be missing, in the log or from a scrape that was asked for after the answer,
- a row of the log hold a verdict that one machine, with the rows before it, would not have given,
- a scrape show less than the one before,
- a push be stored twice,
- the first replica, which is of an older version than the second, apply a row of a kind that it does not know,
- a replica whose memory is the log take it for another one, which would have it load the log again and again.

What a scrape has shown without being acknowledged may go with a promotion: the server shows a row that no standby has after a crash, or
after a cancelled wait. Steps take no time, and whoever gives up may do so at any time: what is promised within a second is not in here.

Each variant leaves out one of the rules, and has to be found: replicas.py runs them all. `--without RULE` shows the shortest way to what
is violated without it, `--faults 3` tries more.
"""
import argparse
import sys
import time
from collections import namedtuple

# ---- what is pushed ----

A1, A2, B = range(3)
NAMES = ("a=1", "a=2, sent after the answer to a=1", "b, which contradicts a")
NEW, SENT, STORED, REFUSED, UNKNOWN = range(5)  # what the client knows

# ok: it was accepted; a refused push is a row, too, since its group has failed. Each push is a batch of its own, and names it.
# new: of a kind that the older version does not know.
Row = namedtuple("Row", "push ok new", defaults=(False,))
GAP = Row(-1, False)  # one that was not read


def verdict(rows, push):
    """Of one machine that has these rows: a and b have the same name and different types."""
    there = {r.push for r in rows if r.ok}
    return not there & {A1, A2} if push == B else B not in there


def value(rows):
    return max((r.push + 1 for r in rows if r.ok and r.push != B), default=0)


# ---- the state ----

# log: all rows, of which those up to `trimmed` are read as what they have come to, and those up to `safe` are on the standby.
# lock: who has it; waiting: what is not visible yet, as its COMMIT waits for the standby: the last row, or a change of the head alone.
# lost: rows that have gone with a promotion. shown: by the last scrape. faults: how many there may still be.
# raised: the epoch is.
State = namedtuple("State", "log trimmed safe lock waiting replicas clients lost shown raised faults")
# seen: rows that are applied, in order; doing: (phase, push, what it has to know: how long the log was when it began to wait, if that counts).
Replica = namedtuple("Replica", "seen doing")
IDLE = ("idle", -1, ())
STOPPED = ("stopped", -1, ())  # it has to be upgraded
OLDER, NEWER = range(2)


def start(faults):
    return State((), 0, 0, None, None, (Replica((), IDLE),) * 2, (NEW,) * 3, frozenset(), 0, False, faults)


RULES = {
    "snapshot after the lock": "rows are read by a statement of their own, not by the one that waits for the lock",
    "own commit": "a batch of unknown outcome is there only when a commit of our own has succeeded behind it",
    "look under the lock": "whether a batch of unknown outcome is there is asked under the lock",
    "row seen": "the newest row that is applied is read again, and has to be the same",
    "gap": "a replica notices that rows were trimmed before it has applied them",
    "last row": "trimming leaves the last row",
    "young rows": "trimming leaves rows whose outcome somebody may still be asking for",
    "ask": "a scrape asks for the newest row of the log, and waits until it is applied",
    "ask for the row": "it waits for that row, not for any of its number",
    "notice": "a COMMIT with a notice is of unknown outcome",
    "migrate first": "rows of a new kind are written when the epoch has been raised",
    "epoch": "the epoch is read with every lock and every follow",
    "commit first": "rows are applied when they are committed, not when they are sent",
}


class Violation(Exception):
    pass


def demand(condition, what):
    if not condition:
        raise Violation(what)


# ---- the database ----

def visible(s):
    return s.log[:-1] if s.waiting == "row" else s.log


def acknowledged(s):
    return frozenset(p for p, c in enumerate(s.clients) if c in (STORED, REFUSED))


def check(s):
    pushes = [r.push for r in s.log]
    demand(len(set(pushes)) == len(pushes), "a push is stored twice")
    demand(acknowledged(s) <= {r.push for r in visible(s)}, "a push that was answered is not in the log")
    for i, r in enumerate(s.log):
        demand(r.ok == verdict(s.log[:i], r.push), "a verdict that one machine would not have given")
    return s


def replica(s, i, **new):
    replicas = list(s.replicas)
    replicas[i] = replicas[i]._replace(**new)
    return s._replace(replicas=tuple(replicas))


def client(s, push, status):
    clients = list(s.clients)
    clients[push] = status
    return s._replace(clients=tuple(clients))


def fault(s):
    """The state with one more fault; None: there have been enough."""
    return s._replace(faults=s.faults - 1) if s.faults else None


def disconnect(s):
    """Nobody gets an answer any more to what was sent."""
    for i, r in enumerate(s.replicas):
        if r.doing[0] in ("commit", "confirm"):
            s = replica(s, i, doing=("unknown", *r.doing[1:]))
    return s._replace(lock=None, waiting=None)


# ---- a replica ----

def caught_up(s, i, rules, rows=None):
    """What the replica has applied after reading the rows behind what it has; the others see nothing of that."""
    log = visible(s) if rows is None else rows
    seen = s.replicas[i].seen
    n = len(seen)
    if n == 0:
        same = s.trimmed == 0 or "gap" not in rules
    elif "row seen" in rules:
        same = s.trimmed < n <= len(log) and log[n - 1] == seen[-1]
    else:
        same = s.trimmed <= n <= len(log)
    demand(same or n == 0 or seen != visible(s), "the log is taken for another one, and is not")
    after = seen + (GAP,) * (s.trimmed - n) + log[max(n, s.trimmed):] if same else log
    demand(i != OLDER or not any(r.new for r in after), "a version applies a row of a kind that it does not know")
    return after


def outgrown(s, i, rules):
    return i == OLDER and s.raised and "epoch" in rules


def send(s, i, push, rules, rows=None):
    """Under the lock: catches up, stages, sends COMMIT."""
    seen = caught_up(s, i, rules, rows)
    row = Row(push, verdict(seen, push), i == NEWER and (s.raised or "migrate first" not in rules))
    if "commit first" not in rules:
        seen += (row,)
    s = s._replace(log=s.log + (row,), lock=i, waiting="row")
    return check(replica(s, i, seen=seen, doing=("commit", push, ())))


def answer(s, i, ok):
    return client(replica(s, i, doing=IDLE), s.replicas[i].doing[1], STORED if ok else REFUSED)


def committed(s, i, rules):
    """The answer to COMMIT has come."""
    row = next(r for r in s.log if r.push == s.replicas[i].doing[1])
    if s.replicas[i].doing[0] == "commit" and "commit first" in rules:
        s = replica(s, i, seen=s.replicas[i].seen + (row,))
    return check(answer(s, i, row.ok))


def resolve(s, i, rules):
    """A batch of unknown outcome, under the lock."""
    push = s.replicas[i].doing[1]
    trimmed = s.trimmed if "young rows" not in rules else 0
    found = any(r.push == push for r in visible(s)[trimmed:])
    if not found:
        return send(s, i, push, rules)
    s = replica(s, i, seen=caught_up(s, i, rules))
    if "own commit" not in rules:
        return check(answer(s, i, next(r for r in s.log if r.push == push).ok))
    return replica(s._replace(lock=i, waiting="head"), i, doing=("confirm", push, ()))


def replica_steps(s, i, rules):
    r = s.replicas[i]
    phase, push, length = r.doing
    own_snapshot = "snapshot after the lock" in rules
    if phase == "stopped":
        return
    if phase == "idle":
        for p in range(3):
            if s.clients[p] == NEW and (p != A2 or s.clients[A1] == STORED):
                yield f"is pushed {NAMES[p]}", client(replica(s, i, doing=("waits", p, () if own_snapshot else (len(visible(s)),))), p, SENT)
    if outgrown(s, i, rules) and phase not in ("commit", "confirm") and s.lock is None:
        stops = replica(s, i, doing=STOPPED)
        yield "finds the epoch raised, stops, and answers 503", client(stops, push, UNKNOWN) if push >= 0 else stops
        return
    if phase == "waits" and s.lock is None:
        # The statement's snapshot is as old as the wait.
        rows = None if own_snapshot else visible(s)[:max(*length, len(r.seen))]
        yield "locks, catches up, stages, sends COMMIT", send(s, i, push, rules, rows)
        cut = fault(s)
        if cut:
            yield "loses its connection before COMMIT arrives", replica(cut, i, doing=("unknown", push, ()))
    if phase == "unknown":
        if s.lock is None:
            yield "takes the lock and looks for its batch", resolve(s, i, rules)
        elif "look under the lock" not in rules and not any(x.push == push for x in visible(s)):
            # It is not there yet, which is taken for final: the push is written again.
            yield "looks for its batch without the lock", replica(s, i, doing=("waits", push, ()))
        yield "gives up and answers 503", client(replica(s, i, doing=IDLE), push, UNKNOWN)
    if phase not in ("commit", "confirm") and not outgrown(s, i, rules):
        after = caught_up(s, i, rules)
        if after != r.seen:
            yield "follows the log", replica(s, i, seen=after)
    crash = fault(s)
    if crash:
        # Its transaction is rolled back, unless COMMIT has arrived.
        if push >= 0:
            crash = client(crash, push, UNKNOWN)
        if outgrown(s, i, rules):
            yield "crashes and does not start", replica(crash, i, seen=(), doing=STOPPED)
        else:
            yield "crashes and starts", replica(crash, i, seen=caught_up(replica(s, i, seen=()), i, rules | {"gap"}), doing=IDLE)


# ---- everybody else ----

def server_steps(s, rules):
    if s.waiting:
        done = s._replace(lock=None, waiting=None, safe=len(s.log))
        i = s.lock
        mine = s.replicas[i].doing[0] in ("commit", "confirm")
        yield "the standby confirms", committed(done, i, rules) if mine else check(done)
        cut = fault(s)
        if cut and mine:
            yield "the connection is cut after COMMIT has arrived", replica(cut, i, doing=("unknown", *s.replicas[i].doing[1:]))
        cancelled = fault(s)
        if cancelled:
            cancelled = cancelled._replace(lock=None, waiting=None)
            if mine and "notice" not in rules:
                cancelled = committed(cancelled, i, rules)
            elif mine:
                cancelled = replica(cancelled, i, doing=("unknown", *s.replicas[i].doing[1:]))
            yield "the wait for the standby is cancelled", cancelled
    crash = fault(s)
    if crash:
        yield "the primary crashes, with what it has written", disconnect(crash)
        if s.waiting == "row":
            yield "the primary crashes before it has written it", disconnect(crash)._replace(log=s.log[:-1])
    promotion = fault(s)
    if promotion:
        log, lost = s.log[:s.safe], s.lost | set(visible(s)[s.safe:])
        yield "the standby is promoted", check(disconnect(promotion)._replace(log=log, lost=lost, shown=min(s.shown, value(log))))
    raised = None if s.raised or s.lock is not None else fault(s)
    if raised:
        yield "the epoch is raised", raised._replace(raised=True)
    if s.lock is None and s.trimmed == 0 and s.safe == len(s.log):
        most = len(s.log) - ("last row" in rules)
        if "young rows" in rules:
            asked = {r.doing[1] for r in s.replicas if r.doing[0] == "unknown"}
            most = min([most] + [n for n, row in enumerate(s.log) if row.push in asked])
        for n in range(1, most + 1):
            yield f"{n} rows are trimmed", s._replace(trimmed=n)


def scrape_steps(s, rules):
    """
    Asked for and shown in one step. Whoever has to wait for the row that is the newest one follows the log first, and what it could
    have been asked for before is less.
    """
    log = visible(s)
    n = len(log)
    for i, r in enumerate(s.replicas):
        if r.doing == STOPPED:
            continue
        if "ask" in rules and n > 0 and not (r.seen[n - 1:n] == log[-1:] if "ask for the row" in rules else len(r.seen) >= n):
            continue
        demand(acknowledged(s) <= {row.push for row in r.seen}, "a push that was answered is missing from a scrape")
        demand(value(r.seen) >= s.shown, "a value goes back")
        # What has gone with a promotion, and had not been answered, may go back.
        shown = value([row for row in r.seen if row not in s.lost])
        if shown > s.shown:
            yield f"replica {i + 1} shows a={shown}", s._replace(shown=shown)


def steps(s, rules):
    """(what happens, the state after it); raises Violation."""
    for i in range(2):
        for what, after in replica_steps(s, i, rules):
            yield f"replica {i + 1} {what}", after
    yield from server_steps(s, rules)
    yield from scrape_steps(s, rules)


# ---- exploring ----

class Model:
    def __init__(self, rules, faults):
        self.rules = rules
        self.start = start(faults)
        self.states = 0

    def run(self):
        """None: it holds. Otherwise what is violated, and the shortest way there."""
        before = {self.start: None}
        level = [self.start]
        while level:
            following = []
            for s in level:
                found = steps(s, self.rules)
                while True:
                    try:
                        what, after = next(found)
                    except StopIteration:
                        break
                    except Violation as v:
                        return str(v), self.way(before, s)
                    if after not in before:
                        before[after] = (what, s)
                        following.append(after)
            level = following
            self.states = len(before)
        return None

    @staticmethod
    def way(before, s):
        way = []
        while before[s]:
            what, s = before[s]
            way.append(what)
        return way[::-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--faults", type=int, default=2, help="at most, in one history (2)")
    parser.add_argument("--without", choices=RULES, help="this variant only")
    arguments = parser.parse_args()
    failed = False
    for without in [arguments.without] if arguments.without else [None, *RULES]:
        began = time.monotonic()
        model = Model(frozenset(RULES) - {without}, arguments.faults)
        found = model.run()
        took = f"{time.monotonic() - began:.1f} s"
        if without is None:
            failed |= found is not None
            print(f"with all rules: {'it holds' if found is None else found[0]}, {model.states} states, {took}")
        else:
            failed |= found is None
            print(f"without: {RULES[without]}: {found[0] if found else 'NOTHING is found'}, {took}")
        if found and (without is None or arguments.without):
            print("".join(f"  {n + 1}. {what}\n" for n, what in enumerate([*found[1], found[0]])), end="")
    return failed


if __name__ == "__main__":
    sys.exit(main())
