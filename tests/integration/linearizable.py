"""Is there an order in which a single gateway could have done what clients did and saw? This is checked group by group. Each write of a group replaces
its value by one that no other write has, or deletes the group.

For each operation it is known when it began and when it ended. It has taken effect at one moment in between, or, if its outcome is not known,
at any moment after it began, or never. The search is Wing and Gong's, with Lowe's memory of what was tried (Horn and Kroening 2015)."""
import math
from dataclasses import dataclass, replace


@dataclass
class Op:
    begin: float
    end: float  # math.inf: the outcome is not known
    write: bool
    value: object  # None: there is no group

    @property
    def certain(self):
        return self.end != math.inf


def _known(history):
    """A push of unknown outcome has taken effect before the first answer that shows it; if no answer does, it counts as never done."""
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
    stack = [(0, None)]  # bits of the operations that have taken effect, and the value then
    while stack:
        done, value = state = stack.pop()
        if done & wanted == wanted:
            return True
        if state in tried:
            continue
        tried.add(state)
        # No operation comes before one that had ended when it began.
        limit = min(op.end for i, op in enumerate(ops) if not done >> i & 1)
        for i, op in enumerate(ops):
            if op.begin > limit:
                break
            if done >> i & 1 or not (op.write or op.value == value):
                continue
            stack.append((done | 1 << i, op.value if op.write else value))
    return False
