#!/usr/bin/env python3
"""Writes the hostile corpus: FOLDER/NNN-name/{case.json,repo/}, and what lies outside of the repositories.

usage: generate.py FOLDER [--seed N]

Seed 0 is the corpus as corpus.py has it. Another one varies names, payloads, sizes, and the folder in which the
application lies, the same way each time.
"""

import argparse
import json
import os
import random
import socket
import subprocess
from collections import Counter
from pathlib import Path

import corpus

# What is varied in the texts and the paths of a case: one of the others takes the place of the first.
WORDS = [
    ["Shop", "Shop 2", "Sh`op", "Шоп", "s.h_o-p", "Shop<b>", "shöp"],
    ["RUN INJLINE", "ENV INJLINE", "COPY INJLINE", "ADD INJLINE", "USER INJLINE", "FROM INJLINE"],
    ["INJLINE: ", "INJLINE: &x ", "INJLINE: !!str ", "INJLINE: [] #"],
    ["3000", "3001", "8080", "65535", "4321"],
    ["hello", "null", "1e3", "on", "a: b", "0x1f", "~"],
    ["onerror=INJHTML", "onload=INJHTML", "style=INJHTML onfocus=INJHTML"],
]

# Folders into which a seed puts an application.
FOLDERS = ["app", "my app", "a;touch INJCMD;", "$(touch INJCMD)", "ünï/cödé", "-x", "a'b", "true", "`touch INJCMD`"]

# Classes whose cases do not depend on where the application lies.
MOVABLE = {"A dockerfile", "B yaml", "C conf", "K secrets", "S shell", "T template"}

OUTSIDE = {
    "README.md": "# OUTSIDECANARY\n\n```sh\nnpm run OUTSIDECANARY\n```\n",
    "secret.txt": "OUTSIDECANARY = 1\n",
    "package.json": '{"name":"OUTSIDECANARY","scripts":{"start":"node OUTSIDECANARY"},"dependencies":{"express":"4"}}',
    "env": "FOO=OUTSIDECANARY\n",
    "gitignore": "sub/\nOUTSIDECANARY\n",
    "compose.yml": "services:\n  OUTSIDECANARY: {image: x}\n",
    "state.json": '{"files":{"OUTSIDECANARY":"x"}}',
    "longshore.toml": '[env]\nFOO="OUTSIDECANARY"\n',
    "run.sh": "npm run OUTSIDECANARY\n",
    "Makefile": "all:\n\tnpm run OUTSIDECANARY\n",
    "evil.mk": "X=OUTSIDECANARY\n",
    "INSTALL.md": "OUTSIDECANARY",
    "setup.md": "OUTSIDECANARY",
    "deploy.md": "OUTSIDECANARY",
    "req.txt": "OUTSIDECANARY==1\n",
    "c.txt": "OUTSIDECANARY\n",
    "dump.sql": "create table OUTSIDECANARY",
    "secret.pem": "-----BEGIN CERTIFICATE-----\nOUTSIDECANARY\n-----END CERTIFICATE-----\n",
    "pom.xml": "<project><artifactId>OUTSIDECANARY</artifactId></project>",
    "gitinclude": "[core]\n\tx = OUTSIDECANARY\n",
    "known.txt": "known\n",
    "git/HEAD": "ref: refs/heads/main\n",
    "git/config": "",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    cases = generate(arguments.folder, arguments.seed)
    print(f"{len(cases)} cases: " + ", ".join(f"{name} {count}" for name, count in Counter(cases).items()))


def generate(folder, seed):
    """Writes the corpus below `folder`, whatever was there before, and returns the class of each case."""
    folder = folder.absolute()
    if folder.exists():
        # Some of it may not be listed, and some lies deeper than Python goes.
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=True)
        subprocess.run(["rm", "-rf", "--", folder], check=True)
    for name, text in OUTSIDE.items():
        path = folder / "outside" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for number, case in enumerate(corpus.CASES, 1):
        write(varied(case, random.Random(f"{seed} {case.slug}")) if seed else case, number, str(folder))
    return [case.cls for case in corpus.CASES]


