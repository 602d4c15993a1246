"""The command: see --help."""
import argparse
import collections
import signal
import sys
import time

from . import features as features_, minimise, peer, runner, sequences


def parse_args():
    p = argparse.ArgumentParser(prog="tests/differential/run", description=__doc__,
                                epilog="Switches: " + "; ".join(f"{n}: {w}" for n,
                                                                w in sorted(sequences.SWITCHES.items())))
    p.add_argument("--seed", default=None, help="any word; printed when not given")
    p.add_argument("--sequences", type=int, default=None, help="how many; 500 unless --minutes is given")
    p.add_argument("--minutes", type=float, default=None, help="how long")
    p.add_argument("--first", type=int, default=0,
                   help="number of the first sequence: repeats one of a seed with --sequences 1")
    p.add_argument("--with", dest="extra", action="append", default=[], choices=sorted(sequences.SWITCHES),
                   help="generates this too")
    p.add_argument("--without", action="append", default=[], choices=sorted(sequences.SWITCHES),
                   help="leaves this out")
    p.add_argument("--max-failures", type=int, default=10, help="ends after so many classes of disagreement")
    p.add_argument("--replicas", type=int, default=1, help="so many of ours over the PostgreSQL of --url; each request goes to any of them")
    p.add_argument("--url", help="of a PostgreSQL, for --replicas; it may be written to")
    p.add_argument("--verbose", action="store_true", help="prints every step")
    args = p.parse_args()
    if args.seed is None:
        args.seed = str(int(time.time()))
    if (args.replicas > 1) != (args.url is not None):
        p.error("--replicas and --url need each other")
    if args.sequences is None and args.minutes is None:
        args.sequences = 500
    return args


class Report:
    def __init__(self, args):
        self.args = args
        self.sequences = self.steps = self.applied = self.refused = 0
        self.early = collections.Counter()
        self.classes = collections.Counter()

    def add(self, outcome):
        self.sequences += 1
        self.steps += outcome.at + 1
        self.applied += outcome.applied
        self.refused += outcome.refused
        if outcome.ended_early:
            self.early[outcome.ended_early] += 1

    def failure(self, index, steps, found):
        print(f"\nDISAGREEMENT {found.what}\n  repeat: --seed {self.args.seed} --first {index} --sequences 1")
        for step in steps:
            print(f"    {step}")
        print(f"  {found}", flush=True)

    def summary(self, seconds, excused):
        print(f"\n{self.sequences} sequences of seed {self.args.seed}, {self.steps} steps in {seconds:.0f} s: "
              f"{self.applied} applied and {self.refused} refused by both.")
        for reason, n in self.early.most_common():
            print(f"  {n} ended at an allowed difference: {' '.join(reason.split())}")
        for reason, n in excused.most_common():
            print(f"  {n} families of scrapes were allowed to differ: {' '.join(reason.split())}")
        for what, n in self.classes.most_common():
            print(f"  {n} DISAGREE: {what}")


def run(args, pair, features, switches):
    report = Report(args)
    begin = time.monotonic()
    index = args.first
    while args.sequences is None or index < args.first + args.sequences:
        if args.minutes is not None and time.monotonic() - begin > args.minutes * 60:
            break
        steps = sequences.generate(f"{args.seed}/{index}", features, switches)
        if args.verbose:
            print("\n".join(f"{index}: {step}" for step in steps), flush=True)
        outcome = pair.run(steps)
        report.add(outcome)
        if outcome.disagreement:
            what = outcome.disagreement.what
            report.classes[what] += 1
            if report.classes[what] <= 2:
                small = minimise.Minimiser(pair, what, features).sequence(steps[:outcome.at + 1])
                report.failure(index, small, pair.run(small).disagreement or outcome.disagreement)
            if len(report.classes) >= args.max_failures:
                break
        index += 1
    report.summary(time.monotonic() - begin, pair.excused)
    return 1 if report.classes else 0


def main():
    args = parse_args()
    # SIGTERM raises SystemExit, so that the gateways are ended, too.
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(128 + signal.SIGTERM))
    switches = (sequences.DEFAULT | set(args.extra)) - set(args.without)
    flags = [flag for name in sorted(switches) for flag in sequences.FLAGS.get(name, [])]
    try:
        go = peer.Gateway("the Go gateway", peer.find_go(), flags)
        ours = (peer.Replicas("ours", peer.find_ours(), args.url, args.replicas, args.seed, flags) if args.url
                else peer.Gateway("ours", peer.find_ours(), flags))
        pair = runner.Pair(go, ours)
        try:
            pair.start()
            features = features_.of(go)
            print(f"{peer.version_of(go.program)}: {', '.join(sorted(features)) or 'no newer features'}")
            print(peer.version_of(ours.program))
            print(f"seed {args.seed}, with {', '.join(sorted(switches)) or 'nothing optional'}", flush=True)
            return run(args, pair, features, switches)
        finally:
            pair.stop()
    except peer.Failed as failed:
        print(f"tests/differential/run: {failed}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
