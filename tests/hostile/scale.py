#!/usr/bin/env python3
"""Prints with which power of the size of its input the cost of `longshore plan` grows.

usage: scale.py --binary PATH [NAME…]

Of each kind of input there are several sizes, each twice the one before. The cost is the processor time of the program
without what an empty folder costs; the exponent is that between the smallest size with a cost that can be measured and the
largest one. More than 1.2 is a failure, and so are 15 seconds, a crash, and more than a gibibyte of memory.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import corpus
from corpus import node

SECONDS = 15
MEMORY = 1 << 30
LIMIT = 1.2
MEASURABLE = 0.15  # seconds; below that the noise of the machine is larger
RUNS = 3  # of which the fastest counts


def with_text(text):
    return node(readme_text="# Shop\n\n```sh\nnpm install\nnpm start\n```\n\n" + text)


def package(**more):
    return json.dumps(
        {"name": "x", "main": "a.js", "scripts": {"start": "node a.js"}, "dependencies": {"express": "4"}, **more}
    )


PG = {"package.json": package(dependencies={"pg": "8", "express": "4"})}

# Each kind: what makes the files of a size, and the sizes.
KINDS = {
    "inline code in one paragraph": (lambda n: with_text("`npm install` " * n), [5000, 10000, 20000, 40000]),
    "same command": (lambda n: with_text("```sh\n" + "npm run build\n" * n + "```\n"), [5000, 10000, 20000]),
    "unknown commands": (
        lambda n: with_text("```sh\n" + "".join(f"frobnicate{i} x\n" for i in range(n)) + "```\n"),
        [2000, 4000, 8000, 16000],
    ),
    "exports": (
        lambda n: with_text("```sh\n" + "".join(f"export V{i}=x\n" for i in range(n)) + "```\n"),
        [2000, 4000, 8000],
    ),
    "mkdirs": (
        lambda n: with_text("```sh\n" + "".join(f"mkdir d{i}\n" for i in range(n)) + "```\n"),
        [2000, 4000, 8000],
    ),
    "cps": (
        lambda n: with_text("```sh\n" + "".join(f"cp a.js d{i}\n" for i in range(n)) + "```\n"),
        [2000, 4000, 8000],
    ),
    "apt lines": (
        lambda n: with_text("```sh\n" + "".join(f"apt-get install p{i}\n" for i in range(n)) + "```\n"),
        [2000, 4000, 8000],
    ),
    "crontab lines": (
        lambda n: with_text("```\n" + "".join(f"0 2 * * * node a{i}.js\n" for i in range(n)) + "```\n"),
        [1000, 2000, 4000],
    ),
    "npm install lines": (
        lambda n: with_text("```sh\n" + "".join(f"npm install p{i}\n" for i in range(n)) + "```\n"),
        [2000, 4000, 8000],
    ),
    "Node 18 in one paragraph": (lambda n: with_text("Node 18 " * n), [10000, 20000, 40000]),
    "tabs": (lambda n: with_text('=== "a"\n' * n), [10000, 20000, 40000]),
    "heredocs": (lambda n: with_text("```sh\n" + "cat > a <<EOF\nx\nEOF\n" * n + "```\n"), [2000, 4000, 8000]),
    "heredoc without end, lines": (
        lambda n: with_text("```sh\ncat <<EOF\n" + "x\n" * n + "```\n"),
        [20000, 40000, 80000],
    ),
    "Environment= lines": (
        lambda n: with_text("```ini\n[Service]\n" + "Environment=A=1\n" * n + "```\n"),
        [2000, 4000, 8000],
    ),
    "created json keys": (
        lambda n: with_text(
            "Create `config.json`:\n\n```json\n{" + ",".join(f'"password{i}": "x"' for i in range(n)) + "}\n```\n"
        ),
        [1000, 2000, 4000],
    ),
    ".env.example lines": (
        lambda n: {**node(), ".env.example": "".join(f"A{i}=x\n" for i in range(n))},
        [5000, 10000, 20000],
    ),
    "env reads in source": (
        lambda n: {**node(), "e.js": "\n".join(f'process.env.R{i} || "x"' for i in range(n))},
        [2000, 4000, 8000],
    ),
    "dependencies": (
        lambda n: {
            **node(),
            "package.json": json.dumps(
                {
                    "name": "x",
                    "main": "a.js",
                    "scripts": {"start": "node a.js"},
                    "dependencies": {f"d{i}": "1" for i in range(n)},
                }
            ),
        },
        [5000, 10000, 20000, 40000],
    ),
    "npm scripts": (
        lambda n: {
            **node(),
            "package.json": json.dumps(
                {
                    "name": "x",
                    "main": "a.js",
                    "scripts": {**{f"s{i}": f"npm run s{i+1}" for i in range(n)}, "start": "npm run s0"},
                }
            ),
        },
        [5000, 10000, 20000],
    ),
    "pairs beside one connection each": (
        lambda n: {**node(), **PG, "p.js": 'const {Pool}=require("pg");' + 'new Pool({host: "db", user: "u"});' * n},
        [500, 1000, 2000, 4000],
    ),
    "pairs in one line": (
        lambda n: {
            **node(),
            **PG,
            "c.js": 'host: "a", password: "b", user: "c", database: "d"; ' * n
            + 'const {Pool}=require("pg"); new Pool({host: "db"})',
        },
        [2000, 4000, 8000],
    ),
    "Procfile processes": (
        lambda n: {**node(), "Procfile": "web: node a.js\n" + "".join(f"w{i}: node w{i}.js\n" for i in range(n))},
        [1000, 2000, 4000],
    ),
    "longshore.toml [env]": (
        lambda n: {**node(), "longshore.toml": "[env]\n" + "".join(f'A{i} = "x"\n' for i in range(n))},
        [2000, 4000, 8000],
    ),
    "workspace chain": (
        lambda n: {
            "package.json": json.dumps(
                {"name": "top", "private": True, "workspaces": ["p/*"], "scripts": {"start": "npm -w p0 start"}}
            ),
            **{
                f"p/p{i}/package.json": json.dumps(
                    {
                        "name": f"p{i}",
                        "scripts": {"start": "node a.js", "build": "x"},
                        "dependencies": {f"p{i+1}": "*", "express": "4"},
                    }
                )
                for i in range(n)
            },
            "README.md": corpus.readme(),
        },
        [100, 200, 400],
    ),
    "nested nginx blocks": (
        lambda n: node(**{"nginx.conf": "server {\n" + "location / {" * n + "\n deny all;\n"}),
        [2000, 4000, 8000],
    ),
    "shell functions": (
        lambda n: node(
            **{"setup.sh": "#!/bin/sh\n" + "".join(f"f{i}() {{ f{i+1}; }}\n" for i in range(n)) + "f0\n"},
            readme_text="# Shop\n\n```sh\nsh setup.sh\nnpm install\nnpm start\n```\n",
        ),
        [1000, 2000, 4000],
    ),
    "make targets in a chain": (
        lambda n: node(
            **{"Makefile": "".join(f"t{i}: t{i+1}\n\techo {i}\n" for i in range(n)) + f"t{n}:\n\techo\n"},
            readme_text="# Shop\n\n```sh\nmake t0\nnpm install\nnpm start\n```\n",
        ),
        [5000, 10000, 20000, 40000],
    ),
    "A=$(A)…": (
        lambda n: node(
            **{"Makefile": "A=" + "$(A)" * n + "\ninstall:\n\techo $(A)\n"},
            readme_text="# Shop\n\n```sh\nmake install\nnpm install\nnpm start\n```\n",
        ),
        [5, 7, 9, 12],
    ),
    "table rows": (lambda n: with_text("|a|b|\n|-|-|\n" + "|`A`|`b`|\n" * n), [20000, 40000]),
    "README.txt commands": (
        lambda n: {**{k: v for k, v in node().items() if k != "README.md"}, "README.txt": "  npm install\n\n" * n},
        [5000, 10000, 20000],
    ),
    "members of a workspace": (
        lambda n: {
            "package.json": json.dumps({"name": "top", "private": True, "workspaces": ["p/*"]}),
            **{f"p/p{i}/package.json": package(name=f"p{i}") for i in range(n)},
            "README.md": corpus.readme(),
        },
        [250, 500, 1000, 2000],
    ),
    "words of a README": (
        lambda n: with_text("Some words of a document that says nothing. " * n),
        [5000, 10000, 20000],
    ),
    "sections": (lambda n: with_text("".join(f"## Step {i}\n\nText.\n\n" for i in range(n))), [5000, 10000, 20000]),
    "routes in source": (
        lambda n: {**node(), "r.js": "".join(f"app.get('/a{i}', f);\n" for i in range(n))},
        [5000, 10000, 20000],
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--binary", type=Path, required=True)
    arguments = parser.parse_args()
    binary = str(arguments.binary.absolute())
    empty, _ = cost(binary, {})
    failures = []
    for name, (make, sizes) in KINDS.items():
        if arguments.names and not any(piece in name for piece in arguments.names):
            continue
        measured, said, wrong = [], [], None
        for count in sizes:
            files = make(count)
            seconds, wrong = cost(binary, files)
            size = sum(len(text) for text in files.values())
            measured.append((size, max(seconds - empty, 0.001)))
            said.append(f"{size // 1024} KiB {seconds:.2f} s")
            if wrong:
                break
        power = exponent(measured)
        if wrong or power and power > LIMIT:
            failures.append(name)
        shown = wrong or ("flat" if power is None else f"{power:.2f}")
        print(f"{shown:>8}  {name}: {', '.join(said)}", flush=True)
    print(f"{len(failures)} kinds over {LIMIT}" + "".join(f"\n  {name}" for name in failures))
    return 1 if failures else 0


def exponent(measured):
    """Returns the power of the size with which the cost grew; `None` where it cannot be measured."""
    known = [(size, seconds) for size, seconds in measured if seconds >= MEASURABLE]
    if len(known) < 2:
        return None
    (small, first), (large, last) = known[0], known[-1]
    return math.log(last / first) / math.log(large / small)


def cost(binary, files):
    """Returns the processor seconds of a plan of `files`, and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        for path, text in files.items():
            path = Path(folder) / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        best, wrong = math.inf, None
        for _ in range(RUNS):
            seconds, wrong = run([binary, "plan", folder])
            best = min(best, seconds)
            if wrong or seconds > 2:
                break
        return best, wrong


def run(command):
    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, preexec_fn=limits, **silent)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    wrong = None
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        wrong = f"exit {os.waitstatus_to_exitcode(status)}"
    elif usage.ru_maxrss * 1024 > MEMORY:
        wrong = f"{usage.ru_maxrss // 1024} MiB"
    return usage.ru_utime + usage.ru_stime, wrong


if __name__ == "__main__":
    sys.exit(main())
