#!/usr/bin/env python3
"""Scores `longshore plan` against what is true of public repositories, field by field, and prints a table.

    tests/corpus/score.py TRUTH FOLDER LONGSHORE [REPOSITORY...]

TRUTH is a TOML file with one [[repo]] per repository; FOLDER holds the checkouts, each named as its repository is, with or
without its owner ("shop", "acme+shop"). Repositories that are not in FOLDER are counted as absent. With names of
repositories only these are scored, and each wrong field is shown with what was expected.

Fields: the runtime, its version, the start command, the port, the services, the migration, and the commands of the documents
that have a known fate. A development server that became a production server of the same program is right.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

FIELDS = ["runtime", "version", "start", "port", "services", "migration", "commands"]

# How the truth calls a runtime → how plans do.
RUNTIMES = {"jdk": "java", "any": "static"}
# Servers that keep running the same program when one takes another's place.
SERVERS = {"gunicorn", "waitress-serve", "uvicorn", "hypercorn", "daphne", "uwsgi", "flask", "runserver", "manage.py"}


def main():
    truth_file, folder, longshore, *only = sys.argv[1:]
    repositories = tomllib.loads(pathlib.Path(truth_file).read_text())["repo"]
    right, total, absent, rows = dict.fromkeys(FIELDS, 0), dict.fromkeys(FIELDS, 0), [], []
    for truth in repositories:
        owner, name = truth["repo"].split("/")
        if only and name not in only:
            continue
        places = [pathlib.Path(folder, name), pathlib.Path(folder, f"{owner}+{name}")]
        place = next((place for place in places if place.is_dir()), None)
        if place is None:
            absent.append(truth["repo"])
            continue
        if truth["kind"] == "monorepo":
            place = place / truth.get("subdir", ".")
        answers = scored(truth, place, longshore)
        rows.append((name, answers))
        for field, (ok, _, _) in answers.items():
            right[field] += ok
            total[field] += 1
    table(rows, right, total, absent)
    if only:
        for name, answers in rows:
            for field, (ok, expected, found) in answers.items():
                if not ok:
                    print(f"{name}: {field}: expected {expected!r}, found {found!r}")


def scored(truth, place, longshore):
    """Each field → whether it is right, what was expected, what was found."""
    run = subprocess.run([longshore, "plan", str(place), "--format", "json"], capture_output=True, text=True, check=False)
    try:
        plan = json.loads(run.stdout)
    except json.JSONDecodeError:
        plan = None
    failed = plan is None
    plan = plan or {"components": [], "ledger": []}
    components = plan["components"]
    none = {"runtime": {"name": "", "version": ""}, "start": None, "ports": [], "services": [], "prepare": [], "path": "."}
    # A truth about one program of several holds for the one that fits it best.
    judged = [of_component(truth, place, component) for component in components or [none]]
    answers = max(judged, key=lambda answer: sum(ok for ok, _, _ in answer.values()))
    if truth["kind"] == "monorepo" and len(components) > 1:
        found = sorted({service["kind"] for component in components for service in component["services"]})
        answers["services"] = services(truth["services"], found)
    unknown = [entry["command"] for entry in plan["ledger"] if (entry["reason"] or "").startswith("unknown-command")]
    answers["commands"] = (not unknown and not failed, "a fate for each", unknown)
    return answers


def of_component(truth, place, component):
    runtime = component["runtime"]
    start = component["start"]["command"] if component["start"] else []
    ports = [port["port"] for port in component["ports"]]
    migration = " && ".join(command["command"] for command in component["prepare"])
    name, ranges = wanted_runtime(truth["runtime"])
    kinds = [service["kind"] for service in component["services"]]
    return {
        "runtime": (runtime["name"] in name, sorted(name), runtime["name"]),
        "version": (in_ranges(runtime["version"], ranges), truth["runtime"], runtime["version"]),
        "start": (same_start(truth["start"], start, place / component["path"]), truth["start"], " ".join(start)),
        "port": ((ports or [0])[0] == truth["port"], truth["port"], ports),
        "services": services(truth["services"], kinds),
        "migration": (same_migration(truth["migrate"], migration, component), truth["migrate"], migration),
    }


def wanted_runtime(text):
    """"python 3.6-3.8" → {"python"}, [(3.6, 3.8)]; "node 10+" → an open end; ", Tomcat 9" tells of the server only."""
    names, ranges = set(), []
    for part in text.split(","):
        found = re.match(r"\s*([A-Za-z.]+)\s*(?:Core\b)?\s*([^\s(]*(?:\s*/\s*JDK)?)", part)
        if not found:
            continue
        name = found[1].lower()
        if name == "tomcat":
            continue
        names.add(RUNTIMES.get(name, name))
        for span in found[2].split("/"):
            span = span.strip()
            low, dash, high = span.rstrip("+").lstrip("~").partition("-")
            numbers = [int(n) for n in re.findall(r"\d+", low)]
            if not numbers:
                continue
            end = None if span.endswith("+") else [int(n) for n in re.findall(r"\d+", high)] if dash else numbers
            ranges.append((numbers, end))
    also = re.search(r"\((\d+) works\)", text)
    if also:
        ranges.append(([int(also[1])], [int(also[1])]))
    return names, ranges


def in_ranges(version, ranges):
    numbers = [int(n) for n in re.findall(r"\d+", version)]
    if not ranges:
        return True
    for low, high in ranges:
        above = numbers[: len(low)] >= low[: len(numbers)]
        below = high is None or numbers[: len(high)] <= high[: len(numbers)]
        if numbers and above and below:
            return True
    return False


def services(truth, found):
    needed, allowed = [], set()
    for text in truth:
        kinds = set(re.findall(r"postgres|mysql|mariadb|redis|mongodb|rabbitmq|memcached|elasticsearch", text.split("(")[0]))
        allowed |= kinds
        if not re.search(r"optional|only|sqlite", text):
            needed.append(kinds)
    ok = all(any(kind in kinds for kind in found) for kinds in needed) and set(found) <= allowed
    return ok, truth, found


def plain(words):
    """The words without assignments, addresses, ports and their flags, wrappers and paths before names."""
    kept, skip = [], False
    flags = {"-b", "--bind", "-h", "--host", "-p", "--port", "-o", "-H", "--listen"}
    for word in words:
        if skip:
            skip = False
            continue
        if re.fullmatch(r"[A-Z_]+=.*", word) or word in {"exec", "npx", "bundle"} or word.startswith("-Dserver.port"):
            continue
        if word in flags:
            skip = True
            continue
        if re.match(r"--(host|port|bind|listen)=|-listen=", word) or re.fullmatch(r"[\d.]*:?\$?\{?(PORT|\d+)\}?", word):
            continue
        kept.append(word)
    kept = [word.removeprefix("./") for word in kept]
    if kept[:1] == ["node"] and len(kept) > 1 and "." not in kept[1]:
        kept[1] += ".js"
    if kept:
        kept[0] = kept[0].rsplit("/", 1)[-1]
    return kept


def same_start(truth, words, place):
    if not words:
        return not truth
    if words[:2] == ["sh", "-c"]:
        words = words[2].split()
    words = [word for word in words if word != "--noreload"]
    for wanted in re.split(r";\s*", truth):
        wanted = re.sub(r"^\w+: |\(.*\)", "", wanted)
        expected = plain(followed(wanted.split(), place))
        found = plain(followed(words, place))
        if expected == found:
            return True
        if not expected or not found:
            continue
        # python app.py by another name of the interpreter, a jar or a binary of another name.
        first, other = re.sub(r"[\d.]+$", "", expected[0]), re.sub(r"[\d.]+$", "", found[0])
        if first == other and expected[1:] == found[1:]:
            return True
        if first == other == "java":
            rest = [[word for word in side[1:] if not word.endswith(".jar")] for side in (expected, found)]
            if [word for word in rest[0] if word != "-jar"] == [word for word in rest[1] if word != "-jar"]:
                return True
        # The module of python app.py, served by flask itself.
        if first == "python" and found[0] == "env" and "flask" in found and len(expected) == 2:
            if f"FLASK_APP={expected[1]}" in found:
                return True
        is_server = any(word.removeprefix("./") in SERVERS for word in expected[:3])
        if is_server and found[0] in SERVERS:
            return True
        if (first, found[0]) in {("php", "apache2-foreground"), ("nginx", "nginx")}:
            return True
        if (place / "go.mod").is_file() or list(place.glob("*.go")):
            return len(expected[1:]) <= len(found[1:]) and "go" not in found[:1]
    return False


def followed(words, place):
    """What a script of package.json runs."""
    for _ in range(4):
        name = {("npm", "start"): "start", ("yarn", "start"): "start"}.get(tuple(words[:2]))
        if words[:2] in (["npm", "run"], ["yarn", "run"]) and len(words) > 2:
            name = words[2]
        file = place / "package.json"
        if name is None or not file.is_file():
            return words
        script = json.loads(file.read_text()).get("scripts", {}).get(name)
        if script is None:
            # What npm itself does: docs.npmjs.com/cli/commands/npm-start
            return ["node", "server.js"] if name == "start" and (place / "server.js").is_file() else words
        words = script.split()
    return words


def same_migration(truth, found, component):
    commands = [part.strip() for part in truth.split("&&") if part.strip()]
    if "on start" in truth or "hibernate" in truth:
        commands = []
    # A compiled program prepares its release by another name; what runs at the start of the program needs no step.
    if "at start" in truth:
        return True
    if not commands:
        return not re.search(r"migrat|upgrade|initdb|db:", found)
    essential = [re.sub(r"^(python3?|bundle exec|\./)\s*", "", command).removeprefix("./") for command in commands]
    if component["runtime"]["name"] == "go":
        return bool(found)
    return all(command in found for command in essential)


def table(rows, right, total, absent):
    width = max([len(name) for name, _ in rows] or [10])
    print(f"{'':{width}}  " + "  ".join(FIELDS))
    for name, answers in rows:
        marks = ("yes" if answers[field][0] else "NO" for field in FIELDS)
        print(f"{name:{width}}  " + "  ".join(f"{mark:{len(field)}}" for mark, field in zip(marks, FIELDS)))
    counts = (f"{right[field]}/{total[field]}" for field in FIELDS)
    print(f"{'right':{width}}  " + "  ".join(f"{count:{len(field)}}" for count, field in zip(counts, FIELDS)))
    fields = [field for field in FIELDS if field != "commands"]
    count, of = sum(right[field] for field in fields), sum(total[field] for field in fields)
    print(f"{len(rows)} repositories, {count} of {of} fields right ({100 * count / max(of, 1):.1f} %); absent: {len(absent)}")


main()
