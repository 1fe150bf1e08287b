#!/usr/bin/env python3
"""Scores `longshore diagnose` against labelled logs of failed builds, and prints a table by category.

    tests/diagnosis/score.py TRUTH LONGSHORE [--only FILE] [--wrong]

TRUTH is a folder with `logs/NAME.log`, `dockerfiles/NAME.Dockerfile` (may be absent) and `labels.tsv`, whose header names
the columns `name`, `category`, `cause`, `remedy`, `evidence` and `also`. FILE lists names to score, one on each line;
`--wrong` shows each log whose category is wrong, or whose remedy names nothing that the label's does.

Columns: right = the first diagnosis has the label's category, or the one in `also`; remedied = right, and with a remedy for
the cause (a symptom's general advice does not count; where the label says that no edit repairs it, a right category is
enough); named = remedied, and the remedy or the cause has a specific word of the label's cause or remedy (a package, a version,
a command, a file); line = the decisive line is the label's, or reads like it.
"""

import collections
import csv
import json
import pathlib
import re
import subprocess
import sys

# Words of labels that name nothing.
COMMON = set(
    """the a an and or of in to for with from by is are it its no not before after instead use add install run image base
    newer older new old pin drop set build step none has have than that this does as at on into be must one other name
    names release version package packages missing needs need apt get update apk pip npm yum gem python python3 node docker
    copy latest current default first again dockerfile was were when which command""".split()
)


def words(text):
    found = re.findall(r"[A-Za-z0-9_@][A-Za-z0-9_@./+-]*[A-Za-z0-9_+]|[0-9]+", text.lower())
    return {word.strip("./") for word in found} - COMMON


def diagnose(longshore, truth, name):
    command = [longshore, "diagnose", "--format", "json", str(truth / "logs" / f"{name}.log")]
    dockerfile = truth / "dockerfiles" / f"{name}.Dockerfile"
    if dockerfile.exists():
        command += ["--dockerfile", str(dockerfile)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}\n{result.stderr}")
    return json.loads(result.stdout)


def score(longshore, truth, label):
    report = diagnose(longshore, truth, label["name"])
    accepted = {label["category"], label["also"]} - {""}
    first = report["causes"][0] if report["causes"] else None
    right = report["category"] in accepted
    is_hopeless = label["remedy"].startswith("none") or report["category"] == "unknown"
    remedied = right and (is_hopeless or (first is not None and first["certainty"] != "symptom"))
    known = words(label["cause"] + " " + label["remedy"])
    said = words(first["remedy"] + " " + first["cause"] + " " + first["text"]) if first else set()
    named = remedied and (is_hopeless or bool(known & said))
    lines = (truth / "logs" / f"{label['name']}.log").read_text(errors="replace").splitlines()
    evidence = lines[int(label["evidence"]) - 1].strip() if label["evidence"] else ""
    line = first is not None and (abs(first["line"] - int(label["evidence"] or 0)) <= 2 or first["text"].strip() == evidence)
    return {"right": right, "remedied": remedied, "named": named, "line": line}, report


def main():
    arguments = sys.argv[1:]
    only = None
    if "--only" in arguments:
        at = arguments.index("--only")
        only = set(pathlib.Path(arguments[at + 1]).read_text().split())
        del arguments[at : at + 2]
    shows_wrong = "--wrong" in arguments
    truth, longshore = [argument for argument in arguments if argument != "--wrong"]
    truth = pathlib.Path(truth)
    with open(truth / "labels.tsv", newline="") as file:
        labels = [row for row in csv.DictReader(file, delimiter="\t") if only is None or row["name"] in only]
    columns = ["right", "remedied", "named", "line"]
    counts = collections.defaultdict(collections.Counter)
    for label in labels:
        found, report = score(longshore, truth, label)
        for group in (label["category"], "all"):
            counts[group]["logs"] += 1
            counts[group].update(column for column in columns if found[column])
        if shows_wrong and not (found["right"] and found["named"]):
            first = report["causes"][0] if report["causes"] else {"rule": "-", "line": 0, "text": "", "remedy": ""}
            wanted = label["category"] + (f" | {label['also']}" if label["also"] else "")
            what = "category" if not found["right"] else "remedy"
            print(f"{label['name']} {what}: {wanted}; got {report['category']} ({first['rule']}:{first['line']})")
            print(f"    {first['text'].strip()[:150]}")
            print(f"    label: {label['cause']} → {label['remedy']} (line {label['evidence']})")
            print(f"    said:  {first['remedy'][:150]}")
    width = max(len(group) for group in counts)
    print(f"{'category':{width}}  logs  " + "  ".join(f"{column:>8}" for column in columns))
    for group in sorted(counts, key=lambda group: (group == "all", group)):
        total = counts[group]["logs"]
        print(f"{group:{width}}  {total:4}  " + "  ".join(f"{counts[group][column]:8}" for column in columns))
    total = counts["all"]
    print(f"{'percent':{width}}        " + "  ".join(f"{100 * total[column] / total['logs']:7.1f}%" for column in columns))


if __name__ == "__main__":
    main()
