"""Is there an order of what clients did and saw that one machine could have done? Checked group by group, for a value that each write replaces,
and that no other write has, unless it takes the group away.

Of each operation it is known when it began and when it ended; it has taken effect at one moment in between, or, if nobody knows what became
of it, at any moment after it began, or never. The search is Wing and Gong's, with Lowe's memory of what was tried (Horn and Kroening 2015)."""
import math
from dataclasses import dataclass, replace


@dataclass
class Op:
    begin: float
    end: float  # math.inf: the answer was no answer
    write: bool
    value: object  # None: there is no group

    @property
    def certain(self):
        return self.end != math.inf


def _known(history):
    """A push of unknown fate has taken effect before the first answer that shows it; if none does, it might as well never have."""
    first = {}
    for op in history:
        if not op.write:
            first[op.value] = min(op.end, first.get(op.value, math.inf))
    for op in history:
        if op.certain or (op.write and op.value is None):
            yield op
        elif op.write and op.value in first:
            yield replace(op, end=first[op.value])


def is_linearizable(history):
    """history: Ops on one group, which is not there at first."""
    ops = sorted(_known(history), key=lambda op: op.begin)
    wanted = sum(1 << i for i, op in enumerate(ops) if op.certain)
    tried = set()
    stack = [(0, None)]  # which of them have taken effect, and the value then
    while stack:
        done, value = state = stack.pop()
        if done & wanted == wanted:
            return True
        if state in tried:
            continue
        tried.add(state)
        # None can come before one that had ended when it began.
        limit = min(op.end for i, op in enumerate(ops) if not done >> i & 1)
        for i, op in enumerate(ops):
            if op.begin > limit:
                break
            if done >> i & 1 or not (op.write or op.value == value):
                continue
            stack.append((done | 1 << i, op.value if op.write else value))
    return False
