#!/usr/bin/env python3
"""Runs longshore over a hostile corpus and judges what it says and writes.

usage: run.py FOLDER --binary PATH [--tools FOLDER] [--quick] [--jobs N] [--patience N] [NAME…]

FOLDER is what generate.py wrote. Each case is planned, converted, converted again, checked, forced and explained; a case
fails when one of its checks does. NAME chooses cases by pieces of their names, --quick a part of each class. The end is the
number of failures, and 1 as exit code if there are any.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path

from judges import Judge, bidirectional, controls

SECONDS = 20  # for one run, on an optimised build
MEMORY = 4 << 30  # bytes of address space
MOST_RESIDENT = 1024  # MiB
EXPLAINED = ["Dockerfile", "compose.yaml", "CONTAINER.md", "k8s/base/deployment.yaml", "env/development.env"]
QUICK = 4  # cases of each class

# What `convert` writes into a repository.
GENERATED = re.compile(
    r"^(Dockerfile[^/]*|\.dockerignore|compose\.yaml|CONTAINER\.md|\.longshore\.json|(env|k8s|container)/.*)$", re.S
)

# Where a program may open files that are no part of the input.
SYSTEM = re.compile(r"^(/etc/ld\.so|/lib|/usr/lib|/proc/|/sys/|/dev/null|/dev/tty|/etc/localtime|/usr/share/zoneinfo)")
CALLS = (
    "execve,execveat,open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,connect,socket,link,symlink"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--tools", type=Path, default=Path("target/tools/bin"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--patience", type=int, default=1, help="factor for the time of a run: a debug build is slow")
    arguments = parser.parse_intermixed_args()
    runner = Runner(arguments)
    cases = runner.cases(arguments.names, arguments.quick)
    failed, classes = [], defaultdict(Counter)
    with multiprocessing.Pool(arguments.jobs) as pool:
        for result in pool.imap_unordered(runner.judged, cases):
            classes[result["class"]]["cases"] += 1
            if result["failures"]:
                failed.append(result)
                classes[result["class"]]["failed"] += 1
                print(result["case"])
                for kind, message in result["failures"][:6]:
                    print(f"  {kind}: {message}")
                sys.stdout.flush()
    for name, counts in sorted(classes.items()):
        print(f"{name:14} {counts['cases']:4} cases {counts['failed']:4} failed")
    print(f"{len(failed)} failures of {len(cases)}")
    return 1 if failed or not cases else 0


class Runner:
    """What all cases share."""

    def __init__(self, arguments):
        self.folder = arguments.folder.absolute()
        self.binary = str(arguments.binary.absolute())
        self.tools = str(arguments.tools.absolute())
        self.seconds = SECONDS * arguments.patience
        self.outside = str(self.folder / "outside")

    def cases(self, names, quick):
        """Returns the folders of the cases that are meant; of a quick run some of each class, evenly apart."""
        folders = sorted(path for path in self.folder.iterdir() if re.match(r"^\d{3}-", path.name))
        folders = [path for path in folders if not names or any(name in path.name for name in names)]
        if not quick:
            return folders
        by_class = defaultdict(list)
        for path in folders:
            meta = json.loads((path / "case.json").read_text())
            if not meta.get("heavy") and not meta.get("dos"):
                by_class[meta["class"]].append(path)
        step = lambda found: max(1, len(found) // QUICK)
        return [path for found in by_class.values() for path in found[:: step(found)][: QUICK + 1]]

    def judged(self, folder):
        # In the corpus, so that a relative path of a case reaches what `snapshot` looks at.
        with tempfile.TemporaryDirectory(prefix="scratch-", dir=self.folder) as scratch:
            try:
                return Case(self, folder, scratch).result()
            except Exception:  # A fault of a judge is a failure, too, and must not hide the other cases.
                return {"case": folder.name, "class": "?", "failures": [("judge", traceback.format_exc()[-600:])]}


class Case:
    """One repository and the runs over it."""

    def __init__(self, runner, folder, scratch):
        self.runner, self.folder, self.scratch = runner, folder, scratch
        self.meta = json.loads((folder / "case.json").read_text())
        self.failures, self.said, self.is_slow = [], b"", False
        self.is_heavy = bool(self.meta.get("dos") or self.meta.get("heavy"))

    def fail(self, kind, message):
        if (kind, message) not in self.failures and len(self.failures) < 100:
            self.failures.append((kind, message))

    def result(self):
        is_forged = self.meta["class"] in ("G state", "G config")
        for trust in [[], ["--trust-repository"]] if is_forged else [[]]:
            self.round(trust)
        return {"case": self.folder.name, "class": self.meta["class"], "failures": self.failures}

    def round(self, trust):
        """Runs all commands once, in a copy of the repository where they write into it."""
        repo, out = str(self.folder / "repo"), f"{self.scratch}/out"
        shutil.rmtree(out, ignore_errors=True)
        is_in_place = bool(self.meta.get("in_place"))
        if is_in_place:
            work = f"{self.scratch}/repo{len(trust)}"
            subprocess.run(["cp", "-a", "--sparse=always", repo, work], check=True)
            repo = out = work
        special = self.meta.get("special")
        if special and special[0] == "stale":
            forge_stale(special[1], repo)
        outside, before = snapshot(self.runner.outside), snapshot(repo)
        self.run("plan", "plan", repo, *trust)
        text = self.run("json", "plan", "--format", "json", repo, *trust)
        plan = self.read(text)
        if special and special[0] in FORGED and plan:
            forge(special[0], repo, plan)
        if is_in_place:
            self.run("check", "convert", "--check", repo, *trust)
            self.run("convert", "convert", repo, *trust)
            self.run("again", "convert", repo, *trust)
            if not self.meta.get("heavy"):
                self.run("force", "convert", "--force", repo, *trust)
        else:
            self.run("convert", "convert", repo, "--output", out, *trust)
            if not self.is_heavy:
                for path in EXPLAINED:
                    self.run(f"explain {path}", "explain", repo, path, *trust)
                self.run("check", "convert", repo, "--output", out, "--check", *trust)
        self.inside(repo, before, is_in_place)
        self.outside(outside)
        if os.path.isdir(out):
            judge = Judge(self.runner.tools, out, repo, plan, self.meta, self.fail)
            judge.all()
            self.canaries(judge.texts)
            left = [name for _, _, names in os.walk(out) for name in names if re.match(r"\.longshore-.*\.part$", name)]
            if left:
                self.fail("left", f"temporary files {left}")
        if self.meta.get("strace") and not is_in_place and not trust:
            self.trace(repo)

    def inside(self, repo, before, is_in_place):
        """Compares the repository with what it was: only generated files may be new or differ."""
        changed = [os.path.relpath(path, repo) for path in differences(before, snapshot(repo))]
        wrong = [path for path in changed if not (is_in_place and GENERATED.match(path))]
        if wrong:
            self.fail("outside", f"written, changed or removed in the repository: {wrong[:5]}")

    def read(self, text):
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            self.fail("json", f"the plan is no JSON: {error}")
            return None

    def run(self, name, *words):
        """Runs longshore, checks how it ends and what it prints, and returns its stdout."""

        def limits():
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        # Where one run of a case hangs, the others would, too.
        limit = 4 if self.is_slow else self.runner.seconds
        environment = {
            **os.environ,
            "NO_COLOR": "1",
            "RUST_BACKTRACE": "0",
            "XDG_CONFIG_HOME": f"{self.scratch}/config",
        }
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            begun = time.monotonic()
            process = subprocess.Popen(
                [self.runner.binary, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=error,
                preexec_fn=limits,
                env=environment,
                start_new_session=True,
            )
            status = None
            while status is None:
                pid, ended, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    status = os.waitstatus_to_exitcode(ended)
                elif time.monotonic() - begun > limit:
                    os.killpg(process.pid, signal.SIGKILL)
                    _, ended, usage = os.wait4(process.pid, 0)
                    status, self.is_slow = f"none after {limit} s", True
                else:
                    time.sleep(0.005)
            process.returncode = 0
            out.seek(0)
            error.seek(0)
            printed, said = out.read(), error.read()
        resident = usage.ru_maxrss // 1024
        if status not in (0, 1, 2, 3) or b"panicked at" in said or b"stack overflow" in said:
            self.fail(
                "crash",
                f"{name}: exit code {status}, {resident} MiB: {(printed + said)[-200:].decode('utf-8', 'replace')!r}",
            )
        if resident > MOST_RESIDENT:
            self.fail("memory", f"{name}: {resident} MiB")
        for stream, data in (("stdout", printed), ("stderr", said)):
            if controls(data):
                self.fail("terminal", f"{name}: {stream} has {controls(data)}")
            if bidirectional(data):
                self.fail("terminal", f"{name}: {stream} has {bidirectional(data)}")
        self.said += printed + said + b"\n"
        return printed if status in (0, 1) else b""

    def outside(self, before):
        """Compares what lies outside of the repository with what was there, and puts it back."""
        outside = self.runner.outside
        after = snapshot(outside)
        changed = differences(before, after)
        if not changed:
            return
        self.fail("outside", f"written, changed or removed outside of the repository: {changed[:5]}")
        for path in changed:
            if path in after and path not in before:
                os.remove(path)
        if f"{outside}/known.txt" in changed:
            Path(f"{outside}/known.txt").write_text("known\n")

    def canaries(self, texts):
        everything = {"(output)": self.said, **texts}
        found = lambda word: [path for path, data in everything.items() if word.encode() in data]
        for secret in self.meta.get("secrets", []):
            if found(secret):
                self.fail("secret", f"{secret} in {found(secret)}")
        reads_nothing = (
            self.meta["class"] in ("L links", "G config", "G git", "D bombs") and self.meta["slug"] != "hardlink"
        )
        if reads_nothing and found("OUTSIDECANARY"):
            self.fail("outside", f"text of a file outside of the repository in {found('OUTSIDECANARY')}")
        if os.path.exists(f"{self.runner.outside}/PWNED-git"):
            self.fail("exec", "a hook of Git ran")
            os.remove(f"{self.runner.outside}/PWNED-git")

    def trace(self, repo):
        """Looks at the system's calls: no program is started, no socket made, nothing outside opened."""
        out, log = f"{self.scratch}/traced", f"{self.scratch}/strace"
        command = [self.runner.binary, "convert", repo, "--output", out]
        environment = {**os.environ, "XDG_CONFIG_HOME": f"{self.scratch}/config"}
        silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(
            ["strace", "-f", "-y", "-s", "400", "-e", f"trace={CALLS}", "-o", log, *command],
            env=environment,
            timeout=300,
            **silent,
        )
        programs = 0
        for line in open(log, errors="replace"):
            call = re.match(r"\d+\s+(\w+)\((.*)\)\s+=\s+(-?\d+)(?:<(.*)>)?", line)
            if not call:
                continue
            name, words, result, opened = call.groups()
            programs += name.startswith("execve")
            if programs > 1 or name in ("connect", "socket"):
                self.fail("exec", line.strip()[:200])
            # The second is where an open file lies: not where a link to it does.
            paths = [*re.findall(r'"((?:[^"\\]|\\.)*)"', words), opened or ""]
            for path in paths if result != "-1" else []:
                is_ours = path.startswith((repo, out, self.scratch, self.runner.binary)) or not path.startswith("/")
                is_outside = self.runner.outside in path or path.startswith(("/etc", "/root", "/dev", "/home"))
                if is_outside and not is_ours and not SYSTEM.match(path):
                    self.fail("outside", f"{name} {path}")


