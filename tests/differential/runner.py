"""Runs sequences against both gateways."""
import collections
import dataclasses

from . import allowed, canonical, compare
from .endpoints import WIPE
from .peer import Failed
from .step import Step

READS = ("GET", "HEAD", "OPTIONS")


@dataclasses.dataclass
class Outcome:
    at: int  # index of the last step that was sent
    disagreement: object = None
    ended_early: str = None  # the allowed difference after which the two stores differ
    refused: int = 0
    applied: int = 0


class Pair:
    def __init__(self, go, ours):
        self.go, self.ours = go, ours
        self.paths = set()
        self.excused = collections.Counter()  # families of scrapes that were allowed to differ

    def start(self):
        self.go.start()
        self.ours.start()

    def stop(self):
        self.go.stop()
        self.ours.stop()

    def reset(self):
        """Empties both gateways."""
        for gateway in (self.go, self.ours):
            if not self._emptied(gateway):
                gateway.restart()
                if not self._is_empty(gateway):
                    raise Failed(f"{gateway.name} is not empty after its start:\n{gateway.scrape()}")
        self.paths.clear()

    def _emptied(self, gateway):
        if gateway.ended():
            return False
        for path in sorted(self.paths):
            gateway.send(Step("DELETE", path))
        return gateway.barrier() == 200 and self._is_empty(gateway)

    @staticmethod
    def _is_empty(gateway):
        try:
            return not canonical.canonical(gateway.scrape())
        except canonical.Broken:
            return False

    def _send(self, step):
        # A raw request pushes to the group that its path names.
        if step.raw or step.method in ("PUT", "POST"):
            self.paths.add(step.path)
        replies = self.go.send(step), self.ours.send(step)
        if step.method == "DELETE" or step.path == WIPE:
            # The Go gateway answers before it has applied the step.
            self.go.barrier()
            self.ours.barrier()
        return replies

    def _compare_scrapes(self, case):
        """(disagreement or None, why the sequence ends or None)."""
        go_reply, our_reply = self.go.scrape(), self.ours.scrape()
        try:
            ours = canonical.canonical(our_reply)
        except canonical.Broken as broken:
            return compare.Disagreement("our scrape is broken", go_reply.status, broken), None
        try:
            go = canonical.canonical(go_reply, in_order=False)
        except canonical.Broken as broken:
            # The reply of a broken scrape says what is wrong, which may come from an earlier push.
            said = dataclasses.replace(case, go=go_reply) if go_reply.status != 200 else case
            reason = allowed.find(allowed.POISONS, said)
            if reason:
                return None, reason
            return compare.Disagreement("Go's scrape is broken", broken, our_reply.status), None
        for name, found in compare.scrapes(go, ours):
            reason = allowed.scrape_may_differ(self.go, case, name, found)
            if not reason:
                return found, None
            self.excused[reason] += 1
        return None, None

    def run(self, steps):
        """Runs a sequence from empty gateways, and empties them again."""
        outcome = Outcome(-1)
        try:
            self._run(steps, outcome)
        except Failed as failed:
            outcome.disagreement = compare.Disagreement("a gateway ended", "", "", str(failed))
        self.reset()
        return outcome

    def _run(self, steps, outcome):
        for i, step in enumerate(steps):
            outcome.at = i
            go, ours = self._send(step)
            case = allowed.Case(step, steps[:i], go, ours)
            found = compare.replies(go, ours)
            if found:
                outcome.ended_early = allowed.find(allowed.REPLIES, case)
                if not outcome.ended_early:
                    outcome.disagreement = found
                    return
            elif step.method not in READS or step.raw:
                outcome.refused += go.status >= 400
                outcome.applied += go.status < 300
                outcome.disagreement, outcome.ended_early = self._compare_scrapes(case)
            if outcome.ended_early:
                self._check_ours(outcome)
            if outcome.disagreement or outcome.ended_early:
                return

    def _check_ours(self, outcome):
        """Checks that ours can be scraped, whatever the Go gateway does."""
        try:
            canonical.canonical(self.ours.scrape())
        except canonical.Broken as broken:
            outcome.disagreement = compare.Disagreement("our scrape is broken", outcome.ended_early, broken)