def varied(case, chance):
    """Returns `case` with other names, payloads and sizes, and perhaps in another folder."""
    words = {choices[0]: chance.choice(choices) for choices in WORDS}

    def vary(text):
        if not isinstance(text, str):
            return text
        for word, other in words.items():
            text = text.replace(word, other)
        return text

    def content(value):
        if isinstance(value, tuple):
            scaled = value[0] in ("deep", "many", "hardmany")
            return (value[0], int(value[1] * chance.uniform(0.5, 1)), *value[2:]) if scaled else value
        return vary(value)

    # In JSON and XML a replacement could end a string: they stay as they are.
    def is_text(path):
        return not corpus.b(path).endswith((b".json", b".xml", b".csproj"))

    files = {vary(path): content(value) if is_text(path) else value for path, value in case.files.items()}
    is_plain = all(isinstance(path, str) and not isinstance(value, tuple) for path, value in files.items())
    if case.cls in MOVABLE and is_plain and chance.random() < 0.5:
        inside = chance.choice(FOLDERS)
        top = (".", "README", "longshore.toml", "Procfile", "docker-compose")
        files = {path if path.startswith(top) else f"{inside}/{path}": value for path, value in files.items()}
    return corpus.Case(case.cls, case.slug, files, register=False, **case.meta)


def write(case, number, root):
    """Writes the repository of a case, and what run.py has to know of it."""
    folder = f"{root}/{number:03d}-{case.slug}"[:200].encode("ascii", "replace").decode()
    repo = folder + "/repo"
    os.makedirs(repo)

    def placed(value):
        return value.replace("@ROOT@", root) if isinstance(value, str) else value

    meta = {name: placed(value) for name, value in case.meta.items()}
    if meta.get("dir_target"):
        os.makedirs(meta["outside_target"], exist_ok=True)
        open(meta["outside_target"] + "/.keep", "w").close()
    later = []
    for path, content in case.files.items():
        full = os.path.join(corpus.b(repo), corpus.b(placed(path)))
        if isinstance(content, tuple):
            content = tuple(placed(part) for part in content)
            if content[0] in LATER:
                later.append((full, content))
                continue
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if isinstance(content, tuple):
                SPECIAL[content[0]](full, *content[1:])
            else:
                with open(full, "wb") as file:
                    file.write(corpus.b(placed(content)))
        except (OSError, ValueError) as error:
            # Some file systems do not take such a name.
            meta.setdefault("skipped", []).append(f"{path!r}: {error}"[:200])
    for full, content in later:
        kind, *rest = content
        if LATER[kind] is None:
            meta["special"] = list(content)
        else:
            LATER[kind](repo, full, *rest)
    with open(folder + "/case.json", "w") as file:
        json.dump({"class": case.cls, "slug": case.slug, **meta}, file)


def bound_socket(path):
    # A path of a socket has at most 107 bytes.
    here = os.getcwd()
    os.chdir(os.path.dirname(path))
    socket.socket(socket.AF_UNIX).bind(os.path.basename(path).decode())
    os.chdir(here)


def with_mode(path, mode, text):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)


SPECIAL = {
    "link": lambda path, target: os.symlink(target, path),
    "fifo": lambda path: os.mkfifo(path),
    "sock": bound_socket,
    "dev": lambda path, major, minor: os.mknod(path, 0o20666, os.makedev(major, minor)),
    "mode": with_mode,
    "hard": lambda path, target: os.link(target, path),
    "sparse": sparse,
}


def deep(repo, _, levels):
    here = os.getcwd()
    os.chdir(repo)
    for _ in range(levels):
        os.mkdir("d")
        os.chdir("d")
    with open("README.md", "w") as file:
        file.write("# deep\n")
    os.chdir(here)


def many(repo, _, count):
    for number in range(count):
        folder = f"{repo}/m/{number // 1000}"
        os.makedirs(folder, exist_ok=True)
        open(f"{folder}/{number}.js", "w").close()


def many_links(repo, _, count, size):
    os.makedirs(f"{repo}/h")
    first = f"{repo}/h/0.js"
    with open(first, "w") as file:
        file.write('process.env.X; app.get("/a", f);\n' * (size // 33))
    for number in range(1, count):
        os.link(first, f"{repo}/h/{number}.js")


# What is made when all else is there; None is for run.py, because it depends on the plan.
LATER = {
    "dirmode": lambda repo, path, mode: os.chmod(path, mode),
    "deep": deep,
    "many": many,
    "hardmany": many_links,
    "stale": None,
    "repairs": None,
    "proven": None,
    "proven-numbers": None,
}

if __name__ == "__main__":
    main()