def differences(before, after):
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def snapshot(folder):
    """Returns size, time and mode of what lies in `folder`, without following links."""
    found = {}
    for path, folders, names in os.walk(folder):
        if path.count("/") > 60:
            folders[:] = []
        for name in names + [name for name in folders if os.path.islink(os.path.join(path, name))]:
            try:
                state = os.lstat(os.path.join(path, name))
            except OSError:
                continue
            found[os.path.join(path, name)] = (state.st_size, state.st_mtime_ns, state.st_mode)
        if len(found) > 5000:
            break
    return found


# Records that lie: with the digest of the plan, which anyone can compute.


def forge_stale(target, repo):
    digest = hashlib.sha256(Path(target).read_bytes()).hexdigest()
    write_record(repo, {"files": {target: digest, os.path.relpath(target, repo): digest}})


def write_record(repo, record):
    Path(f"{repo}/.longshore.json").write_text(json.dumps(record))


def forge(kind, repo, plan):
    for entry in plan["ledger"]:
        # As it stands before anything is rendered.
        if entry["target"] and entry["fate"] != "skipped":
            entry["target"] = re.sub(r":\d+$", "", entry["target"])
    text = json.dumps(plan, separators=(",", ":"), ensure_ascii=False)
    verified = {"on": "2026-01-01", "plan": hashlib.sha256(text.encode()).hexdigest(), "files": "0" * 64}
    write_record(repo, {"files": {}, "verified": {**verified, **FORGED[kind]()}})


