"""Calls as lines of JSON on standard input, answers on standard output. Ends with its input."""
import json
import sys
import threading
import traceback


class Members:
    """Consumers in threads of their own, by the names the caller gave them."""

    def __init__(self, run):
        self._run = run
        self._members = {}

    def join(self, member, **command):
        self._members[member] = Member(self._run, command)

    def state(self, member):
        return self._members[member].state()

    def leave(self, member):
        self._members.pop(member).leave()

    def leave_all(self):
        for member in list(self._members):
            self.leave(member)


class Member:
    def __init__(self, run, command):
        self.partitions = []
        self.assignment_count = 0
        self.records = []
        self.leaving = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._guard, args=(run, command), daemon=True)
        self._thread.start()

    def assigned(self, partitions):
        self.partitions = sorted(partitions)
        self.assignment_count += 1

    def revoked(self):
        self.partitions = []

    def state(self):
        if self._failure is not None:
            raise RuntimeError(self._failure)
        return {
            "partitions": list(self.partitions),
            "assignmentCount": self.assignment_count,
            "records": list(self.records),
        }

    def leave(self):
        self.leaving.set()
        self._thread.join(60)

    def _guard(self, run, command):
        try:
            run(self, **command)
        except Exception:
            self._failure = short(traceback.format_exc())


def short(text):
    """What happened comes first: the table of results shows one line."""
    lines = text.strip().splitlines()
    return "\n".join([lines[-1], *lines[:-1]])


def record_of(partition, offset, key, value):
    return {
        "partition": partition,
        "offset": offset,
        "key": None if key is None else key.decode(),
        "value": "" if value is None else value.decode(),
    }


def serve(calls, members):
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            answer["result"] = calls[request["call"]](**request["args"])
        except Exception:
            answer["error"] = short(traceback.format_exc())
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    members.leave_all()