def forged_repairs():
    captured = {"command": "curl; touch INJCMD", "package": "x\nRUN INJLINE", "module": "a\nINJLINE: r"}
    written = [
        {"path": "/v\nINJLINE: x", "is_folder": True, "is_new": True},
        {"path": "/etc", "is_folder": True, "is_new": False},
    ]
    record = lambda rule: {"component": "web", "rule": rule, "captured": captured, "during": "run", "written": written}
    rules = ["command-missing", "denied-write-unsaid", "x\nINJLINE: r"]
    return {"components": {}, "repairs": [record(rule) for rule in rules]}


def forged_proof():
    measured = {
        "startup_ms": 1,
        "peak_memory_bytes": 1,
        "listening": ["0.0.0.0:3000</p><img src=x onerror=INJHTML>\n\n# INJLINE\n\n\x1b[31m"],
        "written": ["/x\nINJLINE"],
        "corrections": [
            {
                "kind": "volume",
                "path": "/v\nINJLINE: x",
                "persistent": True,
                "written": "/w`<img src=x onerror=INJHTML>\nINJLINE",
            },
            {"kind": "port", "planned": 3000, "found": 22},
        ],
    }
    answered = {"path": "/';touch INJCMD;'\nRUN INJLINE\"$(touch INJCMD)", "status": 200}
    return {"components": {"web": {"measured": measured, "answered": answered}}}


def forged_numbers():
    most = (1 << 64) - 1
    names = "startup_ms peak_memory_bytes steady_memory_bytes startup_cpu_millicores steady_cpu_millicores stop_ms"
    load = {
        "path": "/",
        "unloaded_p95_ms": 1e308,
        "limit_ms": 1e308,
        "steps": [],
        "knee": 1e-300,
        "end": "knee",
        "cpu_millicores": 4294967295,
        "wanted": 4294967295,
    }
    measured = {**dict.fromkeys(names.split(), most), "listening": [], "written": [], "load": load}
    return {"components": {"web": {"measured": measured}}}


FORGED = {"repairs": forged_repairs, "proven": forged_proof, "proven-numbers": forged_numbers}

if __name__ == "__main__":
    sys.exit(main())
